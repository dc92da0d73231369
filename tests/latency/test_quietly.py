"""When a network is timed: others end first, or have a rest between bursts; by clocks that the tests turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled
from pruning.base.locks import is_held, try_hold
from pruning.jobs import quiet as quieting
from pruning.jobs.process import Process
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import PROMPT, TIMING, WORK
from pruning.jobs.quiet import quiet
from pruning.latency import quietly as quietly_module
from pruning.latency.quietly import quietly, wait_for_room
from pruning.latency.threads import timing_threads, with_threads


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    quietly_module._BUSY.forget()
    return tmp_path


class Clock:
    """Goes on only while somebody sleeps by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        if monkeypatch is not None:
            monkeypatch.setattr(quieting.time, "monotonic", lambda: self.now)
            monkeypatch.setattr(quieting.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def someone_works(lane: str = WORK) -> None:
    """A job of another process: one that waits for the pool."""
    local_line().add(kind="run", job="/a/run", lane=lane)


def room(patience: float, clock: Clock, **options: object) -> bool:
    return wait_for_room(patience, clock=lambda: clock.now, sleep=clock.sleep, **options)  # type: ignore[arg-type]


def test_where_nobody_works_there_is_room_at_once() -> None:
    clock = Clock()
    assert room(600, clock) and not clock.slept
    someone_works(TIMING)
    assert room(600, clock) and not clock.slept, "timings have a line of their own"


def test_it_waits_no_longer_than_it_has_patience() -> None:
    clock, told = Clock(), []
    someone_works()
    assert not room(8, clock, waiting=lambda: told.append(1))
    assert clock.now == pytest.approx(108, abs=0.3) and told == [1], "said once"


def test_many_timings_in_a_row_have_patience_once() -> None:
    """Else the times of a class's thirty runs would take hours."""
    clock = Clock()
    someone_works()
    assert not room(600, clock) and clock.now >= 700
    clock.now += 20  # a timing in bursts
    before = clock.now
    assert not room(600, clock) and clock.now == before
    (ticket,) = local_line().tickets()
    local_line().remove(ticket)
    assert room(600, clock)
    someone_works()
    assert not room(600, clock) and clock.now >= before + 600, "the machine was free in between"
    clock.now += 3600
    before = clock.now
    assert not room(600, clock) and clock.now >= before + 600, "what was seen an hour ago says nothing"


def test_it_goes_on_once_others_have_ended() -> None:
    clock = Clock()
    someone_works()
    (ticket,) = local_line().tickets()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 103:
            local_line().remove(ticket)

    assert wait_for_room(600, clock=lambda: clock.now, sleep=sleep)
    assert clock.now < 104


def test_ones_own_work_is_not_waited_for() -> None:
    clock = Clock()
    local_line().add(kind="report", process=Process.own())
    assert room(8, clock) and not clock.slept


def test_it_can_be_cancelled_while_it_waits() -> None:
    someone_works()
    with pytest.raises(Cancelled):
        room(600, Clock(), cancel=lambda: True)


def test_a_timing_wants_quiet_in_its_turn_and_leaves_nothing_behind(cache: Path) -> None:
    wanted = cache / "queue" / "wanted.lock"
    with quietly("time", lane=PROMPT) as found:
        assert is_held(wanted) and found.is_alone
        (ticket,) = local_line().running()
        assert (ticket.kind, ticket.lane) == ("time", PROMPT)
    assert not is_held(wanted) and not local_line().tickets()


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of `quiet`, turned by whoever sleeps."""
    yield Clock(monkeypatch)


def test_a_burst_is_no_longer_than_is_allowed(turned: Clock) -> None:
    with quiet() as found:
        for _ in range(3):
            assert not found.rest(0.5)
            turned.now += 0.5
        assert found.rest(0.5), "2 seconds would be too long"
        assert not found.rest(0.5), "a new burst has begun"
        assert sum(turned.slept) < 0.1, "nobody computes: nobody needs time"


def test_others_compute_for_longer_than_a_burst_takes(turned: Clock, cache: Path) -> None:
    other = try_hold(cache / "queue" / "machine.lock", shared=True)
    assert other is not None
    with quiet() as found:
        assert not found.is_alone
        turned.now += quieting.BURST
        before = turned.now
        assert found.rest(0.1)
        assert turned.now - before >= quieting.REST > 2 * quieting.BURST
    other.close()


def test_the_number_of_threads_comes_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert timing_threads() == 1
    (tmp_path / "pruning.toml").write_text("[latency]\nthreads = 3\n")
    monkeypatch.setenv("PRUNING_SETTINGS", str(tmp_path / "pruning.toml"))
    assert timing_threads() == 3
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), with_threads(3):
        assert torch.get_num_threads() == 3
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
