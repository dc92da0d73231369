"""Start work in a process of its own on this machine; it outlives the page, and the server, that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pruning.base.errors import StorageError

PROJECT = Path(__file__).resolve().parents[2]


def launch(arguments: list[str], log_file: Path) -> None:
    """Start `python -m pruning ARGUMENTS`, its output appended to a file.

    Raises:
        StorageError: the process cannot be started.
    """
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pruning", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
    except OSError as error:
        raise StorageError(f"The process cannot be started ({error.strerror or error}).") from error
    _started.append(process)
    for finished in [p for p in _started if p.poll() is not None]:  # poll() also takes them off the process table
        _started.remove(finished)


_started: list[subprocess.Popen[bytes]] = []
