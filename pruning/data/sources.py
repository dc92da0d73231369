"""Where images of a known data set come from: a folder or zip in ImageFolder layout, or torchvision's downloads.

Decoded images are kept as .npy beside the other caches, so that only the first use pays for decoding.
Files named by a user are not trusted: members are read one by one, sizes are checked, nothing is unpacked.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pruning.base.errors import DataError, excerpt, first_line
from pruning.base.files import cache_dir
from pruning.data.info import Progress
from pruning.data.places import DATA_VARIABLE, download_dir, find_place

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg")
LARGEST_FILE = 1_000_000
"""Bytes of one image file; MNIST and CIFAR images have about a thousand."""
UNREADABLE = (
    UnidentifiedImageError, OSError, EOFError, SyntaxError, ValueError, struct.error, zlib.error,
    zipfile.BadZipFile, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow and zipfile raise for damaged bytes."""


@dataclass(frozen=True, kw_only=True)
class RawImages:
    """Decoded images (uint8, N × C × H × W) in the data set's own order, and labels (int64)."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str


def read_place(
    name: str, place: Path, shape: tuple[int, int, int], classes: tuple[str, ...], progress: Progress | None
) -> RawImages:
    """Read a data set from a folder or zip of the user's, or one in it.

    Raises:
        DataError: absent or damaged, with what to do.
    """
    found = find_place(name, place)
    if found is None:
        raise DataError(
            f"No {name} images at {place}: expected {name}.zip, a folder {name}/, or folders train/ and test/ with "
            "one folder a class. Name the right place with --data-dir or PRUNING_DATA."
        )
    if found.is_file():
        stat = found.stat()
        mark = f"{found.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{name}"
        cached = cache_dir() / "images" / f"{name}-{hashlib.sha256(mark.encode()).hexdigest()[:16]}.npz"
        source = f"{found.name} in ImageFolder layout"
        if cached.is_file():
            try:
                with np.load(cached, allow_pickle=False) as arrays:
                    return RawImages(**{key: arrays[key] for key in arrays.files}, source=source)
            except Exception:  # a damaged file raises nearly anything on its way through zipfile and NumPy
                cached.unlink(missing_ok=True)  # decode once more
        try:
            with zipfile.ZipFile(found) as archive:
                small = [m.filename for m in archive.infolist() if m.file_size <= LARGEST_FILE and not m.is_dir()]
                raw = _decode(small, archive.read, shape, classes, source, progress)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DataError(f"{found} is not a readable zip ({first_line(error)}): fetch it again.") from error
        _save(cached, raw)
        return raw
    files = [str(p.relative_to(found)) for part in ("train", "test") for p in (found / part).rglob("*") if p.is_file()]
    return _decode(
        files, lambda member: (found / member).read_bytes(), shape, classes, f"folder {found.name}", progress
    )


def _decode(
    members: list[str],
    read_bytes: Callable[[str], bytes],
    shape: tuple[int, int, int],
    classes: tuple[str, ...],
    source: str,
    progress: Progress | None,
) -> RawImages:
    """Decode `train/<class>/<n>.png` and `test/...` members, sorted by class, then by number."""
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "test"):
        chosen: list[tuple[int, int, str]] = []
        for member in members:
            pieces = member.replace("\\", "/").split("/")
            if len(pieces) < 3 or pieces[-3] != part or not pieces[-1].lower().endswith(IMAGE_ENDINGS):
                continue
            if pieces[-2] not in classes:
                raise DataError(
                    f"{source} has a class '{excerpt(pieces[-2])}' that is not expected: the classes are "
                    f"{', '.join(classes)}."
                )
            number = re.search(r"\d+", pieces[-1])
            chosen.append((classes.index(pieces[-2]), int(number.group()) if number else 0, member))
        if not chosen:
            raise DataError(f"{source} has no images below {part}/<class>/: is it in ImageFolder layout?")
        chosen.sort()
        images = np.empty((len(chosen), *shape), dtype=np.uint8)
        for i, (_, _, member) in enumerate(chosen):
            images[i] = _decode_one(member, read_bytes, shape, source)
            if progress and i % 2000 == 0:
                progress(f"Decoding {part} images", i / len(chosen))
        arrays[f"{part}_images"] = images
        arrays[f"{part}_labels"] = np.array([label for label, _, _ in chosen], dtype=np.int64)
    return RawImages(**arrays, source=source)


def _decode_one(
    member: str, read_bytes: Callable[[str], bytes], shape: tuple[int, int, int], source: str
) -> np.ndarray:
    channels, height, width = shape
    try:
        with Image.open(io.BytesIO(read_bytes(member)), formats=("PNG", "JPEG")) as image:
            if image.size != (width, height):
                raise DataError(f"{member} in {source} is {image.size[0]}×{image.size[1]}, expected {width}×{height}.")
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except UNREADABLE as error:
        raise DataError(
            f"{excerpt(member)} in {source} is not a readable image ({first_line(error)}): fetch the data again."
        ) from error
    return pixels.reshape(height, width, channels).transpose(2, 0, 1)


def _save(path: Path, raw: RawImages) -> None:
    """Keep decoded images; under a temporary name first, so that a half-written file is never read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(
                    file,
                    train_images=raw.train_images,
                    train_labels=raw.train_labels,
                    test_images=raw.test_images,
                    test_labels=raw.test_labels,
                )
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)  # still there only when writing failed or was interrupted
    except OSError:
        pass  # a cache that cannot be written costs time only


def read_torchvision(name: str, builder: str, download: bool, progress: Progress | None) -> RawImages:
    """Read a data set that torchvision keeps here, or, with `download`, fetches; `builder` names its class there.

    Raises:
        DataError: absent, damaged, or not to be fetched, with what to do.
    """
    from torchvision import datasets  # slow to import, and only needed here

    root = download_dir()
    if progress and download:
        progress(f"Fetching {name} through torchvision", 0.0)
    try:
        made = getattr(datasets, builder)
        train, test = (made(str(root), train=part, download=download) for part in (True, False))
    except Exception as error:  # torchvision raises many kinds: URLError, RuntimeError, OSError, EOFError ...
        if download:
            raise DataError(
                f"{name} could not be fetched ({first_line(error)}). Without internet access, name a folder or zip "
                f"that holds it with --data-dir or {DATA_VARIABLE}."
            ) from error
        raise DataError(
            f"The images of {name} are not on this machine: fetch them with 'make data', or name a folder or zip "
            f"that holds them with --data-dir or {DATA_VARIABLE}."
        ) from error

    def by_class(part: Any) -> tuple[np.ndarray, np.ndarray]:
        """Images, channels first, and labels, in the order that folders have: one data set has one digest."""
        images, labels = np.asarray(part.data), np.asarray(part.targets, dtype=np.int64)
        images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
        order = np.argsort(labels, kind="stable")
        return images[order], labels[order]

    train_images, train_labels = by_class(train)
    test_images, test_labels = by_class(test)
    return RawImages(
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        source="torchvision.datasets",
    )
