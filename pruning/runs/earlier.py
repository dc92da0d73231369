"""Runs that were carried out before there were jobs: one file of events, a lock and a file that asks to stop."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from pruning.base.files import read_bytes
from pruning.base.remembered import Remembered
from pruning.jobs.events import decode
from pruning.jobs.status import LONGEST_TEXT, NEVER_STARTED, SILENT, STARTING, Status
from pruning.runs.files import CANCEL, EVENTS, LOCK, RESULT
from pruning.runs.order import Order


def read_status(folder: Path, order: Order) -> Status:
    """How such a run stands; or one that was only just made, for which no process was asked yet.

    Raises:
        StorageError: the file of events cannot be read.
    """
    if os.path.lexists(folder / RESULT):
        return Status(state="done")
    last = _LAST(folder / EVENTS)
    stage, text = last.get("stage"), str(last.get("text", ""))[:LONGEST_TEXT]
    if stage == "cancelled":
        return Status(state="cancelled", text=text)
    if stage == "failed":
        return Status(state="failed", text=text)
    if is_held(folder):
        return Status(state="running", text=text, is_cancelling=(folder / CANCEL).exists())
    if os.path.lexists(folder / CANCEL):
        return Status(state="cancelled", text="Cancelled before it began.")
    if last:
        return Status(state="failed", text=SILENT)
    if order.creator is not None and not order.creator.is_gone:
        return Status(state="queued", text=STARTING)
    return Status(state="failed", text=NEVER_STARTED)


def read_events(folder: Path) -> list[dict[str, Any]]:
    """All that such a run told. Raises StorageError where the file cannot be read."""
    return decode(read_bytes(folder / EVENTS) or b"")


def is_held(folder: Path) -> bool:
    """Whether a living process of an older version carries the run out."""
    try:
        with os.fdopen(os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, ValueError):
        return False
    return False


def request_cancel(folder: Path) -> None:
    """Ask such a process to stop. Raises OSError where that cannot be written."""
    (folder / CANCEL).touch()


def _read_last(path: Path) -> dict[str, Any]:
    events = [event for event in decode(read_bytes(path) or b"") if isinstance(event.get("stage"), str)]
    return events[-1] if events else {}


_LAST = Remembered(_read_last, most=5000)
