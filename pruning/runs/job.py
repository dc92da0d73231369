"""A run as work in another process: its folder is its job's, in which one attempt after the other may stand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pruning.base.errors import StorageError
from pruning.base.remembered import Remembered
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.manifest import MANIFEST, Manifest
from pruning.jobs.status import Status
from pruning.runs import earlier
from pruning.runs.events import Condensed, RunEvents
from pruning.runs.order import Order, read_order

TAKEN_UP = ("resume", "prune", "done")
"""Stages with which an attempt begins to tell where a run stands."""
FOLLOWED = 64
"""Runs whose events are kept in memory, those that were asked for last."""


def job_of(folder: Path) -> Job:
    """The job of the run in a folder."""
    return Job.in_folder(folder)


def read_status(folder: Path, order: Order | None = None) -> Status:
    """How a run stands. `order`: where it was read already.

    Raises:
        StorageError: what was said when it was asked for is damaged, or the folder cannot be read.
    """
    last = job_of(folder).last()
    if last is None:
        return earlier.read_status(folder, order or read_order(folder))
    try:
        ended = _MANIFESTS(folder / last.folder / MANIFEST)
    except StorageError as error:
        return Status(state="failed", text=str(error))
    if ended is not None:
        return Status(state=ended.state, text=ended.text)
    return _follow(folder)[0].status() or last.status()


def read_events(folder: Path) -> RunEvents:
    """What a run has told so far; what is damaged is passed over. Each look reads only what is new.

    Raises:
        StorageError: the folder cannot be read.
    """
    follower, condensed = _follow(folder)
    attempts = follower.events_by_attempt()
    events = attempts[-1] if attempts else earlier.read_events(folder)
    if len(attempts) > 1 and not any(event.get("stage") in TAKEN_UP for event in events):
        events = attempts[-2]  # until the new one says where it goes on
    return condensed.add(events)


def request_cancel(folder: Path, visitor: str | None = None) -> None:
    """Take back a visitor's wish for a run, and where nobody else has one ask it to stop at its next step, or not to
    begin; None stands for everybody.

    Raises:
        StorageError: that cannot be written.
    """
    job = job_of(folder)
    if job.last() is not None:
        job.request_cancel(visitor)
    elif earlier.is_held(folder):
        try:
            earlier.request_cancel(folder)
        except OSError as error:
            raise StorageError(f"{folder.name} cannot be cancelled ({error.strerror or error}).") from error
    elif (attempt := job.ask()) is not None:
        attempt.end("cancelled", "Cancelled before it began.")


@lru_cache(maxsize=FOLLOWED)
def _follow(folder: Path) -> tuple[Follower, Condensed]:
    return Follower(job_of(folder)), Condensed()


def _read_manifest(path: Path) -> Manifest | None:
    content = Job.in_folder(path.parent).store.read(path.name)
    return None if content is None else Manifest.from_bytes(content, path.name)


_MANIFESTS: Remembered[Manifest | None] = Remembered(_read_manifest, most=5000)
