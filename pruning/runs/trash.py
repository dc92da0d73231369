"""Deleted runs, kept for some days: whole folders in `.trash` beside the others, brought back by a rename.

A run that several visitors asked for leaves the one who deletes it and stays with the others.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pruning.base.errors import InputError, StorageError, excerpt
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, disown, owners, wish
from pruning.runs.engines import stop_engines
from pruning.runs.files import default_runs_dir
from pruning.runs.labels import NO_LABEL, Label, read_labels, write_label
from pruning.runs.run import Run
from pruning.runs.store import read_folder, read_run
from pruning.runs.times import stop_times

TRASH = ".trash"
"""In the folder of runs; listings pass over names with a dot in front."""
_ENTRY = re.compile(r"(\d{8}T\d{6}\d{6})-(.+)", re.DOTALL)
_MOMENT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """A deleted run."""

    name: str
    """Of its folder, when it was among the runs."""
    path: Path
    """Where it lies now."""
    at: datetime
    """When it was deleted."""


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """What a deletion did, so that it can be undone."""

    name: str
    entry: Path | None
    """Where the run lies now; None where others asked for it too, and only the visitor's wish was taken back."""
    visitor: str
    label: Label = NO_LABEL
    """What the visitor called it."""


def delete_run(path: Path, visitor: str = OWNER) -> Deleted:
    """Delete a run that is not going on: it can be brought back for some days. Where others asked for it too, a visitor
    takes back only their own wish; the owner of the machine deletes for everybody.

    Raises:
        InputError: it is running or waits for its turn, or the visitor did not ask for it.
        StorageError: it holds no run, or cannot be moved.
    """
    if read_run(path).state == "running" or Job.in_folder(path).is_working:
        raise InputError(f"{path.name} is running or waits for its turn: cancel it first.")
    store = LocalStore.at(path)
    if visitor != OWNER:
        asked = owners(store)
        if visitor not in asked:
            raise InputError(f"{path.name} is somebody else's run: only they can delete it.")
        if asked != {visitor}:
            label = read_labels(store).get(visitor, NO_LABEL)
            write_label(store, NO_LABEL, visitor)
            disown(store, visitor)
            return Deleted(name=path.name, entry=None, visitor=visitor, label=label)
    if not (stop_times(path) and stop_engines(path)):
        raise InputError(f"{path.name} is being timed: try again in a moment.")
    entry = path.parent / TRASH / f"{datetime.now(UTC):{_MOMENT}}-{path.name}"
    _move(path, entry)
    return Deleted(name=path.name, entry=entry, visitor=visitor)


def undo(deleted: Deleted, runs: Path) -> Path:
    """Take a deletion back; the run's folder.

    Raises:
        InputError: it is gone for good, or another folder has its name now.
        StorageError: it cannot be moved.
    """
    if deleted.entry is not None:
        return _bring_back(deleted.name, deleted.entry, runs)
    path = runs / deleted.name
    if not path.is_dir():
        raise InputError(f"{deleted.name} was deleted by everybody who asked for it meanwhile.")
    store = LocalStore.at(path)
    wish(store, deleted.visitor)
    if not deleted.label.is_empty:
        write_label(store, deleted.label, deleted.visitor)
    return path


def trashed(runs: Path) -> list[Trashed]:
    """The deleted runs of a folder, the last one first.

    Raises:
        StorageError: the folder cannot be read.
    """
    try:
        names = os.listdir(runs / TRASH)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"The deleted runs in {runs} cannot be read ({error.strerror or error}).") from error
    found = []
    for name in names:
        match = _ENTRY.fullmatch(name)
        if match is None:
            continue  # none of ours
        try:
            at = datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(Trashed(name=match[2], path=runs / TRASH / name, at=at))
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def references_in_trash(runs: Path) -> set[str]:
    """References that deleted runs name, so that what they need is there when they are brought back."""
    found = [read_folder(one.path) for one in trashed(runs)]
    return {text for run in found if isinstance(run, Run) for text in (run.recipe.model, run.origin, run.recipe.data)}


def named_references() -> set[str]:
    """All references that runs name, deleted ones too: what they name is still needed.

    Raises:
        StorageError: the folder of runs cannot be read.
    """
    from pruning.runs.index.index import looked

    return looked(everything=True).references() | references_in_trash(default_runs_dir())


def undelete(name: str, runs: Path) -> Path:
    """Bring a deleted run back by its name, the last one where several had it; its folder.

    Raises:
        InputError: there is none, or another folder has its name now.
        StorageError: it cannot be moved.
    """
    entries = trashed(runs)
    found = next((one for one in entries if one.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [one.name for one in entries], n=1, cutoff=0.4)
        hint = f" Did you mean {excerpt(near[0])}?" if near else ""
        raise InputError(f"No deleted run is called {excerpt(name)}.{hint} 'runs list --deleted' shows all.")
    return _bring_back(found.name, found.path, runs)


def purge(entries: Sequence[Trashed]) -> None:
    """Remove deleted runs for good.

    Raises:
        StorageError: one cannot be removed.
    """
    for one in entries:
        remove_for_good(one.path)


def remove_for_good(path: Path) -> None:
    """Remove a folder, or a link to one; nothing where it is gone already.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{path.name} cannot be removed ({error.strerror or error}).") from error


def _bring_back(name: str, entry: Path, runs: Path) -> Path:
    path = runs / name
    if not os.path.lexists(entry):
        raise InputError(f"{excerpt(name)} is gone for good: deleted runs are kept for some days only.")
    if os.path.lexists(path):
        raise InputError(f"Another run is called {excerpt(name)} now: rename its folder first.")
    _move(entry, path)
    return path


def _move(path: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be moved ({error.strerror or error}).") from error
