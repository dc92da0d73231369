"""A run's folder: recipe.yaml, job.json, events.jsonl, and, once done, result.json, the model and its answers.

States follow from the files alone: `queued` (not begun), `running` (a living process holds worker.lock), `done`
(result.json is there), `cancelled` or `failed` (the last event says so, or the process is gone without a word).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, PruningError, StorageError
from pruning.opening.models import MODEL_FILE, STRUCTURE_FILE, save_model
from pruning.runs.pipeline import Progress, run
from pruning.runs.recipe import Recipe
from pruning.training.answers import save_answers

State = Literal["queued", "running", "done", "cancelled", "failed"]
RECIPE, JOB, EVENTS, RESULT, ANSWERS, CANCEL, LOCK = (
    "recipe.yaml", "job.json", "events.jsonl", "result.json", "answers.safetensors", "cancel", "worker.lock",
)  # fmt: skip
START_SECONDS = 60
"""How long a queued run may take to get a process before it counts as failed."""


@dataclass(frozen=True, kw_only=True)
class RunEvents:
    """What a run has said so far, condensed for a page."""

    last: dict[str, Any]
    training: list[dict[str, Any]]
    """Events of fine-tuning steps: step, steps, loss, seconds, accuracy where measured."""
    stages: list[dict[str, Any]]
    """Accuracies of stages as they came: stage, round, accuracy, accuracy_interval."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its folder shows it."""

    path: Path
    state: State
    recipe: Recipe
    created: datetime
    result: dict[str, Any] | None
    message: str | None
    """Why it failed or was cancelled, in one sentence."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def asked(self) -> tuple[float, float]:
        """The smallest and the largest sparsity that was asked for, over all layers or groups."""
        if self.result is not None:  # only then it is known whether the recipe names every layer
            values = [float(layer["requested"]) for layer in self.result["layers"]]
        else:
            values = [self.recipe.prune.sparsity, *dict(self.recipe.prune.layers).values()]
        return min(values), max(values)

    def events(self) -> RunEvents:
        """Read what the run has said so far."""
        training: list[dict[str, Any]] = []
        stages: list[dict[str, Any]] = []
        last: dict[str, Any] = {}
        for event in _read_events(self.path):
            last = event
            if event.get("stage") == "finetune":
                training.append(event)
            elif "accuracy" in event:
                stages.append(event)
        return RunEvents(last=last, training=training, stages=stages)


def default_runs_dir() -> Path:
    """Where runs are kept: PRUNING_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("PRUNING_RUNS") or "runs").expanduser().resolve()


def create_run(recipe: Recipe, *, data_dir: str | None = None, path: Path | None = None) -> Path:
    """Make the folder of a run that is still to be carried out; `path` must not hold a run yet.

    Raises:
        InputError: the folder is not empty.
        StorageError: it cannot be written.
    """
    if path is None:
        model = "more" if recipe.model.startswith("run:") else recipe.model.rpartition(":")[2]
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        path = default_runs_dir() / f"{stamp}-{model[:40]}-{uuid.uuid4().hex[:4]}"
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} already holds something: name a new or empty folder for the run.")
    with _storage(path):
        path.mkdir(parents=True, exist_ok=True)
        _write(path / JOB, json.dumps({"data_dir": data_dir, "created": datetime.now(UTC).isoformat()}))
        _write(path / RECIPE, recipe.to_yaml())
    return path


