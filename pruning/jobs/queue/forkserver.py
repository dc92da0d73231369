"""The process that forks those of the pool: it imports once what is large, and computes nothing itself.

A fork begins at once, and shares the memory of all that was imported with the others: a process that imports torch by
itself begins after two seconds, and takes some 300 MB of its own for it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

from pruning import settings
from pruning.base.errors import PruningError
from pruning.base.locks import try_hold
from pruning.jobs.queue import pool
from pruning.jobs.queue.line import Line
from pruning.jobs.queue.worker import LOOK_SECONDS, UNKEPT_SECONDS

STAMP_SECONDS = 5.0
"""Between two looks at whether the code, or the settings, have changed."""


def run(line: Line, work: Callable[[str], None], lock: FileIO) -> None:
    """Fork a process wherever a lane lacks one, until nobody needs them any more, or what was imported has changed:
    the next one imports it anew. `work`: what a process of a lane does. `lock`: held as long as this process lives."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # or the collector writes into pages that the processes share
    stamp, looked, needed = _stamp(), time.monotonic(), time.monotonic()
    while True:
        with suppress(PruningError, OSError):  # a full disk may have room again, and a full machine too
            for lane, seat in pool.free_seats(line):
                _fork(seat, lane, work, lock)
        now = time.monotonic()
        if _has_children() or line.tickets() or pool.is_kept(line):
            needed = now
        elif now - needed > UNKEPT_SECONDS:
            return
        if now - looked > STAMP_SECONDS:
            looked = now
            if _stamp() != stamp:
                return
        time.sleep(LOOK_SECONDS)


def _fork(seat: Path, lane: str, work: Callable[[str], None], lock: FileIO) -> None:
    """One process on a free seat, which it holds as long as it lives; none where somebody else took it."""
    held = try_hold(seat)
    if held is None:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    with held:
        if os.fork():
            return
        status = 1
        try:
            os.setsid()
            lock.close()
            work(lane)
            status = 0
        except BaseException:  # whatever it is: this process must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _has_children() -> bool:
    """Whether a process that was forked lives; takes note of the end of those that do not."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _stamp() -> dict[Path, int]:
    """When the settings and each file of the code were changed last."""
    named = os.environ.get(settings.VARIABLE)
    found = {}
    for file in [*([Path(named)] if named else []), *(pool.PROJECT / "pruning").rglob("*.py")]:
        with suppress(OSError):
            found[file] = file.stat().st_mtime_ns
    return found
