"""Turns within one process: what its threads compute in one go (an evaluation, a short training) they compute one at a
time, and stand still while somebody times a network. What-if has a lane of its own (`pruning.whatif.lane`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pruning.base.cancel import Cancel
from pruning.base.errors import StorageError
from pruning.jobs import quiet as machine

_COMPUTING = threading.RLock()
_TIMING = threading.Lock()
_THREAD = threading.local()


@contextmanager
def computing() -> Iterator[None]:
    """One thread computes at a time: side by side they would only slow each other down."""
    with _COMPUTING, ExitStack() as held:
        if not getattr(_THREAD, "times", False):
            with suppress(StorageError):  # a cache that cannot be written: then nobody can ask for quiet either
                held.enter_context(machine.computing())
        yield


@contextmanager
def quiet(cancel: Cancel | None = None) -> Iterator[None]:
    """For a timing of a second or two: this process computes nothing else, and whoever computes on this machine stands
    still for as long as a timing may ask that (`pruning.jobs.quiet.PAUSE`). Who times waits for who timed before.

    Raises:
        Cancelled: `cancel()` became true while waiting for another process that times.
    """
    with _TIMING, _COMPUTING, ExitStack() as held:
        with suppress(StorageError):
            held.enter_context(machine.quiet(cancel))
        _THREAD.times = True
        held.callback(setattr, _THREAD, "times", False)
        yield
