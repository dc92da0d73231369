"""Turns within one process: what its threads compute in one go (an evaluation, a short training) they compute one at a
time, and stand still while somebody times a network. What-if has a lane of its own (`pruning.whatif.lane`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pruning.base.errors import StorageError
from pruning.jobs import quiet as machine

_COMPUTING = threading.RLock()


@contextmanager
def computing() -> Iterator[None]:
    """One thread computes at a time: side by side they would only slow each other down."""
    with _COMPUTING, ExitStack() as held:
        with suppress(StorageError):  # a cache that cannot be written: then nobody can ask for quiet either
            held.enter_context(machine.computing())
        yield
