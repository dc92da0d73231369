"""One's turn at computing, for what carries its own work out: a command, a notebook, a report."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.jobs.process import Process
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import WORK
from pruning.jobs.queue.worker import is_pool
from pruning.jobs.quiet import computing
from pruning.jobs.status import WAITING

LOOK_SECONDS = 0.1
_THREAD = threading.local()


@contextmanager
def turn(
    kind: str, cancel: Cancel | None = None, waiting: Callable[[str], None] | None = None, *, lane: str = WORK
) -> Iterator[None]:
    """Hold one of the slots of this machine, of which it has as many as jobs are carried out at once. A process of the
    pool has one already, and so has who holds one further out. Inside, it is time to `breathe` between two steps.

    `waiting`: called with a sentence where another job has to end first.

    Raises:
        Cancelled: `cancel()` became true while waiting.
        StorageError: the line cannot be written.
    """
    if is_pool() or getattr(_THREAD, "has_turn", False):
        with _still(lane):
            yield
        return
    line = local_line()
    ticket = line.add(kind=kind, lane=lane, process=Process.own())
    assert ticket is not None, "nothing spoke against it"
    try:
        told = False
        while (claim := line.take(lane, own=ticket.number)) is None:
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while waiting for other work to end.")
            if not told and waiting is not None:
                waiting(WAITING)
                told = True
            time.sleep(LOOK_SECONDS)
    except BaseException:
        line.remove(ticket)
        raise
    done = False
    _THREAD.has_turn = True
    try:
        with _still(lane):
            yield
        done = True
    finally:
        _THREAD.has_turn = False
        claim.give_back(counts=done)


def _still(lane: str) -> contextlib.AbstractContextManager[None]:
    """Who times a network asks the others to stand still, and does not do so."""
    return computing(all_threads=True) if lane == WORK else contextlib.nullcontext()
