"""Locks between processes of one machine: held as long as the process that took them lives, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from pruning.base.errors import StorageError

PAUSE = 0.005
"""Seconds between two tries."""
PROBE_TRIES = 20
"""Whoever looks whether a lock is held holds it for an instant."""


def try_hold(path: Path, *, shared: bool = False, tries: int = PROBE_TRIES) -> FileIO | None:
    """Hold a lock until the file that is given is closed; None where another process or thread holds it. `tries`: a
    millisecond apart.

    Raises:
        StorageError: there can be no lock.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    file = _opened(path)
    for _ in range(tries):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(PAUSE / 5)
        except OSError as error:
            file.close()
            raise StorageError(f"{path} cannot be locked ({error.strerror or error}): name a local folder.") from error
    file.close()
    return None


@contextmanager
def holding(path: Path, *, seconds: float = 30.0) -> Iterator[FileIO]:
    """Hold a lock that others hold for instants.

    Raises:
        StorageError: it stayed held for `seconds`, or there can be no lock.
    """
    until = time.monotonic() + seconds
    while (file := try_hold(path)) is None:
        if time.monotonic() > until:
            raise StorageError(f"{path} is held by another process: end it, or wait for it to end.")
        time.sleep(PAUSE)
    with file:
        yield file


def is_held(path: Path, *, shared: bool = False) -> bool:
    """Whether anybody holds a lock; False where there is none, or where it cannot be known. `shared`: whether several
    may hold it together."""
    kind = fcntl.LOCK_EX if shared else fcntl.LOCK_SH
    try:
        with FileIO(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)) as file:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _opened(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileIO(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK, 0o644), "r+")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}): make room there, or name another folder by "
            "PRUNING_CACHE."
        ) from error
