"""The pool: processes that carry out what stands in line. One of them forks the others (`forkserver`); here it is
started where there is work and it does not run, by whoever asks for a job or looks how one stands."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from io import FileIO
from pathlib import Path

from pruning.base.errors import PruningError, StorageError
from pruning.base.locks import is_held, try_hold
from pruning.jobs.queue.line import Line

PROJECT = Path(__file__).resolve().parents[3]
LOOK_SECONDS = 1.0
"""Between two looks of a keeper: where the process that forks was killed, a job waits so long for the next at most."""
KEEPERS = "keepers.lock"
"""Held by all servers together."""
FORKSERVER = "forkserver.lock"
"""Held by the process that forks the others, as long as it lives."""
LARGEST_LOG = 5_000_000
"""Bytes after which the pool's log begins anew."""


def ensure(line: Line) -> bool:
    """Where something waits for the pool, see to it that the process that forks runs; whether it was started now.

    Raises:
        StorageError: it cannot be started.
    """
    return not is_held(line.root / FORKSERVER) and any(one.process is None for one in line.tickets()) and _start(line)


def keep(line: Line) -> None:
    """Look after the pool from now on, as long as this process lives: what was killed is replaced, and processes with
    nothing to do stay for a while, since somebody may ask soon. For a server."""

    def watch() -> None:
        held = None
        while True:
            with contextlib.suppress(PruningError, OSError):  # a full disk may have room again
                held = held or try_hold(line.root / KEEPERS, shared=True)
                if not is_held(line.root / FORKSERVER):
                    _start(line)
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=watch, name="keeper of the pool", daemon=True).start()


def is_kept(line: Line) -> bool:
    """Whether a server looks after the pool."""
    return is_held(line.root / KEEPERS, shared=True)


def free_seats(line: Line) -> list[tuple[str, Path]]:
    """Lanes that lack processes, as many as there is work for and as may be, each with the lock of one."""
    mine = [ticket for ticket in line.tickets() if ticket.process is None]
    found = []
    for lane in {ticket.lane for ticket in mine}:
        claimed = [line.is_claimed(ticket) for ticket in mine if ticket.lane == lane]
        seats = [line.root / "seats" / f"{slot.stem}.lock" for slot in line.paths_of_slots(lane)]
        free = [seat for seat in seats if not is_held(seat)]
        idle = len(seats) - len(free) - sum(claimed)
        found += [(lane, seat) for seat in free[: max(0, claimed.count(False) - idle)]]
    return found


def _start(line: Line) -> bool:
    """Start the process that forks, which holds its lock from before its first breath; False where somebody else
    did."""
    file = try_hold(line.root / FORKSERVER)
    if file is None:
        return False
    with file:
        log = line.root / "pool.log"
        with contextlib.suppress(OSError):
            if log.stat().st_size > LARGEST_LOG:
                log.unlink()
        try:
            with log.open("ab") as output:
                process = _popen(file, output.fileno())
        except OSError as error:
            raise StorageError(f"A process cannot be started ({error.strerror or error}).") from error
    # Somebody has to take note of its end, or the system keeps it as a zombie.
    threading.Thread(target=process.wait, name="process's end", daemon=True).start()
    return True


def _popen(lock: FileIO, output: int) -> subprocess.Popen[bytes]:
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "pruning.cli.pool", "--lock", str(lock.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=[lock.fileno()],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_WAIT_POLICY": "PASSIVE",  # waiting threads sleep instead of spinning
            "OPENBLAS_NUM_THREADS": "1",  # NumPy starts its threads when it is imported, and what forks has one alone
        },
    )
