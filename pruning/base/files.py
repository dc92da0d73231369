"""Files on this machine: where they are kept, and reading and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pruning.base.errors import InputError, StorageError, excerpt

MOST_BYTES = 64 * 2**20
"""The largest file that is read into memory at once, unless its reader says otherwise."""


def cache_dir() -> Path:
    """Where decoded images and downloads are kept: PRUNING_CACHE, else the user's cache folder."""
    chosen = os.environ.get("PRUNING_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "pruning-explorer"


def given_path(text: str | Path) -> Path:
    """The path that somebody gave, `~` being a user's home where there is one of that name. Nothing need be there.

    Raises:
        InputError: no file can have such a path.
    """
    path = Path(os.path.expanduser(text))
    try:
        os.lstat(path)
    except ValueError as error:
        raise InputError(f"'{excerpt(str(text))}' is no path: it holds what no name of a file can.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"'{excerpt(str(text))}' is no path: it is too long for one.") from error
    return path


def read_bytes(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes | None:
    """A file's content; None where there is nothing.

    Raises:
        StorageError: it is too large, a folder or a pipe, or may not be read.
    """
    try:
        # Without O_NONBLOCK the opening of a pipe waits until somebody writes into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read ({error.strerror or error}).") from error
    except ValueError:
        return None  # no file has such a name: a zero byte, or half of a character, in it
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise StorageError(f"{path.name} is no file but a folder or a device.")
        if status.st_size > most_bytes:
            raise StorageError(f"{path.name} is larger than {most_bytes:,} bytes, more than such a file ever holds.")
        with open(handle, "rb", closefd=False) as file:
            return file.read(most_bytes)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read ({error.strerror or error}).") from error
    finally:
        os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, over an older one if there is one: whoever reads sees the old content or the new, whole.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    with _beside(path, content) as part:
        os.replace(part, path)


def create_file(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet, whole; False, and nothing is changed, where somebody else was first.

    Raises:
        OSError: it cannot be written.
    """
    with _beside(path, content) as part:
        try:
            os.link(part, path)  # unlike a rename it never replaces, and unlike opening with "x" it shows no half
        except FileExistsError:
            return False
    return True


@contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """The content under a temporary name that no other process or thread takes; gone afterwards."""
    part = path.with_name(f".{secrets.token_hex(4)}.{os.getpid()}.{threading.get_native_id()}.part")
    try:
        part.write_bytes(content)
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