def execute(path: Path, *, progress: Progress | None = None, cancel: Cancel | None = None) -> dict[str, Any]:
    """Carry out the run in a folder, writing events, model and result into it; ends in exactly one state.

    Raises:
        PruningError: whatever ended the run; also noted in the folder.
    """
    recipe = Recipe.from_file(path / RECIPE)
    job = _read_json(path / JOB) or {}
    with _held(path / LOCK), (path / EVENTS).open("a", encoding="utf-8") as events:

        def tell(event: dict[str, Any]) -> None:
            events.write(json.dumps({"time": round(time.time(), 3), **event}) + "\n")
            events.flush()
            if progress is not None:
                progress(event)

        def cancelled() -> bool:
            return (path / CANCEL).exists() or (cancel is not None and cancel())

        try:
            with _storage(path):
                outcome = run(recipe, data_dir=job.get("data_dir"), progress=tell, cancel=cancelled)
                part = path / "model.part"
                part.mkdir(exist_ok=True)
                save_model(part, outcome.source, outcome.model, outcome.structure, outcome.held_zero)
                save_answers(part / ANSWERS, outcome.answers)
                for name in (MODEL_FILE, STRUCTURE_FILE, ANSWERS):
                    os.replace(part / name, path / name)
                part.rmdir()
                _write(path / RESULT, json.dumps(outcome.result, indent=1))
                tell({"stage": "done", "text": "Done"})
        except Cancelled as error:
            tell({"stage": "cancelled", "text": str(error)})
            raise
        except PruningError as error:
            _tell_failure(tell, str(error))
            raise
        except Exception as error:
            _tell_failure(tell, f"An error of the explorer itself ended the run: {type(error).__name__}: {error}")
            raise
    return outcome.result


def read_run(path: Path) -> Run:
    """Read a run's folder.

    Raises:
        StorageError: it holds no run, or its recipe is damaged.
    """
    try:
        recipe = Recipe.from_file(path / RECIPE)
    except InputError as error:
        raise StorageError(f"{path.name} holds no readable run: {error}") from error
    job = _read_json(path / JOB) or {}
    try:
        created = datetime.fromisoformat(str(job.get("created")))
    except ValueError:
        created = datetime.fromtimestamp((path / RECIPE).stat().st_mtime, UTC)
    result = _read_json(path / RESULT)
    state, message = _state(path, result, created)
    return Run(path=path, state=state, recipe=recipe, created=created, result=result, message=message)


def list_runs(folder: Path | None = None) -> list[Run]:
    """All readable runs of a folder, newest first; what is not a run is passed over."""
    folder = folder or default_runs_dir()
    runs = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if (path / RECIPE).is_file():
            try:
                runs.append(read_run(path))
            except StorageError:
                continue
    return sorted(runs, key=lambda run: run.created, reverse=True)


def request_cancel(path: Path) -> None:
    """Ask a run to stop at its next step."""
    (path / CANCEL).touch()


def delete_run(path: Path) -> None:
    """Remove a run that is not running.

    Raises:
        InputError: it is running.
    """
    if read_run(path).state == "running":
        raise InputError(f"{path.name} is running: cancel it first.")
    shutil.rmtree(path)


def _state(path: Path, result: dict[str, Any] | None, created: datetime) -> tuple[State, str | None]:
    if result is not None:
        return "done", None
    events = list(_read_events(path))
    last = events[-1] if events else {}
    if last.get("stage") in ("cancelled", "failed"):
        return last["stage"], str(last.get("text"))
    if _is_held(path / LOCK):
        return "running", None
    if (path / CANCEL).exists():
        return "cancelled", "Cancelled before it began."
    age = (datetime.now(UTC) - created).total_seconds()
    if not last and age < START_SECONDS:
        return "queued", None
    return "failed", "Its process ended without a word (killed, or out of memory). Start it again."


def _read_events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with (path / EVENTS).open(encoding="utf-8") as file:
            for line in file:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # a line still being written
                if isinstance(event, dict):
                    yield event
    except FileNotFoundError:
        return


def _tell_failure(tell: Progress, text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk: the folder then shows a process that ended without a word
        tell({"stage": "failed", "text": text})


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _write(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a file is there whole, or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The run could not be written to {path} ({error.strerror or error}): make room or choose another folder."
        ) from error


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a run for this process.

    Raises:
        InputError: another process carries it out.
    """
    with path.open("w") as file:
        for attempt in range(10):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 9:
                    raise InputError(f"{path.parent.name} is already being carried out by another process.") from None
                time.sleep(0.1)  # a page that looks whether the run lives holds the lock for an instant
        yield


def _is_held(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
