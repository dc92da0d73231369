"""Times on pages: recorded ones are shown, noise is said with a way to try again, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.base.errors import InputError
from pruning.base.safe_json import dump
from pruning.latency import cuts
from pruning.latency.clock import Comparison, Timing
from pruning.latency.comparison_json import comparison_values
from pruning.latency.cuts import NOISY, TIME, Question
from pruning.latency.noise import Noise
from pruning.render.markup.ledger_tiles import time_tile
from ui.kit import timings

QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)


def page() -> None:
    """A page that shows one time."""
    import streamlit as st

    from pruning.spec import PruneSpec
    from ui.kit import lab, loaders

    found = lab.speed(loaders.open_subject("sample:lenet300"), PruneSpec(sparsity=0.5), 1)
    st.text(found if isinstance(found, str) else found.verdict)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    yield AppTest.from_function(page, default_timeout=120)
    st.cache_data.clear()


class Answers:
    """In place of processes: notes the questions, and does with each what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Question], None]) -> None:
        self.asked: list[Question] = []
        self.answer = answer
        monkeypatch.setattr(cuts, "start", self)

    def __call__(self, question: Question, visitor: str) -> None:
        self.asked.append(question)
        self.answer(question)


def comparison(noise: Noise, at: datetime | None = None) -> Comparison:
    slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (1.6, 1.0))
    return Comparison(batch=1, dense=slow, pruned=fast, speedup=(1.5, 1.6, 1.7), pairs=9, threads=1, noise=noise,
                      at=at or datetime.now(UTC))  # fmt: skip


def leave(question: Question, noise: Noise) -> None:
    found = comparison(noise)
    with question.job.working() as work:
        work.publish(TIME if found.quiet else NOISY, dump(comparison_values(found)))


def shown(app: AppTest) -> str:
    app.run()
    assert not app.exception, app.exception
    return str(app.text[0].value)


def test_a_time_is_measured_once_for_everybody(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch, lambda question: leave(question, QUIET))
    assert shown(app) == shown(app) == "1.60× as fast (1.50–1.70)"
    other = AppTest.from_function(page, default_timeout=120)
    assert shown(other) == "1.60× as fast (1.50–1.70)" and len(answers.asked) == 1


def test_noise_is_no_time_and_can_be_tried_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch, lambda question: leave(question, NOISE))
    assert shown(app) == shown(app) == "too noisy to measure: again?"
    assert len(answers.asked) == 1, "not at each look"
    answers.answer = lambda question: leave(question, QUIET)
    app.button[0].click()
    assert shown(app) == "1.60× as fast (1.50–1.70)" and not app.button


def test_a_page_goes_on_after_a_while(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def never(question: Question) -> None:
        if not started:
            started.append(question.job.ask())  # this process is to work on it, and does not yet

    answers = Answers(monkeypatch, never)
    monkeypatch.setattr(timings.speed, "__kwdefaults__", {**timings.speed.__kwdefaults__, "longest": 0.2})
    assert shown(app) == "waits for a quiet machine" and not app.button
    assert not any("training" in text.value for text in app.text), "nobody trains"
    question = answers.asked[0]
    attempt = question.job.last()
    assert attempt is not None
    with attempt.working() as work:
        work.publish(TIME, dump(comparison_values(comparison(QUIET))))
    assert shown(app) == "1.60× as fast (1.50–1.70)"


def test_why_it_cannot_be_measured_is_said(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(question: Question) -> None:
        raise InputError("50 of your jobs wait, as many as may: cancel some, or wait for them to end.")

    answers = Answers(monkeypatch, full)
    assert shown(app).startswith("50 of your jobs wait")

    def fails(question: Question) -> None:
        with pytest.raises(InputError), question.job.working():
            raise InputError("The network has changed since its time was asked for: open it again.")

    answers.answer = fails
    assert shown(app) == shown(app) == "The network has changed since its time was asked for: open it again."
    assert len(answers.asked) == 2, "it is not tried at each look"
    assert app.button[0].label == "Measure again"


def test_a_tile_dates_what_is_not_of_now() -> None:
    fresh, old = comparison(QUIET), comparison(QUIET, datetime.now(UTC) - timedelta(days=1))
    assert "measured" not in time_tile(1, fresh).numbers[0].small
    assert f" · measured {old.at.astimezone().day} " in time_tile(1, old).numbers[0].small if old.at else False
    noisy = time_tile(1, replace(fresh, noise=NOISE)).numbers[0]
    assert noisy.badge is None and noisy.big == "–" and "too noisy" in noisy.small
