"""Where the objects of a job lie: only what an object store can do as well, no rename and no append; locks if any."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pruning.base.errors import InputError, StorageError
from pruning.base.files import MOST_BYTES, create_file, read_bytes, replace_file

LOCK_TRIES, LOCK_PAUSE = 200, 0.01
"""Whoever looks whether a lock is held holds it for an instant; seconds between two tries."""
_SAFELY = os.O_NONBLOCK | os.O_CLOEXEC
"""The opening of what turns out to be a pipe does not wait, and no process started meanwhile gets hold of the lock."""


class Store(Protocol):
    """The objects of one job, by names such as 'attempts/0001/log'. All is whole or absent; errors are StorageError."""

    def create(self, name: str, content: bytes) -> bool:
        """Make an object that is not there yet; False, and nothing is changed, where somebody else was first."""

    def put(self, name: str, content: bytes) -> None:
        """Make an object or replace it: for what is worth nothing once the next one is there, such as a heartbeat."""

    def read(self, name: str, *, most_bytes: int = MOST_BYTES) -> bytes | None:
        """What an object holds; None where there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""

    def list(self, folder: str) -> list[str]:
        """Names directly below a folder, without the folder's; none where there is no such folder."""

    def measure(self, name: str) -> tuple[int, str]:
        """Length in bytes and SHA-256 of an object."""

    def delete(self, name: str) -> None:
        """Remove an object, or a folder with all that is in it; nothing where there is none."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Hold a lock as long as this process lives, where the store has locks. Raises InputError where it is held."""

    def is_held(self, name: str) -> bool | None:
        """Whether anybody holds a lock; None where the store has no locks."""


@dataclass(frozen=True)
class LocalStore:
    """A folder of this machine, or one that several machines see."""

    root: Path

    @staticmethod
    def at(root: Path) -> LocalStore:
        """The store of a folder: the same one, whatever way there is written down."""
        return LocalStore(Path(os.path.abspath(root)))

    def path(self, name: str) -> Path:
        """The file of an object."""
        return self.root / name

    def create(self, name: str, content: bytes) -> bool:
        """See `Store.create`."""
        with self._writing(name) as path:
            return create_file(path, content)

    def put(self, name: str, content: bytes) -> None:
        """See `Store.put`."""
        with self._writing(name) as path:
            replace_file(path, content)

    def read(self, name: str, *, most_bytes: int = MOST_BYTES) -> bytes | None:
        """See `Store.read`."""
        return read_bytes(self.path(name), most_bytes=most_bytes)

    def exists(self, name: str) -> bool:
        """See `Store.exists`."""
        return os.path.lexists(self.path(name))

    def list(self, folder: str) -> list[str]:
        """See `Store.list`."""
        try:
            return [name for name in os.listdir(self.path(folder)) if not name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return []
        except OSError as error:
            raise StorageError(f"{self.root.name}/{folder} cannot be read ({error.strerror or error}).") from error

    def measure(self, name: str) -> tuple[int, str]:
        """See `Store.measure`."""
        try:
            if not self.path(name).is_file():
                raise StorageError(f"{name} is no file.")
            with self.path(name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return file.tell(), digest
        except OSError as error:
            raise StorageError(f"{name} cannot be read ({error.strerror or error}).") from error

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        path = self.path(name)
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except (FileNotFoundError, NotADirectoryError):
            return  # somebody else was faster
        except OSError as error:
            raise StorageError(f"{path} cannot be removed ({error.strerror or error}).") from error

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """See `Store.hold`."""
        with self._writing(name) as path:
            file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | _SAFELY), "r+b", buffering=0)
        with file:
            for _ in range(LOCK_TRIES):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(LOCK_PAUSE)
                except OSError:
                    break  # a file system without locks
            else:
                raise InputError("Another process is doing this already: wait for it to end.")
            yield

    def is_held(self, name: str) -> bool | None:
        """See `Store.is_held`."""
        try:
            with os.fdopen(os.open(self.path(name), os.O_RDONLY | _SAFELY), "rb", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return None
        return False

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        path = self.path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield path
        except OSError as error:
            raise StorageError(
                f"{name} could not be written to {self.root} ({error.strerror or error}): make room there, or name "
                "another folder (PRUNING_CACHE for measurements, PRUNING_RUNS for runs)."
            ) from error
