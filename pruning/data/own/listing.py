"""What a place holds once it was looked through: its readable images, without their pixels, kept on disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pruning.base.files import cache_dir, replace_file

VERSION = 2
"""Of the file that keeps a listing: another one is made anew."""
MOST_KEPT, MOST_BYTES = 100, 1_000_000_000
"""Listings on disk."""


class Names:
    """Many texts in one block of bytes: a million of them take as long to load as one."""

    def __init__(self, block: np.ndarray, ends: np.ndarray) -> None:
        """`block`: uint8; `ends`: int64, where in it each text ends."""
        self.block, self.ends = block, ends

    @staticmethod
    def of(texts: Iterable[str]) -> Names:
        encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        return Names(np.frombuffer(b"".join(encoded), dtype=np.uint8), np.cumsum(lengths))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> str:
        start = int(self.ends[number - 1]) if number else 0
        return self.block[start : int(self.ends[number])].tobytes().decode("utf-8", "surrogateescape")

    def at(self, places: np.ndarray) -> Names:
        """Those at some places."""
        return Names.of(self[int(place)] for place in places)


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """The readable images of a place, in the order of their names. All arrays have one entry an image."""

    title: str
    """The last name of the place."""
    names: Names = field(repr=False)
    """Where an image lies within the place, for sentences and readers."""
    parts: np.ndarray = field(repr=False)
    """int8: a place in `folder_names.PARTS`, or NO_PART."""
    labels: np.ndarray | None = field(repr=False)
    """int32: a place in `classes`; None: there are no labels."""
    classes: tuple[str, ...]
    sizes: np.ndarray = field(repr=False)
    """int32, N × 2: height and width of the upright image."""
    marks: np.ndarray = field(repr=False)
    """uint8: bits of `decode`."""
    contents: np.ndarray = field(repr=False)
    """uint8, N × 16: what tells the content of one image from another's; equal for files of equal bytes."""
    remarks: tuple[str, ...] = ()
    where: np.ndarray | None = field(repr=False, default=None)
    """int64, N × 2: offset and length in a file of their own, where the reader keeps one."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names, contents, parts, labels and classes: the same wherever a copy lies."""
        sha = hashlib.sha256(json.dumps(self.classes).encode())
        arrays = (self.names.block, self.names.ends, self.contents, self.parts, self.labels)
        for array in arrays:
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    @cached_property
    def same_size(self) -> tuple[int, int] | None:
        """Height and width where all images agree."""
        first = self.sizes[0]
        return (int(first[0]), int(first[1])) if (self.sizes == first).all() else None


_ARRAYS = ("parts", "labels", "sizes", "marks", "contents", "where")


def load(key: str) -> Listing | None:
    """A listing that was kept; None where there is none, or it is damaged."""
    try:
        os.utime(_path(key))
        with np.load(_path(key), allow_pickle=False) as kept:
            facts = json.loads(kept["facts"].tobytes())
            names = Names(kept["block"], kept["ends"])
            arrays: dict[str, Any] = {name: kept[name] if name in kept.files else None for name in _ARRAYS}
            listing = Listing(
                title=facts["title"],
                names=names,
                classes=tuple(facts["classes"]),
                remarks=tuple(facts["remarks"]),
                **arrays,
            )
    except Exception:  # a damaged file raises nearly anything on its way through zipfile and NumPy
        return None
    return listing if _is_sound(listing) else None


def save(key: str, listing: Listing) -> None:
    """Keep a listing. What cannot be written costs time only."""
    facts = {"title": listing.title, "classes": listing.classes, "remarks": listing.remarks}
    file = io.BytesIO()
    np.savez(
        file,
        facts=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
        block=listing.names.block,
        ends=listing.names.ends,
        **{name: array for name in _ARRAYS if (array := getattr(listing, name)) is not None},
    )
    try:
        _path(key).parent.mkdir(parents=True, exist_ok=True)
        replace_file(_path(key), file.getvalue())
        _remove_oldest()
    except OSError:
        pass


def _remove_oldest() -> None:
    """Until no more than MOST_KEPT listings of MOST_BYTES together are left, those used last."""
    kept = sorted(
        ((path.stat().st_mtime, path.stat().st_size, path) for path in own_cache().glob("*.npz")), reverse=True
    )
    used = 0
    for number, (_, size, path) in enumerate(kept):
        used += size
        if number and (number >= MOST_KEPT or used > MOST_BYTES):
            path.unlink(missing_ok=True)


def forget(key: str) -> None:
    """Have the place looked through once more at its next use."""
    _path(key).unlink(missing_ok=True)


def own_cache() -> Path:
    """The folder of all that is kept of one's own images."""
    return cache_dir() / "own"


def _path(key: str) -> Path:
    return own_cache() / f"{key}-{VERSION}.npz"


def _is_sound(listing: Listing) -> bool:
    count = len(listing)
    labels = listing.labels
    return (
        count > 0
        and listing.sizes.shape == (count, 2)
        and listing.contents.shape == (count, 16)
        and len(listing.parts) == len(listing.marks) == count
        and (labels is None or (len(labels) == count and labels.min() >= 0 and labels.max() < len(listing.classes)))
        and (listing.where is None or listing.where.shape == (count, 2))
    )
