"""The listing of images in arrays, and one of them as an image."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image

from pruning.base.errors import DataError, excerpt
from pruning.data.info import Progress
from pruning.data.own.arrays import CLASSES, ArrayFile
from pruning.data.own.decode import DEEP, FAINT, FAINT_BELOW, GREY, MOST_PIXELS, UNIT, as_image, eight_bits
from pruning.data.own.labels import number_labels
from pruning.data.own.listing import Listing, Names
from pruning.data.own.words import images_of, listed

AT_ONCE = 1_000_000
"""Numbers that are looked at together."""
DARK = 128
"""An array of 8 bits that goes no higher is likely to be of another range, and it is said what it is taken for."""


def list_arrays(file: ArrayFile, progress: Progress | None = None) -> Listing:
    """All images of an archive.

    Raises:
        DataError: its arrays are no images and labels, or do not fit each other.
    """
    names: list[str] = []
    parts, rows, contents, sizes, marks, truth = [], [], [], [], [], []
    remarks: list[str] = []
    for number, (part, images_name, labels_name) in enumerate(file.parts):
        images = file.read(images_name)
        axes = _axes(images, images_name, file.name, remarks)
        count = len(images)
        if labels_name is not None:
            labels = _labels(file, labels_name, remarks)
            if len(labels) != count:
                raise DataError(
                    f"{file.name} holds {images_of(count)} in {images_name} and {len(labels):,} labels in "
                    f"{labels_name}: there has to be one for each."
                )
            truth.append(labels)
        names += [f"{images_name}[{row}]" for row in range(count)]
        parts.append(np.full(count, part, dtype=np.int8))
        rows.append(np.stack([np.full(count, number), np.arange(count)], axis=1))
        found, low, high = _contents(images, file.name, progress)
        contents.append(found)
        sizes.append(np.tile(np.array(axes[:2], dtype=np.int32), (count, 1)))
        mark = (GREY if axes[2] == 1 else 0) | _depth(images.dtype, low, high, images_name, file.name, remarks)
        marks.append(np.full(count, mark, dtype=np.uint8))
    if len({mark & (DEEP | UNIT) for some in marks for mark in some[:1].tolist()}) > 1:
        raise DataError(f"The images in {file.name} are of several ranges, such as 0–1 and 0–255: bring them to one.")
    if not names:
        raise DataError(f"There are no images in {file.name}: its arrays are empty.")
    if truth and len(truth) < len(parts):
        raise DataError(f"Some images in {file.name} have labels and others have none: add them, or take them apart.")
    classes: tuple[str, ...] = ()
    numbers = None
    if truth:
        if len({some.dtype.kind in "US" for some in truth}) > 1:
            raise DataError(f"Some labels in {file.name} are numbers and others are texts.")
        known = number_labels(np.concatenate(truth), _classes(file), file.name)
        numbers, classes = known.numbers, known.classes
        remarks += known.remarks
    unread = file.unread
    if unread:
        remarks.append(f"Not looked at in {file.name}: {listed(unread)}.")
    return Listing(
        title=file.path.name,
        names=Names.of(names),
        parts=np.concatenate(parts),
        labels=numbers,
        classes=classes,
        sizes=np.concatenate(sizes),
        marks=np.concatenate(marks),
        contents=np.concatenate(contents),
        remarks=tuple(dict.fromkeys(remarks)),
        where=np.concatenate(rows).astype(np.int64),
    )


def image_of(file: ArrayFile, listing: Listing, number: int) -> Image.Image:
    """An image of the archive by its number in the listing."""
    assert listing.where is not None
    part, row = (int(place) for place in listing.where[number])
    name = file.parts[part][1]
    images = file.read(name)
    pixels = np.asarray(images[row])
    height, width = (int(length) for length in listing.sizes[number])
    if pixels.ndim == 3 and pixels.shape[:2] != (height, width):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim == 3:
        pixels = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3]
    mark = int(listing.marks[number])
    if mark & UNIT:
        pixels = np.rint(pixels.astype(np.float32) * 255)
    elif mark & DEEP:
        pixels = eight_bits(pixels)
    return as_image(pixels.astype(np.uint8))


def _axes(images: np.ndarray, name: str, where: str, remarks: list[str]) -> tuple[int, int, int]:
    """Height, width and channels."""
    shape = images.shape[1:]
    if len(shape) == 2:
        found = (shape[0], shape[1], 1)
    elif len(shape) == 3 and shape[2] in (1, 3, 4):
        found = (shape[0], shape[1], shape[2])
        if shape[0] in (1, 3, 4):
            remarks.append(f"{excerpt(name)} of {'×'.join(map(str, images.shape))} was read as N×H×W×C.")
    elif len(shape) == 3 and shape[0] in (1, 3, 4):
        found = (shape[1], shape[2], shape[0])
    else:
        raise DataError(
            f"{excerpt(name)} in {where} has the shape {'×'.join(map(str, images.shape)) or 'of one number'}: images "
            "are N×H×W, N×H×W×C or N×C×H×W, of 1, 3 or 4 channels."
        )
    if not 0 < found[0] * found[1] <= MOST_PIXELS:
        raise DataError(
            f"The images in {where} have {found[0]:,}×{found[1]:,} pixels, and {MOST_PIXELS:,} is the most."
        )
    return found


def _contents(images: np.ndarray, where: str, progress: Progress | None) -> tuple[np.ndarray, float, float]:
    """What tells one image from another, and the lowest and highest number of all."""
    found = np.zeros((len(images), 16), dtype=np.uint8)
    low, high = np.inf, -np.inf
    step = max(1, AT_ONCE // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), step):
        some = np.ascontiguousarray(images[start : start + step])
        if not np.isfinite(some).all():
            raise DataError(f"The images in {where} hold numbers that are not finite.")
        low, high = min(low, some.min()), max(high, some.max())
        for place, image in enumerate(some):
            found[start + place] = np.frombuffer(hashlib.blake2b(image.data, digest_size=16).digest(), dtype=np.uint8)
        if progress:
            progress(f"Looking at {images_of(len(images))}", start / len(images))
    return found, float(low), float(high)


def _depth(dtype: np.dtype, low: float, high: float, name: str, where: str, remarks: list[str]) -> int:
    """How numbers become 8 bits: as a mark of the images."""
    if dtype.kind == "b" or (low >= 0 and high <= 1):  # whole numbers as well: black and white
        return UNIT
    if low >= 0 and high <= 255:
        if dtype != np.uint8 or high < DARK:
            remarks.append(f"{excerpt(name)} is of {dtype.name} with numbers up to {high:g}: taken as 0 to 255.")
        return 0
    if dtype.kind in "ui" and low >= 0 and high <= 65_535:
        return DEEP | (FAINT if high < FAINT_BELOW else 0)
    raise DataError(
        f"{excerpt(name)} in {where} has numbers from {low:g} to {high:g}: pixels are whole numbers from 0 to 255 or "
        "to 65,535, or floats from 0 to 1. Save the images before they are normalised."
    )


def _labels(file: ArrayFile, name: str, remarks: list[str]) -> np.ndarray:
    """Whole numbers or texts, one each."""
    labels = np.asarray(file.read(name))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    is_table = labels.ndim == 2 and labels.dtype.kind in "uifb" and labels.shape[1] > 0
    if is_table and ((labels != 0).sum(axis=1) == 1).all():
        remarks.append(f"{excerpt(name)} has one column for each class: the one that is not 0 is the label.")
        return np.argmax(labels != 0, axis=1)
    if labels.ndim != 1:
        raise DataError(
            f"{excerpt(name)} in {file.name} has the shape {'×'.join(map(str, labels.shape))}: labels are N numbers or "
            "texts, one for each image."
        )
    if labels.dtype.kind in "US":
        return labels
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
        raise DataError(f"{excerpt(name)} in {file.name} holds numbers that are not whole: labels are.")
    if len(labels) and not -(2**31) < labels.min() <= labels.max() < 2**31:
        raise DataError(f"{excerpt(name)} in {file.name} holds numbers that are too large for labels.")
    return labels.astype(np.int64)


def _classes(file: ArrayFile) -> list[str] | None:
    name = next((name for name in CLASSES if name in file.arrays), None)
    if name is None or file.header(name).dtype.kind not in "US":
        return None
    return [str(text) for text in np.asarray(file.read(name)).astype(str).reshape(-1).tolist()]
