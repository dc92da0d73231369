"""Where measured layer times are kept on this machine, and how far a measurement in another process has come.

`KEY.json` holds the times; `KEY.state.json` what the last measurement said, `KEY.lock` is held while it lives,
`KEY.cancel` asks it to stop. Weights are no part of the key: networks of the same calls and shapes share times.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from pruning.base.errors import Cancelled, InputError, PruningError, StorageError
from pruning.base.files import cache_dir
from pruning.graph.model_graph import ModelGraph
from pruning.graph.trace import op_of
from pruning.latency.processor import processor
from pruning.latency.profile import THREADS
from pruning.latency.steps import Steps

START_SECONDS = 60
"""How long a queued measurement may take to get a process before it counts as failed."""


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """How far a measurement has come."""

    state: Literal["queued", "running", "done", "cancelled", "failed"]
    share: float
    """From 0 to 1."""
    text: str
    """What it is doing, or why it ended."""


def steps_key(graph: ModelGraph, batch: int) -> str:
    """Same key, same times: the network's calls and their shapes, the batch size, the threads, torch and the CPU."""
    calls = [(op_of(node), _shapes(node.meta.get("val"))) for node in graph.trace.nodes]
    shapes = sorted((name, shape) for name, shape in graph.shapes.items())
    parts = [calls, shapes, batch, THREADS, torch.__version__, processor()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def load_steps(graph: ModelGraph, batch: int) -> Steps | None:
    """The times measured for such a network on this machine; None where there are none yet.

    Raises:
        StorageError: the file is damaged or cannot be read.
    """
    path = _path(steps_key(graph, batch), "json")
    if not path.is_file():
        return None
    try:
        return Steps.from_json(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise StorageError(f"The layer times in {path} cannot be read ({error}). Measure them again.") from error


def save_steps(graph: ModelGraph, batch: int, steps: Steps) -> Path:
    """Keep measured times; the file they are in.

    Raises:
        StorageError: it cannot be written.
    """
    path = _path(steps_key(graph, batch), "json")
    _write(path, steps.to_json())
    return path


def read_measuring(key: str) -> Measuring | None:
    """How far the last measurement for a key has come; None where there was none."""
    try:
        data = json.loads(_path(key, "state.json").read_text())
        found = Measuring(state=data["state"], share=data["share"], text=data["text"])
        written = float(data["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    starting = found.state == "queued" and time.time() - written < START_SECONDS
    if found.state in ("queued", "running") and not starting and not _is_held(key):
        # It may have ended between the two looks.
        again = _path(key, "state.json").read_text()
        if json.loads(again)["state"] == found.state:
            return Measuring(
                state="failed", share=found.share, text="Its process ended without a word. Start it again."
            )
        return read_measuring(key)
    return found


def write_measuring(key: str, measuring: Measuring) -> None:
    """Note how far a measurement has come.

    Raises:
        StorageError: it cannot be written.
    """
    _write(_path(key, "state.json"), {**asdict(measuring), "time": time.time()})


def cancel_measuring(key: str) -> None:
    """Ask a measurement that runs in another process to stop."""
    with contextlib.suppress(OSError):
        _path(key, "cancel").touch()


def log_path(key: str) -> Path:
    """Where a measurement in a process of its own writes what went wrong."""
    path = _path(key, "log")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def measuring(key: str) -> Iterator[Path]:
    """Hold a key while measuring, and note how it ended; gives the file that appears when it shall be cancelled.

    Raises:
        InputError: another process is measuring the same.
        StorageError: the state cannot be written.
    """
    cancel = _path(key, "cancel")
    with _held(key):
        cancel.unlink(missing_ok=True)
        try:
            yield cancel
        except (Cancelled, KeyboardInterrupt) as error:
            write_measuring(key, Measuring(state="cancelled", share=0.0, text=str(error) or "Cancelled."))
            raise
        except PruningError as error:
            write_measuring(key, Measuring(state="failed", share=0.0, text=str(error)))
            raise
        except BaseException as error:
            text = f"An error of the explorer itself ended it: {type(error).__name__}: {error}"
            write_measuring(key, Measuring(state="failed", share=0.0, text=text))
            raise
        write_measuring(key, Measuring(state="done", share=1.0, text="Done"))


def _path(key: str, ending: str) -> Path:
    return cache_dir() / "latency" / f"{key}.{ending}"


def _write(path: Path, data: dict[str, Any]) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(data))
        os.replace(part, path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}): free some space there.") from error


@contextmanager
def _held(key: str) -> Iterator[None]:
    path = _path(key, "lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("The layers of this network are being timed by another process: wait for it.") from None
        yield


def _is_held(key: str) -> bool:
    try:
        with _path(key, "lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def _shapes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return [int(size) for size in value.shape]
    return [_shapes(item) for item in value] if isinstance(value, list | tuple) else None
