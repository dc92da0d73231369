"""Where work in another process is carried out: on this machine; a cluster or a queue is another executor."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pruning.base.errors import StorageError
from pruning.jobs.attempt import LOG, Attempt
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore

PROJECT = Path(__file__).resolve().parents[2]


class Executor(Protocol):
    """Carries commands out elsewhere than in the calling process."""

    def submit(self, arguments: Sequence[str], job: Job) -> bool:
        """Have `python -m pruning ARGUMENTS` carried out as an attempt at a job.

        False, and nothing is done, where the job is under way already: all who ask share it.

        Raises:
            StorageError: the job cannot be written, or its process cannot be started; it has then failed.
        """


class LocalExecutor:
    """On this machine, at once, in a process that outlives the page, and the server, that started it."""

    def submit(self, arguments: Sequence[str], job: Job) -> bool:
        """See `Executor.submit`. The process gets `--job PLACE` before its arguments: its attempt's folder."""
        attempt = job.ask()
        if attempt is None:
            return False
        try:
            process = _start(arguments, attempt)
            attempt.note_started(process.pid)
        except OSError as error:
            text = f"The process cannot be started ({error.strerror or error})."
            attempt.end("failed", text)
            raise StorageError(text) from error
        # Somebody has to take note of its end, or the system keeps it as a zombie.
        threading.Thread(target=process.wait, name="job's end", daemon=True).start()
        return True


def _start(arguments: Sequence[str], attempt: Attempt) -> subprocess.Popen[bytes]:
    assert isinstance(attempt.store, LocalStore), "a process of this machine writes into a folder of this machine"
    folder = attempt.store.path(attempt.folder)
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "pruning", "--job", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
