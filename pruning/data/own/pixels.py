"""Decoded pixels kept on disk within a budget, so that only the first look at an image pays for decoding it."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import zlib
from pathlib import Path

import numpy as np

from pruning.data.own.listing import own_cache

BUDGET = 4_000_000_000
"""Bytes of decoded pixels that are kept, of all data sets together; those that were used last stay."""
SPARE = 1_000_000_000
"""Bytes that are left free on the disk."""


class PixelCache:
    """Pixels of one data set as one preprocessing makes them, by number.

    The first `slots` numbers are kept, as many as the budget allows. Several threads and processes may use one: what
    they write is the same. Every image has a checksum, so that nothing half-written is ever read. What cannot be
    written or read costs time only.
    """

    def __init__(self, key: str, count: int, shape: tuple[int, int, int], folder: Path | None = None) -> None:
        """`key`: what tells these pixels from all others."""
        self._shape, self._bytes = shape, math.prod(shape)
        self.slots = 0
        folder = own_cache() / "pixels" if folder is None else folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            pixels, sums = folder / f"{key}.pixels", folder / f"{key}.sums"
            there = pixels.exists()
            room = BUDGET if there else _make_room(folder, min(BUDGET, count * self._bytes))
            slots = min(count, room // self._bytes)
            if slots < 1:
                return
            slots = pixels.stat().st_size // self._bytes if there else slots
            self._pixels = _sized(pixels, slots * self._bytes)
            self._sums = _sized(sums, slots * 4)
            os.utime(sums)
            self._known = np.frombuffer(bytearray(os.pread(self._sums, slots * 4, 0)), dtype=np.uint32)
            self._checked = np.zeros(slots, dtype=bool)
            self._mapped = np.memmap(pixels, dtype=np.uint8, mode="r", shape=(slots, *shape))
            self.slots = slots
        except (OSError, ValueError):
            self.slots = 0

    def take(self, numbers: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill `out` (uint8, N × C × H × W) with what is kept; bool, N: which of it was not."""
        missing = np.ones(len(numbers), dtype=bool)
        if not self.slots:
            return missing
        slots = np.flatnonzero(numbers < self.slots)
        for place in slots[~self._checked[numbers[slots]]]:
            number = int(numbers[place])
            self._checked[number] = self._known[number] != 0 and _sum(self._mapped[number]) == self._known[number]
        there = slots[self._checked[numbers[slots]]]
        out[there] = self._mapped[numbers[there]]
        missing[there] = False
        return missing

    def keep(self, number: int, pixels: np.ndarray) -> None:
        """Keep the pixels (uint8, C × H × W) of an image."""
        if number >= self.slots:
            return
        found = _sum(pixels)
        with contextlib.suppress(OSError):
            if os.pwrite(self._pixels, np.ascontiguousarray(pixels).data, number * self._bytes) == self._bytes:
                os.pwrite(self._sums, int(found).to_bytes(4, "little"), number * 4)
                self._known[number] = found
                self._checked[number] = True

    def __del__(self) -> None:
        for handle in (getattr(self, "_pixels", None), getattr(self, "_sums", None)):
            if handle is not None:
                with contextlib.suppress(OSError):
                    os.close(handle)


def _sum(pixels: np.ndarray) -> int:
    """A checksum that is never 0, which stands for nothing kept."""
    return zlib.crc32(np.ascontiguousarray(pixels).data) or 1


def _sized(path: Path, size: int) -> int:
    """A handle of a file of a size, made where there is none: a hole that takes no room until it is written."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(handle).st_size != size:
        os.ftruncate(handle, size)
    return handle


def _make_room(folder: Path, wanted: int) -> int:
    """Remove what was used least lately until so many bytes fit into the budget; the bytes that may be written."""
    kept = []
    for path in folder.glob("*.pixels"):
        with contextlib.suppress(OSError):
            kept.append((path.with_suffix(".sums").stat().st_mtime, path.stat().st_blocks * 512, path))
    used = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if used + wanted <= BUDGET:
            break
        path.unlink(missing_ok=True)
        path.with_suffix(".sums").unlink(missing_ok=True)
        used -= size
    return max(0, min(wanted, BUDGET - used, shutil.disk_usage(folder).free - SPARE))
