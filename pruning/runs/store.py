"""Run folders: made, carried out, read, listed and removed. A run is whole in its folder, and nowhere else."""

from __future__ import annotations

import os
import re
import textwrap
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pruning.base import safe_json
from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, StorageError, excerpt
from pruning.base.files import read_bytes, replace_file
from pruning.base.remembered import Remembered
from pruning.catalog import openers
from pruning.data import readers
from pruning.jobs.attempt import Attempt
from pruning.jobs.status import Status
from pruning.jobs.work import Work
from pruning.runs.checkpoint import Checkpoint, Checkpoints
from pruning.runs.events import words_of
from pruning.runs.files import ANSWERS, HELD, JOB, MODEL, RECIPE, RESULT, STAGES, STRUCTURE, default_runs_dir
from pruning.runs.held import files_of, held_text
from pruning.runs.job import job_of, read_status
from pruning.runs.order import Order, order_text, read_order
from pruning.runs.pipeline import Progress, run
from pruning.runs.recipe import Recipe
from pruning.runs.result import Result
from pruning.runs.result_json import read_result, to_values
from pruning.runs.run import Run
from pruning.runs.saved_model import save_model
from pruning.runs.times import with_times
from pruning.training.answers import save_answers

LONGEST_REASON = 400
"""Characters of why a recipe cannot be read: it may quote a name of thousands."""
LONGEST_NAME = 255
"""Characters of a folder's name."""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A folder among the runs that cannot be shown as one: damaged, of a later version, or none at all."""

    path: Path
    reason: str
    """In one sentence."""

    @property
    def name(self) -> str:
        """Of the folder, as it can stand in a line: what in it is no UTF-8 or cannot be printed becomes '?'."""
        return excerpt(self.path.name, LONGEST_NAME)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a folder of runs holds."""

    runs: tuple[Run, ...] = ()
    """Newest first."""
    unreadable: tuple[Unreadable, ...] = ()
    """By name."""


def create_run(recipe: Recipe, *, data_dir: str | None = None, path: Path | None = None) -> Path:
    """Make the folder of a run that is still to be carried out; `path` must not hold a run yet. Paths in its recipe
    become such as hold from any folder.

    Raises:
        InputError: the folder is not empty.
        StorageError: it cannot be written, or a file that the network refers to cannot be read.
        DataError: it cannot be told what the images are.
    """
    if path is None:
        model = "more" if recipe.continues else _folder_name(recipe.model)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        path = default_runs_dir() / f"{stamp}-{model}-{uuid.uuid4().hex[:12]}"
    check_free(path)
    recipe = recipe.replace(model=openers.absolute(recipe.model), data=readers.absolute(recipe.data))
    files = files_of(recipe)
    with _storage(path):
        path.mkdir(parents=True, exist_ok=True)
        replace_file(path / JOB, order_text(data_dir=data_dir))
        if files:
            replace_file(path / HELD, held_text(files))
        replace_file(path / RECIPE, recipe.to_yaml().encode())
    return path


def check_free(path: Path) -> None:
    """Raises InputError where a folder cannot become that of a new run, since it holds something."""
    try:
        held = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise InputError(f"{path} cannot be a run's folder ({error.strerror or error}): name another one.") from error
    if held:
        raise InputError(f"{path} already holds something: name a new or empty folder for the run.")


def execute(
    path: Path,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    work: Work | None = None,
    again: bool = False,
) -> Result:
    """Carry out the run in a folder, writing model and result into it and telling its events; ends in exactly one
    state. `work`: of the attempt that this process was started for. `again`: also one that was cancelled. It goes on
    from where it was stopped.

    Raises:
        InputError: another process carries it out, or it is done.
        PruningError: whatever ended the run; also noted in the folder.
    """
    recipe = Recipe.from_file(path / RECIPE)
    order = read_order(path)
    if work is None:
        _check_open(path, order, again)
    with job_of(path).working(work) as work, _storage(path):

        def tell(event: dict[str, Any]) -> None:
            work.tell(event)
            if said := words_of(event):
                work.say(*said)
            if progress is not None:
                progress(event)

        checkpoints = Checkpoints(
            path,
            attempt=work.attempt,
            flush=work.flush,
            kept=work.note_progress,
            taken_up=lambda kept: _tell_again(path, kept, work),
        )
        outcome = run(
            recipe, data_dir=order.data_dir, progress=tell, cancel=work.cancel_or(cancel), checkpoints=checkpoints
        )
        part = path / "model.part"
        part.mkdir(exist_ok=True)
        save_model(part, outcome.model, outcome.structure)
        save_answers(part / ANSWERS, outcome.answers)
        files = [MODEL, STRUCTURE, ANSWERS]
        if outcome.stages:
            save_answers(part / STAGES, outcome.stages)
            files.append(STAGES)
        for name in files:
            os.replace(part / name, path / name)
        part.rmdir()
        replace_file(path / RESULT, safe_json.dump(to_values(outcome.result), indent=1))
        for name in (*files, RESULT):
            work.keep(name)
        checkpoints.forget()
        tell({"stage": "done", "text": "Done"})
    return outcome.result


