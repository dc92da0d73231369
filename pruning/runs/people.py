"""Whose a run is: of several people on one server, each sees what they asked for."""

from __future__ import annotations

from pathlib import Path

from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, owners
from pruning.runs.run import Run
from pruning.runs.store import list_runs


def people(folder: Path) -> frozenset[str]:
    """Whose a run is: names of visitors, and OWNER for the one whose machine it is.

    Raises:
        StorageError: the folder cannot be read.
    """
    return owners(LocalStore.at(folder))


def runs_beside(run: Run) -> list[Run]:
    """The runs of its folder that a report of a run may tell of: all for the machine's owner, else those that somebody
    asked for who asked for this one.

    Raises:
        StorageError: the folder cannot be read.
    """
    runs, asked = list_runs(run.path.parent), people(run.path)
    return runs if OWNER in asked else [one for one in runs if people(one.path) & asked]
