"""Where files that visitors send are kept: each in a folder with a random name, never under a name of theirs."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, get_args

from pruning.base.errors import InputError, StorageError, excerpt

Kind = Literal["weights", "images", "bundles"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "weights": (".safetensors", ".pt", ".pth"),
    "images": (".zip", ".npz", ".parquet"),
    "bundles": (".zip",),
}
PIECE = 2**20
"""Bytes written at once."""
_NAME = re.compile("[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that somebody sent. Whoever knows its path may open it: nobody can guess one."""

    kind: Kind
    path: Path
    title: str
    """What its sender called it, for their eyes alone: it never becomes a path."""
    bytes: int

    @property
    def number(self) -> str:
        """The random name of its folder."""
        return self.path.parent.name


def suffix_of(name: str, kind: Kind) -> str:
    """The ending of a file's name, one of those that its kind has.

    Raises:
        InputError: it has another one.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix in SUFFIXES[kind]:
        return suffix
    if suffix == ".pt2":
        raise InputError(
            f"{excerpt(name)} is an exported program, which is not opened here: it can run code. Send the weights "
            "alone, saved by torch.save(model.state_dict(), FILE) or as safetensors."
        )
    *first, last = SUFFIXES[kind]
    raise InputError(f"{excerpt(name)} is none of the files of {kind} taken here: {', '.join(first)} or {last}.")


def keep(folder: Path, source: BinaryIO, title: str, kind: Kind, most_bytes: int) -> Upload:
    """Copy what was sent to disk, piece by piece.

    Raises:
        InputError: its name has an ending that is not taken, or it is too large.
        StorageError: it cannot be written; then nothing is left of it.
    """
    suffix = suffix_of(title, kind)
    place = folder / secrets.token_hex(16)
    path = place / f"{kind}{suffix}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700)
        size = 0
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > most_bytes:
                    raise InputError(
                        f"{excerpt(title)} is larger than {most_bytes / 1e6:,.0f} MB, the most that is taken here."
                    )
                file.write(piece)
    except OSError as error:
        _delete(place)
        raise StorageError(f"{excerpt(title)} cannot be kept ({error.strerror or error}).") from error
    except BaseException:
        _delete(place)
        raise
    return Upload(kind=kind, path=path, title=excerpt(title), bytes=size)


def touch(reference: str, folder: Path) -> None:
    """Note that the upload in a reference is in use, so that it is kept for longer; nothing where there is none."""
    number = number_in(reference, folder)
    if number is not None:
        with contextlib.suppress(OSError):
            os.utime(folder / number)


def number_in(text: str, folder: Path) -> str | None:
    """The random name of the upload whose path stands in a reference; None where there is none."""
    start = f"{folder}{os.sep}"
    _, found, rest = text.partition(start)
    name = rest[:32]
    return name if found and _NAME.fullmatch(name) and rest[32:33] == os.sep else None


def sweep(folder: Path, hours: float, in_use: Callable[[], Iterable[str]]) -> list[str]:
    """Delete what nobody has opened for so many hours, but for what is in use; the random names of what went.

    `in_use`: gives the random names of uploads that are still needed; asked only where something would go.
    """
    limit = time.time() - 3600 * hours
    old = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if _NAME.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < limit:
                    old.append(entry.name)
    if not old:
        return []
    needed = set(in_use())
    gone = [name for name in old if name not in needed]
    for name in gone:
        _delete(folder / name)
    return gone


def forget(upload: Upload) -> None:
    """Delete it now."""
    _delete(upload.path.parent)


def _delete(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
