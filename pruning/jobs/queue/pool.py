"""The pool: processes that carry out what stands in line, started where there is work and nobody to do it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from pruning.base.errors import PruningError, StorageError
from pruning.base.locks import is_held, try_hold
from pruning.jobs.queue.line import Line
from pruning.jobs.queue.ticket import LANES, WORK
from pruning.settings import settings

PROJECT = Path(__file__).resolve().parents[3]
LOOK_SECONDS = 1.0
"""Between two looks of a keeper: a job whose process was killed waits so long for the next one at most."""
KEEPERS = "keepers.lock"
"""Held by all servers together."""
LARGEST_LOG = 5_000_000
"""Bytes after which the pool's log begins anew."""


def ensure(line: Line) -> int:
    """Start as many processes as there is work for and as may be; how many were started.

    Raises:
        StorageError: one cannot be started.
    """
    return sum(_ensure(line, lane) for lane in LANES)


def keep(line: Line, *, ready: bool = False) -> None:
    """Look after the pool from now on, as long as this process lives: what was killed is replaced. `ready`: processes
    with nothing to do stay for a while, since somebody may ask soon; for a server."""

    def watch() -> None:
        held = None
        while True:
            with contextlib.suppress(PruningError, OSError):  # a full disk may have room again
                held = held or (try_hold(line.root / KEEPERS, shared=True) if ready else None)
                ensure(line)
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=watch, name="keeper of the pool", daemon=True).start()


def is_kept(line: Line) -> bool:
    """Whether a server looks after the pool."""
    return is_held(line.root / KEEPERS, shared=True)


def _ensure(line: Line, lane: str) -> int:
    if not line.tickets():
        return 0
    running = line.running()
    waiting = [ticket for ticket in line.waiting(lane, running) if ticket.process is None]
    if not waiting:
        return 0
    seats = [line.root / "seats" / f"{slot.stem}.lock" for slot in line.paths_of_slots(lane)]
    free = [seat for seat in seats if not is_held(seat)]
    busy = sum(ticket.process is None and ticket.lane == lane for ticket in running)
    idle = len(seats) - len(free) - busy
    return sum(_start(line, seat, lane) for seat in free[: max(0, len(waiting) - idle)])


def _start(line: Line, seat: Path, lane: str) -> bool:
    """Start a process on a free seat, which it holds from before its first breath; False where somebody else did."""
    file = try_hold(seat)
    if file is None:
        return False
    with file:
        log = line.root / "pool.log"
        with contextlib.suppress(OSError):
            if log.stat().st_size > LARGEST_LOG:
                log.unlink()
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "pruning.cli.pool", "--seat", str(file.fileno()), "--lane", lane],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=[file.fileno()],
                    env=environment(settings().queue.threads if lane == WORK else None),
                )
        except OSError as error:
            raise StorageError(f"A process cannot be started ({error.strerror or error}).") from error
    # Somebody has to take note of its end, or the system keeps it as a zombie.
    threading.Thread(target=process.wait, name="process's end", daemon=True).start()
    return True


def environment(threads: int | None) -> dict[str, str]:
    """Of a process that computes: waiting threads sleep instead of spinning, and there are no more than `threads`."""
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_WAIT_POLICY": "PASSIVE"}
    if threads is not None:
        found |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    return found
