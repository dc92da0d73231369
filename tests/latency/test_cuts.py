"""Times that pages ask for: equal questions are one job, answers measured in quiet are reused, and what was timed has
the size of the cut."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from pruning.base.errors import InputError
from pruning.base.safe_json import dump
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import PROMPT
from pruning.latency import cuts
from pruning.latency.clock import Comparison, Timing
from pruning.latency.comparison_json import comparison_values
from pruning.latency.cuts import NOISY, TIME, Question, answer, recorded
from pruning.latency.noise import Noise
from pruning.planning.plan import make_plan
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject

QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)
START = vars(cuts)["LocalExecutor"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:lenet300")


def question(subject: Subject, sparsity: float = 0.5, batch: int = 1, **spec: Any) -> Question:
    return Question.of(subject, make_plan(subject.model, subject.graph, PruneSpec(sparsity=sparsity, **spec)), batch)


class Watch:
    """In place of the clock: notes the models, and gives what it is told to, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *noises: Noise) -> None:
        self.noises, self.models, self.options = list(noises), [], []  # type: ignore[var-annotated]
        monkeypatch.setattr(cuts, "compare_latency", self)

    def __call__(self, dense: nn.Module, pruned: nn.Module, *_: Any, **options: Any) -> Comparison:
        self.models.append((dense, pruned))
        self.options.append(options)
        return made(self.noises.pop(0))


def made(noise: Noise, at: datetime | None = None) -> Comparison:
    time = Timing(low=0.9, median=1.0, high=1.1)
    return Comparison(batch=1, dense=time, pruned=time, speedup=(1.5, 1.6, 1.7), pairs=9, threads=1, noise=noise,
                      at=at or datetime.now(UTC))  # fmt: skip


def parameters(model: nn.Module) -> int:
    return sum(tensor.numel() for tensor in model.parameters())


def test_equal_questions_have_one_key(subject: Subject) -> None:
    one = question(subject)
    assert one.key == question(subject).key == Question.from_json(one.to_json()).key
    assert one.key == question(subject, criterion="l1").key, "as many units stay, whichever"
    others = [question(subject, 0.4), question(subject, batch=32), question(subject, granularity="weight"),
              replace(one, threads=2), replace(one, identity="another")]  # fmt: skip
    assert len({one.key, *(other.key for other in others)}) == 6


def test_another_processor_is_another_question(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    before = question(subject).key
    monkeypatch.setattr(cuts, "processor", lambda: "another one")
    assert question(subject).key != before


def test_what_is_timed_has_the_size_of_the_cut(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, QUIET, QUIET)
    answer(question(subject, 0.5))
    dense, pruned = watch.models[0]
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    from pruning.removal.apply import removed_model

    assert parameters(dense) == parameters(subject.model)
    assert parameters(pruned) == parameters(removed_model(subject.model, subject.graph, plan))
    answer(question(subject, 0.75, granularity="weight"))
    masks = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.75, granularity="weight")).masks
    for name, tensor in watch.models[1][1].named_parameters():
        if name in masks:
            assert int(tensor.count_nonzero()) == int(masks[name].count_nonzero())
    assert parameters(watch.models[1][1]) == parameters(subject.model)
    assert watch.options[0]["threads"] == 1 and watch.options[0]["rest"] is not None


def test_an_answer_measured_in_quiet_is_reused(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch, QUIET)
    asked = question(subject)
    assert recorded(asked) is None
    found = answer(asked)
    assert recorded(asked) == found and recorded(asked, datetime.now(UTC) + timedelta(days=400)) == found


def test_noise_is_tried_twice_and_holds_for_a_moment_only(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, NOISE, QUIET, NOISE, NOISE)
    first, second = question(subject, 0.3), question(subject, 0.6)
    assert answer(first).quiet, "the second try"
    assert not answer(second).quiet and not watch.noises
    noisy = recorded(second)
    assert noisy is not None and not noisy.quiet
    assert recorded(second, datetime.now(UTC) + timedelta(minutes=2)) is None, "it is measured anew"


def test_noise_does_not_replace_what_was_measured_in_quiet(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch, QUIET, NOISE, NOISE)
    asked = question(subject)
    before = answer(asked)
    assert not answer(asked).quiet
    assert recorded(asked) == before


@pytest.mark.parametrize("name", [TIME, NOISY])
def test_a_damaged_answer_is_none(subject: Subject, name: str) -> None:
    asked = question(subject)
    with asked.job.working() as work:
        work.publish(name, dump({**comparison_values(made(QUIET)), "speedup": "fast"}))
    assert recorded(asked) is None


def test_pages_share_one_job(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ensure", lambda line: 0)
    asked = question(subject)
    submit(asked, "a" * 32)
    submit(asked, "b" * 32)
    (ticket,) = local_line().tickets()
    assert set(ticket.visitors) == {"a" * 32, "b" * 32} and ticket.lane == PROMPT
    assert ticket.arguments[:2] == ("clock", "--") and Question.from_json(ticket.arguments[2]) == asked
    asked.job.request_cancel("a" * 32)
    assert asked.job.is_working, "somebody still waits for it"
    asked.job.request_cancel("b" * 32)
    assert not asked.job.is_working and not local_line().tickets()


def submit(asked: Question, visitor: str) -> None:
    """As `start`, which the tests of pages have replaced."""
    START().submit(["clock", "--", asked.to_json()], asked.job, kind="time", visitor=visitor, lane=PROMPT)


def test_a_network_that_has_changed_is_not_timed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, QUIET)
    with pytest.raises(InputError, match="has changed"):
        answer(replace(question(subject), identity="0" * 64))
    assert not watch.models


@pytest.mark.parametrize("counts", [{"nowhere": 1}, {"fc1": 0}, {"fc1": 301}])
def test_units_that_are_not_there_are_refused(subject: Subject, counts: dict[str, int], cache: Path) -> None:
    with pytest.raises(InputError, match="The network has no"):
        answer(replace(question(subject), counts=tuple(counts.items())))


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"ref": 3}), "x" * 50])
def test_a_question_that_is_none_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError):
        Question.from_json(text)
