"""Have a process with limits look at a file that a visitor sent, before anything else opens it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruning.base.errors import InputError, StorageError
from pruning.base.safe_json import JSONError, load
from pruning.settings.tables import Uploads
from pruning.uploads.spool import Kind

PROJECT = Path(__file__).resolve().parents[2]
ROOM = 30
"""Seconds for the process to begin, and to import what is large, beside those that it may take."""
LARGEST_ANSWER = 1_000_000
"""Bytes."""
AT_ONCE = threading.Semaphore(1)
"""One such process at a time."""


def check(kind: Kind, reference: str, limits: Uploads) -> Mapping[str, Any]:
    """What `pruning.uploads.look` says of the file that a reference names.

    Raises:
        InputError: it is refused, in a sentence; or looking at it took too much memory or time.
        StorageError: no process can be started.
    """
    with AT_ONCE:
        code, answer = _look(kind, reference, limits)
    try:
        found = load(answer[:LARGEST_ANSWER])
    except JSONError:
        found = None
    if not isinstance(found, dict):
        raise InputError(_ended(code, limits))
    if "error" in found:
        raise InputError(str(found["error"]))
    return found


def _look(kind: Kind, reference: str, limits: Uploads) -> tuple[int, bytes]:
    """How the process ended, and what it said; −SIGXCPU where it took too long."""
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "pruning.uploads.look", kind, reference]
    try:
        process = subprocess.Popen(
            [*command, str(limits.memory_mb), str(limits.seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        )
    except OSError as error:
        raise StorageError(f"The process that looks at the file cannot be started ({error.strerror}).") from error
    try:
        answer, _ = process.communicate(timeout=limits.seconds + ROOM)
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU, b""
    finally:
        _kill(process)
    return process.returncode, answer


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started, also where the page that waited for it was left."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _ended(code: int, limits: Uploads) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"Looking at the file takes over {limits.seconds} s, or more memory than there is: send a smaller one."
    return (
        f"Looking at the file ended badly, within its {limits.memory_mb:,} MB of memory: it is damaged, or too large. "
        "Save it anew, or send a smaller one."
    )
