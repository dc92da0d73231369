"""Equal requests are one run: a run is found by what it is asked, and of several who ask at once one makes it.

.requests/0a1b...    in the folder of runs: name of the run that answers a request, by its identity
"""

from __future__ import annotations

import os
from pathlib import Path

from pruning.base.errors import PruningError, StorageError
from pruning.base.files import create_file, read_bytes, replace_file
from pruning.repair.recalibrate import has_batch_norm
from pruning.runs.identity import recipe_digest
from pruning.runs.recipe import Recipe
from pruning.runs.run import Run
from pruning.runs.store import create_run, default_runs_dir, read_run
from pruning.subject import Subject

REQUESTS = ".requests"


def run_of(recipe: Recipe, subject: Subject, *, data_dir: str | None = None) -> Run:
    """The run that answers a recipe for a subject: one that is there, whatever its state, or a new one.

    Raises:
        InputError, StorageError, DataError: as `create_run`.
    """
    identity = recipe_digest(
        recipe, weights=subject.digest, data=subject.data.digest, batch_norm=has_batch_norm(subject.model)
    )
    folder = default_runs_dir()
    note = folder / REQUESTS / identity
    found = _found(folder, note)
    if found is not None:
        return found
    made = create_run(recipe, data_dir=data_dir)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        if not create_file(note, made.name.encode()):
            found = _found(folder, note)
            if found is not None:  # somebody asked for the same a moment ago
                _drop(made)
                return found
            replace_file(note, made.name.encode())
    except OSError as error:
        raise StorageError(f"{note.parent} cannot be written ({error.strerror or error}): make room there.") from error
    return read_run(made)


def _found(folder: Path, note: Path) -> Run | None:
    """The run that a note names, if it can be read."""
    try:
        name = (read_bytes(note, most_bytes=1000) or b"").decode()
        if not name or Path(name).name != name or name.startswith("."):
            return None
        return read_run(folder / name)
    except (PruningError, UnicodeDecodeError):
        return None


def _drop(folder: Path) -> None:
    """Remove a run that was made a moment ago, and that nobody knows of."""
    for entry in os.scandir(folder):
        os.unlink(entry.path)
    os.rmdir(folder)
