"""One process of the pool: takes job after job, so that what is large is imported once, and makes room for a new one in
time."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pruning.base.errors import PruningError, StorageError
from pruning.jobs.attempt import LOG, Attempt
from pruning.jobs.job import Job
from pruning.jobs.priority import step_back
from pruning.jobs.queue.line import Claim, Line
from pruning.jobs.queue.pool import is_kept
from pruning.jobs.queue.ticket import WORK
from pruning.jobs.store import LocalStore
from pruning.jobs.work import Work
from pruning.settings.tables import Queue

CarryOut = Callable[[Sequence[str], Work], None]
"""Carries a command out as an attempt at a job."""
LOOK_SECONDS = 0.1
"""Between two looks at the line while there is nothing to do."""
PATIENCE = 1.2
"""Seconds that a job has to stop by itself once nobody wants it; then its process ends."""
MOST_DEATHS = 4
"""Processes that a job may lose one after the other without getting any further."""
UNKEPT_SECONDS = 3
"""That a process waits for more to do where no server looks after the pool."""
WENT_ON = "Its process was killed; the next attempt went on."
_WORKING_ON: list[Claim] = []


def serve(line: Line, carry_out: CarryOut, limits: Queue, lane: str = WORK, parent: int | None = None) -> None:
    """Take job after job until nobody needs this process any more, or the one that forked it, `parent`, is gone."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))  # as when it is killed: another one goes on
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if lane == WORK:
        step_back()
    served, needed = 0, time.monotonic()
    while served < limits.jobs_per_worker and _memory_mb() < limits.memory_mb and parent in (None, os.getppid()):
        claim = line.take(lane) if line.tickets() else None
        if claim is not None:
            _carry_out(claim, carry_out)
            served, needed = served + 1, time.monotonic()
            _tidy()
        elif time.monotonic() - needed > (limits.idle_seconds if is_kept(line) else UNKEPT_SECONDS):
            return
        else:
            time.sleep(LOOK_SECONDS)


def is_pool() -> bool:
    """Whether this process carries out a job of the line, and so has its turn."""
    return bool(_WORKING_ON)


def _carry_out(claim: Claim, carry_out: CarryOut) -> None:
    """One job, from its claim to its end, whatever becomes of it."""
    job = Job.in_folder(Path(claim.ticket.job))
    try:
        attempt = begin(job, claim)
    except PruningError:  # its folder is gone, or the disk full: nothing can be said there
        traceback.print_exc()
        claim.give_back(counts=False)
        return
    done = False
    if attempt is not None:
        assert isinstance(attempt.store, LocalStore), "begun in a folder"
        _WORKING_ON.append(claim)
        try:
            log = attempt.store.path(f"{attempt.folder}/{LOG}")
            with _printing_to(log):
                done = _attempt(attempt, claim, carry_out) and attempt.number == 1
        except PruningError:  # the log cannot be written
            traceback.print_exc()
        finally:
            _WORKING_ON.clear()
    claim.give_back(counts=done)


def _attempt(attempt: Attempt, claim: Claim, carry_out: CarryOut) -> bool:
    """Whether it was done; what went wrong is printed, and told in the attempt."""
    try:
        with attempt.working() as work, _stopped_in_time(work, claim):
            carry_out(claim.ticket.arguments, work)
    except PruningError as error:
        print(f"Error: {error}", file=sys.stderr)
    except Exception:  # the next job may do better
        traceback.print_exc()
    else:
        return True
    return False


def begin(job: Job, claim: Claim) -> Attempt | None:
    """The attempt that a claimed ticket stands for: a new one where a process was killed over the last; None where
    there is nothing left to do."""
    last = job.last()
    if last is None or last.manifest is not None:
        return None
    if not last.has_begun:
        return last
    if last.is_cancelling:
        last.end("cancelled", "Cancelled.")
        return None
    deaths = _deaths(job.attempts())
    if deaths >= MOST_DEATHS:
        last.end("failed", f"Its process was killed {deaths} times before it got any further (out of memory, perhaps).")
        return None
    following = Attempt(job.store, last.number + 1)
    if not following.ask(claim.line, claim.ticket.number):
        return None
    last.end("failed", WENT_ON)
    return following


def _deaths(attempts: Sequence[Attempt]) -> int:
    """How many processes a job lost since it last got further; `attempts`: the last of them is of the last process."""
    deaths = 0
    for attempt in reversed(attempts):
        manifest = attempt.manifest
        if attempt.went_further or (manifest is not None and manifest.text != WENT_ON):
            break
        deaths += 1
    return deaths


@contextmanager
def _stopped_in_time(work: Work, claim: Claim) -> Iterator[None]:
    """End the whole process where the work inside goes on though nobody wants it any more."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            if work.is_cancelled and not ended.wait(PATIENCE):
                work.end("cancelled", "Cancelled.")
                claim.line.remove(claim.ticket)
                os._exit(1)

    watching = threading.Thread(target=watch, name="stopped in time", daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()


@contextmanager
def _printing_to(path: Path) -> Iterator[None]:
    """What is printed, also by libraries, goes into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = [(number, os.dup(number)) for number in (1, 2)]
    try:
        try:
            with path.open("ab", buffering=0) as log:
                for number, _ in before:
                    os.dup2(log.fileno(), number)
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in before:
            os.dup2(saved, number)
            os.close(saved)


def _memory_mb() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, ValueError, IndexError):
        return 0.0


def _tidy() -> None:
    """Give back what the last job left."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
