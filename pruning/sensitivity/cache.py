"""Measured sensitivity on disk: one JSON a scan, named by what it depends on, growing while it is measured.

Beside it stand, while a scan works: `.lock` (held by the process that measures), `.cancel` (asks it to stop) and
`.state` (what it last said). A page polls these; a cancelled scan goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pruning.catalog.datasets import Dataset
from pruning.catalog.models import OpenModel
from pruning.catalog.sources import cache_dir
from pruning.errors import Cancelled, InputError, PruningError, StorageError
from pruning.evaluate import Cancel
from pruning.latency import quiet_machine
from pruning.plan import Plan
from pruning.recalibrate import BATCH
from pruning.recalibrate import IMAGES as RECALIBRATION
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.form import SCHEMA_VERSION, from_json, to_json
from pruning.sensitivity.interaction import kept_of, measure_joint
from pruning.sensitivity.scan import Meter, scan

START_SECONDS = 60
"""How long a process may take to begin before it counts as failed."""
SAVE_SECONDS = 0.3
"""At most so often the file is written while points come quickly."""

State = Literal["idle", "starting", "running", "cancelled", "failed"]
Progress = Callable[[Sensitivity, str], None]
"""Gets the scan so far and what is going on in words."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether a scan is being measured."""

    state: State
    text: str
    """In words; why it ended, where it did not end well."""


def path_of(wanted: Sensitivity) -> Path:
    """The file of a scan. `wanted` needs no points: `outline` is enough."""
    key = [SCHEMA_VERSION, wanted.model_digest, wanted.data_digest, wanted.granularity, wanted.criterion, wanted.seed,
           wanted.images, RECALIBRATION, BATCH]  # fmt: skip
    return cache_dir() / "sensitivity" / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"


def read(wanted: Sensitivity) -> Sensitivity:
    """`wanted` with the points that are on disk; as it is where there are none, or the file is damaged."""
    try:
        return from_json(json.loads(path_of(wanted).read_text(encoding="utf-8")), wanted)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return wanted


def measure(
    opened: OpenModel,
    data: Dataset,
    wanted: Sensitivity,
    make_meter: Callable[[], Meter],
    *,
    together: Callable[[Sensitivity], Plan] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Sensitivity:
    """Measure what is not on disk yet, writing it as it comes. Holds the machine: nothing is timed beside it.

    `together` names, once all curves are known, a joint cut to be measured at the end.

    Raises:
        InputError: another process measures the same.
        StorageError: the cache cannot be written.
        Cancelled: `cancel()` became true or `request_cancel` was called; what is measured stays on disk.
    """
    path, tell = path_of(wanted), progress or (lambda found, text: None)
    found = read(wanted)

    def stop() -> bool:
        return _beside(path, ".cancel").exists() or (cancel is not None and cancel())

    def say(text: str) -> None:
        _note(path, "running", text)
        tell(found, text)

    def joint_left() -> Plan | None:
        plan = together(found) if together is not None and found.complete else None
        return None if plan is None or any(joint.kept == kept_of(plan) for joint in found.joints) else plan

    if found.complete and joint_left() is None:
        return found
    with _storage(path), _held(path):
        try:
            _note(path, "running", "Starting")
            with quiet_machine(stop, lambda: say("Waiting for another run on this machine")):
                say("Preparing the network and its images")
                meter = make_meter()
                if not found.complete:
                    saved = 0.0
                    steps = scan(opened.model, opened.graph, data, meter, found, stop)
                    try:
                        for found in steps:
                            tell(found, "")
                            if time.monotonic() - saved > SAVE_SECONDS:
                                _write(path, to_json(found))
                                saved = time.monotonic()
                    finally:
                        _write(path, to_json(found))
                plan = joint_left()
                if plan is not None:
                    say("Measuring all of them cut together")
                    joint = measure_joint(opened.model, opened.graph, data, meter, plan, found, stop)
                    found = remember(wanted, joint)
            _note(path, "idle", "")
        except PruningError as error:
            _note(path, "cancelled" if isinstance(error, Cancelled) else "failed", str(error))
            raise
        except Exception as error:
            text = f"An error of the explorer itself ended the scan: {type(error).__name__}: {error}"
            _note(path, "failed", text)
            raise
        finally:
            _beside(path, ".cancel").unlink(missing_ok=True)
    return found


def remember(wanted: Sensitivity, joint: Joint) -> Sensitivity:
    """Keep a measured joint cut with its scan; returns the scan as it then is on disk.

    Raises:
        StorageError: the cache cannot be written.
    """
    found = read(wanted)
    found = replace(found, joints=(*(other for other in found.joints if other.kept != joint.kept), joint))
    with _storage(path_of(wanted)):
        _write(path_of(wanted), to_json(found))
    return found


def status(wanted: Sensitivity) -> Status:
    """Whether a process is measuring a scan, and how the last one ended."""
    path = path_of(wanted)
    try:
        said = json.loads(_beside(path, ".state").read_text(encoding="utf-8"))
        state, text, at = str(said["state"]), str(said["text"]), float(said["time"])
    except (OSError, ValueError, KeyError, TypeError):
        state, text, at = "idle", "", 0.0
    if _is_held(path):
        return Status(state="running", text=text if state == "running" else "Starting")
    if state == "starting" and (refused := _refusal(path)) is not None:
        return Status(state="failed", text=refused)
    if state == "starting" and time.time() - at < START_SECONDS:
        return Status(state="starting", text="Starting a process")
    if state in ("starting", "running"):
        return Status(state="failed", text="Its process ended without a word (killed, or out of memory).")
    return Status(state=state if state in ("cancelled", "failed") else "idle", text=text)  # type: ignore[arg-type]


def note_start(wanted: Sensitivity) -> Path:
    """Say that a process is about to measure this; returns the file for what it prints.

    Raises:
        StorageError: the cache cannot be written.
    """
    path = path_of(wanted)
    with _storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _beside(path, ".cancel").unlink(missing_ok=True)
        _note(path, "starting", "")
    return _beside(path, ".log")


def request_cancel(wanted: Sensitivity) -> None:
    """Ask the process that measures this to stop at its next step."""
    _beside(path_of(wanted), ".cancel").touch()


def is_cancelling(wanted: Sensitivity) -> bool:
    """Whether the process that measures this was asked to stop."""
    return _beside(path_of(wanted), ".cancel").exists()


def _refusal(path: Path) -> str | None:
    """The error that a process printed before it could measure anything: images that are gone, say."""
    try:
        *_, last = _beside(path, ".log").read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, ValueError):
        return None
    return last.removeprefix("Error: ") if last.startswith("Error: ") else None


def _beside(path: Path, ending: str) -> Path:
    return path.with_suffix(ending)


def _note(path: Path, state: State, text: str) -> None:
    _write(_beside(path, ".state"), asdict(Status(state=state, text=text)) | {"time": time.time()})


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write under a name of this process, then rename: a file is there whole, or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(value), encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Sensitivity could not be written to {path.parent} ({error.strerror or error}): make room, or name "
            "another folder with PRUNING_CACHE."
        ) from error


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a scan for this process.

    Raises:
        InputError: another process measures it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path, ".lock").open("w") as file:
        for attempt in range(10):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 9:
                    raise InputError("Another process is measuring this already: wait for it to end.") from None
                time.sleep(0.1)  # a page that looks whether the scan lives holds the lock for an instant
        yield


def _is_held(path: Path) -> bool:
    with contextlib.suppress(OSError), _beside(path, ".lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
