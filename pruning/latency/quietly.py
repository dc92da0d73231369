"""When a network is timed: in its turn, where there is room for it, and in quiet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.jobs.process import Process
from pruning.jobs.queue.line import Line
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import TIMING, WORK
from pruning.jobs.queue.turn import turn
from pruning.jobs.quiet import Quiet, quiet

PATIENT, PROMPT_SECONDS = 600.0, 8.0
"""Seconds that a timing waits for other work to end: one that follows a run, and one that somebody waits for. After
that it takes bursts of quiet between which the others go on."""
WAITING = "Waiting for a quiet machine"
LOOK_SECONDS = 0.2
FORGOTTEN = 60.0
"""Seconds after which somebody who did not look no longer knows whether others were at work all the while."""


@contextmanager
def quietly(
    kind: str,
    *,
    patience: float = PROMPT_SECONDS,
    cancel: Cancel | None = None,
    waiting: Callable[[str], None] | None = None,
    lane: str = TIMING,
) -> Iterator[Quiet]:
    """Quiet for a timing of a kind, once it is its turn and others have ended, or `patience` has.

    `waiting`: called with a sentence where it has to wait.

    Raises:
        Cancelled: `cancel()` became true while waiting.
        StorageError: the line or the locks cannot be written.
    """
    told = waiting or (lambda text: None)
    with turn(kind, cancel, told, lane=lane):
        wait_for_room(patience, cancel, lambda: told(WAITING))
        with quiet(cancel) as found:
            yield found


def wait_for_room(
    patience: float,
    cancel: Cancel | None = None,
    waiting: Callable[[], None] = lambda: None,
    *,
    line: Line | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait for as long as jobs of other processes wait or are carried out on this machine, `patience` seconds at most;
    whether there are none. Seconds for which this process has just waited for the same count: many timings in a row
    have patience once. `waiting`: called once where there are.

    Raises:
        Cancelled: `cancel()` became true.
    """
    line = line or local_line()
    told = False
    while is_busy(line):
        if cancel is not None and cancel():
            raise Cancelled("Cancelled while waiting for a quiet machine.")
        if clock() >= _BUSY.seen(clock()) + patience:
            return False
        if not told:
            waiting()
            told = True
        sleep(LOOK_SECONDS)
    _BUSY.forget()
    return True


@dataclass
class _Busy:
    """Since when this process has seen others at work."""

    since: float = 0.0
    last: float = -math.inf

    def seen(self, now: float) -> float:
        """Since when, others being at work now; what was seen long ago is forgotten."""
        if not self.last <= now <= self.last + FORGOTTEN:
            self.since = now
        self.last = now
        return self.since

    def forget(self) -> None:
        self.last = -math.inf


_BUSY = _Busy()


def is_busy(line: Line) -> bool:
    """Whether jobs of other processes wait or are carried out."""
    own = Process.own()
    return any(ticket.lane == WORK and ticket.process != own for ticket in line.tickets())
