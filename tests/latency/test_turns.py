"""While somebody times a network, what-if and whatever computes in one go stand still, for as long as may be asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pruning.jobs.quiet import PAUSE
from pruning.latency import turns
from pruning.whatif.lane import Lane


def a_step_of_what_if() -> None:
    with Lane(1).turn(object(), asker="somebody"):
        pass


def an_evaluation() -> None:
    with turns.computing():
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))


@pytest.mark.parametrize("work", [a_step_of_what_if, an_evaluation])
def test_others_wait_for_the_one_who_times(work: Callable[[], None]) -> None:
    began = threading.Event()
    thread = threading.Thread(target=lambda: (work(), began.set()), daemon=True)
    with turns.quiet():
        thread.start()
        assert not began.wait(0.3)
    assert began.wait(2)


def test_what_if_goes_on_after_a_while_whatever_is_timed() -> None:
    with turns.quiet():
        thread = threading.Thread(target=a_step_of_what_if, daemon=True)
        started = time.monotonic()
        thread.start()
        thread.join(3 * PAUSE)
        assert PAUSE - 0.2 < time.monotonic() - started < 2 * PAUSE


def test_who_times_may_compute() -> None:
    with turns.quiet():
        started = time.monotonic()
        an_evaluation()
    assert time.monotonic() - started < 0.5
    an_evaluation()


def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "file"))
    with turns.quiet():
        pass
    an_evaluation()
    a_step_of_what_if()
