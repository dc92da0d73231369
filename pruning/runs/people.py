"""Whose a run is: of several people on one server, each sees what they asked for."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, owners
from pruning.runs.run import Run
from pruning.runs.summary import Summary


def runs_beside(run: Run, runs: Sequence[Summary]) -> Sequence[Summary]:
    """Those of the runs of its folder that a report of a run may tell of: all for the machine's owner, else those that
    somebody asked for who asked for this one.

    Raises:
        StorageError: a folder cannot be read.
    """
    people = owners(LocalStore.at(run.path))
    return runs if OWNER in people else [one for one in runs if owners(LocalStore.at(one.path)) & people]
