"""A bound on how long some work may take, looked at between its steps."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pruning.base.errors import InputError

DEFAULT_SECONDS = 300.0


class OutOfTime(InputError):
    """A time limit is over."""


class TimeLimit:
    """A limit that runs from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        if not (isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < math.inf):
            raise InputError(f"time_limit must be a positive number of seconds, not {seconds!r}.")
        self.seconds = seconds
        self._started = time.perf_counter()

    def check(self, doing: str) -> None:
        """Raise OutOfTime once the time is over; `doing`: what stops, as in 'tracing it'."""
        spent = time.perf_counter() - self._started
        if spent > self.seconds:
            late = spent > 1.5 * self.seconds + 1
            raise OutOfTime(
                f"This network takes more than the time limit of {self.seconds:g} s (stopped while {doing}"
                + (f", after {spent:.0f} s, since a single call cannot be interrupted" if late else "")
                + "): give smaller example inputs, a part of the network, or a larger time_limit."
            )


_running: ContextVar[TimeLimit | None] = ContextVar("time limit", default=None)


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """Whatever calls `check_time` inside ends after so many seconds. Inside of another limit that one holds.

    Raises:
        InputError: not a positive number of seconds.
    """
    token = _running.set(_running.get() or TimeLimit(seconds))
    try:
        yield
    finally:
        _running.reset(token)


def check_time(doing: str) -> None:
    """Raise OutOfTime once the limit that holds is over; nothing where none does."""
    limit = _running.get()
    if limit is not None:
        limit.check(doing)
