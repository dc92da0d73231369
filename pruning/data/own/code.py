"""The reader of data sets that a Python file of the user's own makes, which is trusted: it is run."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning.base.errors import DataError, InputError, excerpt, first_line
from pruning.data.info import Progress
from pruning.data.own.reference import OwnReference
from pruning.data.own.row import Looked, own_reader
from pruning.data.own.stamps import file_key

if TYPE_CHECKING:
    from PIL import Image

    from pruning.data.own.listing import Listing
    from pruning.data.own.reading import Decoded

FORM = "file:PATH.py:FUNCTION"
PARTS = {"train": 0, "select": 1, "val": 1, "valid": 1, "validation": 1, "dev": 1, "eval": 1, "test": 2}
"""What the function may call the roles → a place in `folder_names.PARTS`."""

NAMES = {-1: "images", 0: "train", 1: "select", 2: "test"}


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What a file gave, and what was found in it."""

    key: str
    sets: tuple[Any, ...]
    listing: Listing
    folder: Path | None
    """Where their relative paths begin; None: where the caller is."""


_last: list[_Made] = []
_lock = threading.RLock()


def look(reference: OwnReference, progress: Progress | None) -> Looked:
    return Looked(key="", make=lambda: _made(reference, progress).listing)


def decoded(reference: OwnReference, listing: Listing, key: str) -> Decoded:
    from pruning.catalog.guests import guest

    made = next((made for made in _last if made.listing is listing), None) or _made(reference, None)
    path, where = reference.place, listing.where
    assert where is not None

    def image(number: int) -> Image.Image:
        which, place = (int(part) for part in where[number])
        with guest(path, made.folder):  # one at a time: somebody's data set need not be fit for several threads
            return _image(_item(made.sets[which], place)[0], made.listing.title)

    return image


def _made(reference: OwnReference, progress: Progress | None) -> _Made:
    """The data sets of a file, made once as long as it stays as it is."""
    path = reference.place
    if not reference.path.endswith(".py"):
        raise InputError(f"'{excerpt(reference.text)}' names no Python file: write {FORM}, such as file:data.py:build.")
    key = file_key(f"code {reference.function}", path, reference.path)
    with _lock:
        if _last and _last[0].key == key:
            return _last[0]
        from pruning.catalog.guests import call_guest

        sets = _by_part(call_guest(path, reference.function, what="data set"), f"{path.name}:{reference.function}")
        found = _looked_through(key, reference, sets, progress)
        _last[:] = [found]
        return found


def _looked_through(key: str, reference: OwnReference, sets: dict[int, Any], progress: Progress | None) -> _Made:
    """With relative paths looked up in the file's folder; where nothing is there, in the caller's."""
    from pruning.catalog.guests import guest

    path = reference.place
    title = f"{path.name}:{reference.function}"
    folder: Path | None = path.parent
    try:
        with guest(path, folder):
            listing = _listing(sets, title, progress)
    except DataError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        folder = None
        with guest(path, folder):
            listing = _listing(sets, title, progress)
    return _Made(key=key, sets=tuple(sets.values()), listing=listing, folder=folder)


def _by_part(made: Any, title: str) -> dict[int, Any]:
    if not isinstance(made, Mapping) or not made:
        made = {"": made}  # one data set, without roles
    sets: dict[int, Any] = {}
    for name, data in made.items():
        if str(name) not in PARTS and (str(name) or len(made) > 1):
            raise InputError(
                f"{title} returned a role '{excerpt(str(name), 40)}': return a dict of 'train', 'select' and 'test', "
                "or some of these."
            )
        if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
            raise InputError(
                f"{title} returned a {type(data).__name__} for {str(name) or 'its images'}, not a data set with a "
                "length whose items are (image, label)."
            )
        if PARTS.get(str(name), -1) in sets:
            raise InputError(f"{title} returned one role under two names: return each once.")
        sets[PARTS.get(str(name), -1)] = data
    return sets