def _tell_again(path: Path, kept: Checkpoint, work: Work) -> None:
    """What was told until a checkpoint: the curve of a run that goes on begins where the run began."""
    earlier = Attempt(job_of(path).store, kept.attempt)
    for event in earlier.log.read()[: kept.events]:
        work.tell(event)


def _folder_name(reference: str) -> str:
    """A network's name as it can stand in that of a folder: options may hold paths.

    >>> _folder_name("torchvision:resnet18?weights=/mine/net.pt"), _folder_name("file:/mine/net.py:build")
    ('resnet18', 'build')
    """
    return re.sub(r"[^\w.-]", "_", reference.partition("?")[0].rpartition(":")[2])[:40]


def _check_open(path: Path, order: Order, again: bool) -> None:
    """Raises InputError for a run that is done, and Cancelled for one that shall not be carried out, unless `again`."""
    before = read_status(path, order)
    if before.state == "done":
        raise InputError(f"{path.name} was carried out already: make a new run of its recipe.")
    if before.state == "cancelled" and not again:
        raise Cancelled(before.text)


def read_run(path: Path) -> Run:
    """Read a run's folder. What did not change since it was last read is not parsed again.

    Raises:
        StorageError: it holds no run, is damaged, or was made by a later version of the explorer.
    """
    try:
        return _read(path)
    except StorageError as error:
        raise StorageError(f"{excerpt(path.name, 100)} holds no readable run: {error}") from error


def read_runs(folder: Path | None = None) -> Listing:
    """All runs of a folder, and the folders in it that cannot be read as one. Files in it, and what has a name with a
    dot in front, are passed over.

    Raises:
        StorageError: the folder itself cannot be read.
    """
    folder = folder or default_runs_dir()
    found = [read_folder(path) for path in folders_of_runs(folder)]
    runs = [run for run in found if isinstance(run, Run)]
    unreadable = [other for other in found if isinstance(other, Unreadable)]
    return Listing(
        runs=tuple(sorted(runs, key=lambda run: run.created, reverse=True)),
        unreadable=tuple(sorted(unreadable, key=lambda one: one.name)),
    )


def read_folder(path: Path) -> Run | Unreadable:
    """The run in a folder, or why it cannot be shown as one."""
    try:
        return _read(path)
    except StorageError as error:
        return Unreadable(path=path, reason=_plain(str(error)))


def list_runs(folder: Path | None = None) -> list[Run]:
    """All readable runs of a folder, newest first; what is not a run is passed over.

    Raises:
        StorageError: the folder itself cannot be read.
    """
    return list(read_runs(folder).runs)


def _read(path: Path) -> Run:
    if _plain(path.name) != path.name:
        raise StorageError("Its name is no UTF-8 text: rename it.")
    recipe = _RECIPES(path / RECIPE)
    order = read_order(path)
    status = read_status(path, order)
    result = _RESULTS(path / RESULT) if status.state == "done" else None
    if result is not None and result.recipe != recipe:
        raise StorageError(f"Its {RESULT} is of another recipe than the {RECIPE} beside it.")
    if result is None and status.state == "done":
        status = Status(state="failed", text=f"Its {RESULT} is gone.")
    if result is not None:
        result = with_times(result, path)
    return Run(
        path=path,
        state=status.state,
        recipe=recipe,
        created=order.created,
        brought=order.brought,
        data_dir=order.data_dir,
        result=result,
        message=status.text if status.state in ("cancelled", "failed") else None,
    )


def folders_of_runs(folder: Path) -> list[Path]:
    """What is in a folder and is, or should be, that of a run: files, and names with a dot in front, are none.

    Raises:
        StorageError: the folder itself cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"The runs in {folder} cannot be read ({error.strerror or error}).") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads nowhere, or in a circle, counts as one: it was meant to be."""
    try:
        return entry.is_dir() or (entry.is_symlink() and not entry.is_file())
    except OSError:
        return True


def _read_recipe(path: Path) -> Recipe:
    content = read_bytes(path)
    if content is None:
        raise StorageError(f"It holds no run: there is no {path.name} in it.")
    try:
        return Recipe.from_yaml(content.decode())
    except UnicodeDecodeError as error:
        raise StorageError(f"{path.name} is damaged: byte {error.start:,} of it is no UTF-8 text.") from error
    except InputError as error:
        raise StorageError(textwrap.shorten(str(error), LONGEST_REASON, placeholder=" …")) from error


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The run could not be written to {path} ({error.strerror or error}): make room or choose another folder."
        ) from error


def _plain(text: str) -> str:
    """A text as it can be written down."""
    return text.encode(errors="replace").decode()


_RECIPES = Remembered(_read_recipe, most=5000)
_RESULTS = Remembered(read_result, most=5000)
