"""The line of this machine, as its owner's settings say."""

from __future__ import annotations

import os

from pruning.base.files import cache_dir
from pruning.jobs.queue.line import Line
from pruning.settings import settings


def local_line() -> Line:
    """The line of this machine.

    Raises:
        InputError, StorageError: the settings are wrong.
    """
    queue = settings().queue
    return Line(
        cache_dir() / "queue",
        slots=queue.workers or cores(),
        most=queue.most_waiting,
        most_each=queue.most_waiting_each,
    )


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