def _listing(sets: dict[int, Any], title: str, progress: Progress | None) -> Listing:
    """Goes through all items once: nothing else tells the labels and sizes of somebody's data set."""
    import numpy as np

    from pruning.data.own.decode import GREY
    from pruning.data.own.labels import number_labels
    from pruning.data.own.listing import Listing, Names

    names, parts, labels, sizes, marks, contents, where = [], [], [], [], [], [], []
    for which, (part, data) in enumerate(sets.items()):
        count = len(data)
        for place in range(count):
            given, label = _item(data, place)
            image = _image(given, title)
            names.append(f"{NAMES[part]}[{place}]")
            parts.append(part)
            labels.append(label)
            sizes.append((image.height, image.width))
            marks.append(GREY if image.mode == "L" else 0)
            contents.append(hashlib.blake2b(image.tobytes(), digest_size=16).digest())
            where.append((which, place))
            if progress and place % 500 == 0:
                progress(f"Looking at the images of {title}", place / count)
    if not names:
        raise DataError(f"{title} returned data sets without any image.")
    bare = [label is None for label in labels]
    if any(bare) and not all(bare):
        raise DataError(f"Some items of {title} have labels and others have none: return (image, label) for all.")
    known = None
    if not all(bare):
        texts = next((found for data in sets.values() if (found := _classes(data))), None)
        known = number_labels(np.array(labels), texts, title)
    return Listing(
        title=title,
        names=Names.of(names),
        parts=np.array(parts, dtype=np.int8),
        labels=None if known is None else known.numbers,
        classes=() if known is None else known.classes,
        sizes=np.array(sizes, dtype=np.int32),
        marks=np.array(marks, dtype=np.uint8),
        contents=np.frombuffer(b"".join(contents), dtype=np.uint8).reshape(-1, 16),
        remarks=() if known is None else known.remarks,
        where=np.array(where, dtype=np.int64),
    )


def _classes(data: Any, depth: int = 0) -> list[str] | None:
    """Names of classes that a data set has, or one that it is a part of, as in torch's Subset."""
    told = getattr(data, "classes", None)
    if isinstance(told, list | tuple) and told:
        return [str(name) for name in told]
    inner = getattr(data, "dataset", None)
    return _classes(inner, depth + 1) if inner is not None and depth < 5 else None


def _item(data: Any, place: int) -> tuple[Any, int | str | None]:
    """An image as the data set gives it, and its label."""
    try:
        item = data[place]
    except Exception as error:
        raise DataError(
            f"Item {place} of a {type(data).__name__} cannot be read ({type(error).__name__}: "
            f"{first_line(error, 100)})."
        ) from error
    if isinstance(item, Mapping):
        item = (item.get("image"), item.get("label"))
    if not isinstance(item, tuple | list):
        return item, None
    if len(item) < 2:
        return item[0] if item else None, None
    label = item[1]
    if hasattr(label, "item"):
        with contextlib.suppress(ValueError, RuntimeError):  # of more than one number
            label = label.item()
    if isinstance(label, bool):
        label = int(label)
    if label is not None and not isinstance(label, int | str):
        raise DataError(
            f"The label of item {place} is a {type(label).__name__}: labels are whole numbers, or names of classes."
        )
    return item[0], label


def _image(given: Any, title: str) -> Image.Image:
    """A Pillow image, or a tensor (C × H × W, uint8, or floats from 0 to 1), as mode L or RGB."""
    import numpy as np
    from PIL import Image

    from pruning.data.own.decode import UnreadableImage, as_image, standard

    if isinstance(given, Image.Image):
        try:
            return standard(given)
        except UnreadableImage as error:
            raise DataError(f"An image of {title} cannot be used: {error}.") from error
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
        given = given.transpose(1, 2, 0) if given.ndim == 3 else given
    values = np.asarray(given)
    if values.ndim == 3 and values.shape[2] in (1, 3, 4):
        values = values[:, :, 0] if values.shape[2] == 1 else values[:, :, :3]
    elif values.ndim != 2:
        raise DataError(
            f"An image of {title} is a {type(given).__name__} of shape {values.shape}: return Pillow images, or "
            "tensors of 1 or 3 channels (C × H × W)."
        )
    if values.dtype.kind == "f" and np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1:
        return as_image(np.rint(values * 255).astype(np.uint8))
    if values.dtype != np.uint8:
        raise DataError(
            f"An image of {title} has values of {values.dtype.name} that are not from 0 to 1: return uint8, or floats "
            "from 0 to 1, before they are normalised."
        )
    return as_image(values)


CODE = own_reader(kind="file", form=FORM, look=look, decoded=decoded, source="data sets of")
