"""How far the work on a run is: what it has said, and whether a process works on it.

States follow from the files alone: `queued` (not begun), `running` (a living process holds the lock), `done` (the
result is there), `cancelled` or `failed` (the last event says so, or the process is gone without a word).
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pruning.base import safe_json
from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import read_bytes
from pruning.base.remembered import Remembered
from pruning.runs.files import CANCEL, EVENTS, JOB, LOCK, RECIPE

State = Literal["queued", "running", "done", "cancelled", "failed"]
START_SECONDS = 60
"""How long a queued run may take to get a process before it counts as failed."""
LONGEST_TEXT = 2000
"""Characters of a message that an event carries; longer ones are cut."""


@dataclass(frozen=True, kw_only=True)
class RunEvents:
    """What a run has said so far, condensed for a page."""

    last: dict[str, Any]
    training: list[dict[str, Any]]
    """Events of fine-tuning steps: round, step, steps, loss, seconds, accuracy where measured."""
    stages: list[dict[str, Any]]
    """Accuracies of stages as they came: stage, round, accuracy, accuracy_interval."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What whoever asked for a run said beside the recipe."""

    created: datetime
    data_dir: str | None
    """Folder or zip with the images; None for the usual places."""


def read_order(folder: Path) -> Order:
    """What was said when the run was asked for; a run that keeps no word of it was made when its recipe was written.

    Raises:
        StorageError: it is damaged.
    """
    order = _ORDERS(folder / JOB)
    if order is not None:
        return order
    try:
        written = (folder / RECIPE).stat().st_mtime
    except OSError as error:
        raise StorageError(f"{folder.name} cannot be read ({error.strerror or error}).") from error
    return Order(created=datetime.fromtimestamp(written, UTC), data_dir=None)


def order_text(*, data_dir: str | None) -> bytes:
    """An order of this moment, to be written into a new folder."""
    return safe_json.dump({"data_dir": data_dir, "created": datetime.now(UTC).isoformat()})


def read_events(folder: Path) -> RunEvents:
    """All that a run has said; what is damaged or still being written is passed over.

    Raises:
        StorageError: the file of events cannot be read.
    """
    training: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for line in (read_bytes(folder / EVENTS) or b"").splitlines():
        event = _event(line)
        if event is None:
            continue
        last = event
        if event["stage"] == "finetune":
            training.append(event)
        elif "accuracy" in event:
            stages.append(event)
    return RunEvents(last=last, training=training, stages=stages)


def read_state(folder: Path, created: datetime) -> tuple[State, str | None]:
    """State of a run that has no result, and why it failed or was cancelled.

    Raises:
        StorageError: the file of events cannot be read.
    """
    last = _LAST_EVENTS(folder / EVENTS)
    if last.get("stage") in ("cancelled", "failed"):
        return last["stage"], str(last.get("text", ""))[:LONGEST_TEXT]
    if is_held(folder):
        return "running", None
    if is_cancelling(folder):
        return "cancelled", "Cancelled before it began."
    age = (datetime.now(UTC) - created).total_seconds()
    if not last and abs(age) < START_SECONDS:
        return "queued", None
    return "failed", "Its process ended without a word (killed, or out of memory). Start it again."


def request_cancel(folder: Path) -> None:
    """Ask a run to stop at its next step."""
    (folder / CANCEL).touch()


def is_cancelling(folder: Path) -> bool:
    """Whether a run was asked to stop."""
    return (folder / CANCEL).exists()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run for this process.

    Raises:
        InputError: another process carries it out.
    """
    with (folder / LOCK).open("w") as file:
        for attempt in range(10):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 9:
                    raise InputError(f"{folder.name} is already being carried out by another process.") from None
                time.sleep(0.1)  # a page that looks whether the run lives holds the lock for an instant
        yield


def is_held(folder: Path) -> bool:
    """Whether a living process carries the run out."""
    try:
        with (folder / LOCK).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _read_order(path: Path) -> Order | None:
    values = safe_json.read_object(path)
    if values is None:
        return None
    fields = Fields(values, path.name)
    return Order(created=fields.moment("created"), data_dir=fields.text("data_dir") if "data_dir" in fields else None)


def _read_last_event(path: Path) -> dict[str, Any]:
    for line in reversed((read_bytes(path) or b"").splitlines()):
        event = _event(line)
        if event is not None:
            return event
    return {}


def _event(line: bytes) -> dict[str, Any] | None:
    """An event, if it is whole and says what its stage says."""
    try:
        event = safe_json.load(line, allow_nan=True)
    except safe_json.JSONError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("stage"), str):
        return None
    fields = Fields(event, "event")
    with contextlib.suppress(StorageError):
        if event["stage"] == "finetune":
            fields.whole("round", 1)
            fields.whole("step", 0, fields.whole("steps", 1))
            fields.number("seconds", 0)
            if not isinstance(event.get("loss"), float | int) or isinstance(event["loss"], bool):
                return None
        if "accuracy" in fields:
            fields.whole("round", 1)
            fields.number("accuracy", 0, 1)
            low, high = fields.numbers("accuracy_interval", 2)
            return event if 0 <= low <= high <= 1 else None
        return event
    return None


_ORDERS: Remembered[Order | None] = Remembered(_read_order, most=5000)
_LAST_EVENTS = Remembered(_read_last_event, most=5000)
