"""Start a run in a process of its own."""

from __future__ import annotations

from pathlib import Path

from pruning.jobs.executor import LocalExecutor
from pruning.runs.job import job_of


def start_run(folder: Path) -> None:
    """Have a process of its own carry out the run in a folder, unless one is on it already.

    Raises:
        StorageError: the process cannot be started.
    """
    LocalExecutor().submit(["worker", str(folder)], job_of(folder))
