"""Start a run in a process of its own."""

from __future__ import annotations

from pathlib import Path

from pruning.jobs.local import launch
from pruning.runs.files import LOG


def start_run(folder: Path) -> None:
    """Have a process of its own carry out the run in a folder.

    Raises:
        StorageError: the process cannot be started.
    """
    launch(["worker", str(folder)], folder / LOG)
