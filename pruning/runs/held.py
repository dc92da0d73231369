"""Files that a run's network refers to, held by digest: whether they still are what they were is said at opening."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pruning.base import safe_json
from pruning.base.errors import PruningError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import given_path
from pruning.catalog.openers import parse_reference
from pruning.runs.files import HELD

CHUNK = 2**20


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """A file as it was when the run began."""

    what: str
    """'weights' or 'code'."""
    path: str
    sha256: str
    size: int
    modified: int
    """Nanoseconds: while size and time are the same, the content is not read again."""


def files_of(ref: str) -> tuple[HeldFile, ...]:
    """The files on this machine that a network's reference names: its weights and its code.

    Raises:
        StorageError: one cannot be read.
    """
    try:
        reference = parse_reference(ref)
    except PruningError:
        return ()
    named = [("code", reference.name)] if reference.kind == "file" else []
    if reference.weights not in (None, "default"):
        named.append(("weights", str(reference.weights)))
    return tuple(_held(what, given_path(path)) for what, path in named)


def held_text(files: tuple[HeldFile, ...]) -> bytes:
    """As it is kept in a run's folder."""
    return safe_json.dump({"files": [vars(file) for file in files]}, indent=1)


def changed(folder: Path) -> tuple[str, ...]:
    """What of a run's files is another one now, or gone: whole sentences. Empty for a run that names none.

    Raises:
        StorageError: what was noted is damaged.
    """
    values = safe_json.read_object(folder / HELD)
    if values is None:
        return ()
    return tuple(said for part in Fields(values, HELD).parts("files") if (said := _change(_read(part))) is not None)


def _change(file: HeldFile) -> str | None:
    path = Path(file.path)
    words = {"weights": "The file of weights", "code": "The Python file"}.get(file.what, "The file")
    try:
        status = os.stat(path)
        if (status.st_size, status.st_mtime_ns) == (file.size, file.modified):
            return None
        if status.st_size == file.size and _sha256(path) == file.sha256:
            return None
    except (OSError, ValueError):
        return f"{words} {path.name} that this run began with is gone; the run's own weights are in its folder."
    return (
        f"{words} {path.name} is not what it was when this run was made: the run keeps its own weights, but another "
        "run with it starts from something else."
    )


def _held(what: str, path: Path) -> HeldFile:
    path = path.resolve()
    try:
        status = path.stat()
        return HeldFile(
            what=what, path=str(path), sha256=_sha256(path), size=status.st_size, modified=status.st_mtime_ns
        )
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _sha256(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
    return sha.hexdigest()


def _read(fields: Fields) -> HeldFile:
    return HeldFile(
        what=fields.text("what"),
        path=fields.text("path"),
        sha256=fields.text("sha256"),
        size=fields.whole("size", 0),
        modified=fields.whole("modified"),
    )
