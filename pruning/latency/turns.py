"""Turns within one process: its threads compute one at a time, so that they neither slow nor time each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_WAIT = 4.0
"""Seconds that somebody who looks on waits for a training run on this machine to end before it is said."""
_COMPUTING = threading.RLock()


@contextmanager
def computing() -> Iterator[None]:
    """One thread computes at a time: side by side they would only slow each other down, and spoil each other's
    timings."""
    with _COMPUTING:
        yield


@contextmanager
def quiet(longest: float = LONGEST_WAIT) -> Iterator[None]:
    """`computing`, and no training run on this machine beside it: for timings and short trainings.

    Raises:
        Cancelled: a run kept the machine busy for `longest` seconds.
    """
    from pruning.latency.clock import quiet_soon

    # The machine first, then the turn in this process: waiting for a run must not hold up the other threads.
    with quiet_soon(longest), computing():
        yield
