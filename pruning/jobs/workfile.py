"""One JSON file that one process fills while others look on; what they know of each other stands beside it.

Beside NAME.json: `.lock` (held by the process that works), `.cancel` (asks it to stop), `.state` (what it last said)
and `.log` (what it printed). So a page only polls, and all visitors share one piece of work.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pruning.base.errors import Cancelled, InputError, PruningError, StorageError

START_SECONDS = 60
"""How long a process may take to begin before it counts as failed."""

State = Literal["idle", "starting", "running", "cancelled", "failed"]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether somebody works on a file."""

    state: State
    text: str
    """In words; why it ended, where it did not end well."""

    @property
    def is_working(self) -> bool:
        return self.state in ("starting", "running")


@dataclass(frozen=True)
class WorkFile:
    """A piece of work by the path of its JSON file."""

    path: Path

    def read(self) -> Any:
        """What is there so far; None where there is nothing, or the file is damaged."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, value: Any) -> None:
        """Replace what is there: a reader sees the old file or the new one, whole.

        Raises:
            StorageError: it cannot be written.
        """
        self._replace(self.path, value)

    def status(self) -> Status:
        """Whether a process works on it, and how the last one ended."""
        said = _parsed(self._beside(".state"))
        if self._is_held():
            return Status(state="running", text=said.text if said.state == "running" else "Starting")
        if said.state == "starting" and (refused := self._refusal()) is not None:
            return Status(state="failed", text=refused)
        if said.state == "starting" and time.time() - said.time < START_SECONDS:
            return Status(state="starting", text="Starting a process")
        if said.state in ("starting", "running"):
            return Status(state="failed", text="Its process ended without a word (killed, or out of memory).")
        return Status(state=said.state, text=said.text)

    def note_start(self) -> Path:
        """Say that a process is about to begin; returns the file for what it prints.

        Raises:
            StorageError: it cannot be written.
        """
        for ending in (".cancel", ".log"):
            self._beside(ending).unlink(missing_ok=True)
        self.say("", state="starting")
        return self._beside(".log")

    def say(self, text: str, *, state: State = "running") -> None:
        """Note what is going on.

        Raises:
            StorageError: it cannot be written.
        """
        self._replace(self._beside(".state"), {"state": state, "text": text, "time": time.time()})

    def request_cancel(self) -> None:
        """Ask the process that works on it to stop at its next step."""
        with contextlib.suppress(OSError):
            self._beside(".cancel").touch()

    @property
    def is_cancelling(self) -> bool:
        """Whether the process that works on it was asked to stop."""
        return self._beside(".cancel").exists()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the file for this process, and note how the work inside ends.

        Raises:
            InputError: another process works on it.
            StorageError: its state cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._held():
            self.say("Starting")
            try:
                yield
                self.say("", state="idle")
            except Cancelled as error:
                self.say(str(error), state="cancelled")
                raise
            except PruningError as error:
                self.say(str(error), state="failed")
                raise
            except Exception as error:
                self.say(f"An error of the explorer itself: {type(error).__name__}: {error}", state="failed")
                raise
            finally:
                self._beside(".cancel").unlink(missing_ok=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self._beside(".lock").open("w") as file:
            for attempt in range(10):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if attempt == 9:
                        raise InputError("Another process is doing this already: wait for it to end.") from None
                    time.sleep(0.1)  # whoever looks whether the work lives holds the lock for an instant
            yield

    def _is_held(self) -> bool:
        with contextlib.suppress(OSError), self._beside(".lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _refusal(self) -> str | None:
        """The error that a process printed before it could begin: images that are gone, say."""
        try:
            *_, last = self._beside(".log").read_text(encoding="utf-8", errors="replace").splitlines()
        except (OSError, ValueError):
            return None
        return last.removeprefix("Error: ") if last.startswith("Error: ") else None

    def _beside(self, ending: str) -> Path:
        return self.path.with_suffix(ending)

    @staticmethod
    def _replace(path: Path, value: Any) -> None:
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(value), encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise StorageError(
                f"{path.name} could not be written to {path.parent} ({error.strerror or error}): make room, or name "
                "another folder with PRUNING_CACHE."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class _Said:
    state: State = "idle"
    text: str = ""
    time: float = 0.0


def _parsed(path: Path) -> _Said:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["state"] in get_args(State):
            return _Said(state=said["state"], text=str(said["text"]), time=float(said["time"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _Said()
