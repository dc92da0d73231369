"""Start a run in a process of its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pruning.base.errors import StorageError
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.wishes import OWNER, wish
from pruning.runs.job import job_of


def start_run(folder: Path, visitor: str = OWNER, expected: float | None = None) -> None:
    """Have a process of its own carry out the run in a folder on a visitor's wish, unless one is on it already or
    it is done. `expected`: seconds that it should take.

    Raises:
        InputError: too many jobs wait.
        StorageError: the process cannot be started.
    """
    job = job_of(folder)
    before = job.status()
    if before is not None and before.state == "done":
        wish(job.store, visitor)
    else:
        LocalExecutor().submit(["worker", str(folder)], job, kind="run", visitor=visitor, expected=expected)
    _index(folder)


def give_to(folder: Path, visitor: str) -> None:
    """Let a finished run that was taken in be a visitor's.

    Raises:
        StorageError: it cannot be written.
    """
    wish(job_of(folder).store, visitor)
    _index(folder)


def _index(folder: Path) -> None:
    """Lists show the run from now on, among thousands as well."""
    from pruning.runs.index.index import index_of

    with suppress(StorageError):
        index_of(folder.parent).reread(folder.name)
