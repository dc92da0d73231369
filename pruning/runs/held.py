"""Files that a run refers to, held by digest: those of its network and its images. Whether they still are what they
were is said wherever the run is opened."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from pruning.base import safe_json
from pruning.base.errors import PruningError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import given_path
from pruning.catalog.openers import parse_reference
from pruning.data.readers import describe_data, is_on_this_machine_alone, take_apart
from pruning.runs.files import HELD
from pruning.runs.recipe import Recipe

CHUNK = 2**20
IMAGES = "images"
"""What of a run's files is a data set, held by what its reader says of it."""


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """A file as it was when the run began."""

    what: str
    """'weights', 'code', 'images', or 'images by code'."""
    path: str
    """Of images the reference."""
    sha256: str
    """Of the content; of images as `DataInfo.content`."""
    size: int = 0
    modified: int = 0
    """Nanoseconds: while size and time are the same, the content is not read again. Both 0 for images."""


def files_of(recipe: Recipe) -> tuple[HeldFile, ...]:
    """The files on this machine that a recipe names: weights and code of its network, and its images. Its paths must
    hold from any folder.

    Raises:
        StorageError: one cannot be read.
        DataError: it cannot be told what the images are.
    """
    return (*_of_network(recipe.model), *_of_images(recipe))


def _of_network(ref: str) -> tuple[HeldFile, ...]:
    try:
        reference = parse_reference(ref)
    except PruningError:
        return ()
    if reference.kind == "run":  # built from the files of that one's network, as they were then
        return tuple(file for file in noted(Path(reference.name)) if not file.what.startswith(IMAGES))
    named = [("code", reference.name)] if reference.kind == "file" else []
    if reference.weights not in (None, "default"):
        named.append(("weights", str(reference.weights)))
    return tuple(_held(what, given_path(path)) for what, path in named)


def _of_images(recipe: Recipe) -> tuple[HeldFile, ...]:
    if not is_on_this_machine_alone(recipe.data):
        return ()
    kind, path, _ = take_apart(recipe.data)
    if kind == "file":  # looking at what it gives would run it
        return (_held(f"{IMAGES} by code", given_path(path)),)
    content = describe_data(recipe.data, recipe.preprocess).content
    return (HeldFile(what=IMAGES, path=recipe.data, sha256=content),) if content else ()


def held_text(files: tuple[HeldFile, ...]) -> bytes:
    """As it is kept in a run's folder."""
    return safe_json.dump({"files": [vars(file) for file in files]}, indent=1)


def changed(folder: Path) -> tuple[str, ...]:
    """What of a run's files and images is another one now, or gone: whole sentences, those of its network first. Empty
    for a run that names none. Images of one's own are looked through again, which takes seconds for very many.

    Raises:
        StorageError: what was noted is damaged.
    """
    return tuple(said for file in noted(folder) if (said := _change(file)) is not None)


def changed_network(folder: Path) -> tuple[str, ...]:
    """The same of the files of its network alone.

    Raises:
        StorageError: what was noted is damaged.
    """
    found = (_change(file) for file in noted(folder) if not file.what.startswith(IMAGES))
    return tuple(said for said in found if said is not None)


def noted(folder: Path) -> tuple[HeldFile, ...]:
    """What was noted when the run was made; nothing where it names no files.

    Raises:
        StorageError: it is damaged.
    """
    values = safe_json.read_object(folder / HELD)
    return () if values is None else tuple(_read(part) for part in Fields(values, HELD).parts("files"))


def _change(file: HeldFile) -> str | None:
    if file.what == IMAGES:
        return _change_of_images(file)
    path = Path(file.path)
    words = _WORDS.get(file.what, "The file")
    try:
        status = os.stat(path)
        if (status.st_size, status.st_mtime_ns) == (file.size, file.modified):
            return None
        if status.st_size == file.size and _sha256(path) == file.sha256:
            return None
    except (OSError, ValueError):
        if file.what.startswith(IMAGES):
            return f"{words} {path.name} is gone: this run's figures stand, but nothing new can be measured with it."
        return f"{words} {path.name} that this run began with is gone; the run's own weights are in its folder."
    if file.what.startswith(IMAGES):
        return f"{words} {path.name} is not what it was when this run was made: {_MEASURED}"
    return (
        f"{words} {path.name} is not what it was when this run was made: the run keeps its own weights, but another "
        "run with it starts from something else."
    )


def _change_of_images(file: HeldFile) -> str | None:
    name = PurePath(take_apart(file.path)[1]).name
    try:
        now = describe_data(file.path).content
    except PruningError:
        return f"The images in {name} are gone: this run's figures stand, but nothing new can be measured with them."
    if now == file.sha256:
        return None
    return f"The images in {name} are not what they were when this run was made: {_MEASURED}"


_MEASURED = "its figures are of the earlier images, and what is measured now is not to be compared with them."
_WORDS = {
    "weights": "The file of weights",
    "code": "The Python file",
    f"{IMAGES} by code": "The Python file that gives the images,",
}


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
