"""Turns within one process: its threads compute one at a time, so that they neither slow nor time each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_COMPUTING = threading.RLock()


@contextmanager
def computing() -> Iterator[None]:
    """One thread computes at a time: side by side they would only slow each other down, and spoil each other's
    timings."""
    with _COMPUTING:
        yield
