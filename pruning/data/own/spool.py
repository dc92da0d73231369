"""Encoded images one after the other in a file of our own, so that they can be read in any order."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pruning.base.errors import DataError
from pruning.data.own.listing import own_cache
from pruning.data.own.pixels import SPARE

BUDGET = 20_000_000_000
"""Bytes that all such files take together; those that were used last stay."""


def spool_path(key: str) -> Path:
    """Where the images of a key are kept."""
    return own_cache() / "spool" / f"{key}.images"


class Spool:
    """A file of images that is open for reading."""

    def __init__(self, path: Path) -> None:
        """Raises DataError where it is gone."""
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.utime(path)
        except OSError as error:
            raise DataError("The copy of the images in the cache is gone: open them again.") from error

    def read(self, offset: int, length: int) -> bytes:
        """Raises OSError where it is shorter."""
        content = os.pread(self._handle, length, offset)
        if len(content) < length:
            raise OSError("the copy in the cache is damaged")
        return content

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self._handle)


@contextmanager
def written(path: Path, wanted: int) -> Iterator[BinaryIO]:
    """A file to write into, which stands at the path once all is written.

    `wanted`: bytes that it will take at most.

    Raises:
        DataError: there is not so much room.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, wanted)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError as error:
        raise DataError(f"The cache in {path.parent} cannot be written ({error.strerror}).") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"The images could not be copied into the cache ({error.strerror}).") from error
    finally:
        Path(part).unlink(missing_ok=True)


def _make_room(folder: Path, wanted: int) -> None:
    if wanted > BUDGET:
        raise DataError(
            f"These images take {wanted:,} bytes, and {BUDGET:,} is the most that is copied into the cache: name "
            "fewer files, or unpack them into a folder."
        )
    kept = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.images"))
    used = sum(size for _, size, _ in kept)
    for _, size, path in kept:
        if used + wanted <= BUDGET:
            break
        path.unlink(missing_ok=True)
        used -= size
    if shutil.disk_usage(folder).free < wanted + SPARE:
        raise DataError(
            f"There is no room for a copy of the images in {folder}: it takes {wanted:,} bytes. Free some, or name "
            "another place with PRUNING_CACHE."
        )
