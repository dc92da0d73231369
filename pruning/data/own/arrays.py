"""The arrays of a NumPy archive, read without unpickling anything; large ones stay on disk."""

from __future__ import annotations

import math
import os
import struct
import threading
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy

from pruning.base.errors import DataError, excerpt, first_line
from pruning.base.first_bytes import why_not
from pruning.data.own.folder_names import NO_PART, PART_NAMES
from pruning.data.own.words import listed

IMAGES = {"images", "image", "imgs", "x", "data", "pixels"}
LABELS = {"labels", "label", "y", "targets", "target", "class", "lbl", "lbls"}
CLASSES = ("classes", "class_names", "label_names")
IN_MEMORY = 1_000_000_000
"""Bytes of a compressed array, which has to be read as a whole."""
LONGEST_HEADER = 10_000
LARGE, BOMB = 200_000_000, 1_000
"""An array that is larger, and that many times as large as what is packed, is a bomb."""
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, kw_only=True)
class _Array:
    name: str
    info: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool
    start: int
    """Bytes of its header within the member."""

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class ArrayFile:
    """An archive whose headers were read and checked."""

    def __init__(self, path: Path) -> None:
        """Raises DataError where it is no archive of arrays, or holds what is not to be read."""
        self.path, self.name = path, excerpt(path.name)
        try:
            self._zip = zipfile.ZipFile(path)
            members = [info for info in self._zip.infolist() if info.filename.endswith(".npy")]
        except Exception as error:  # nearly anything may come of damaged bytes
            raise DataError(f"{self.name} is no readable .npz: {why_not(path, 'npz')}.") from error
        self.arrays = {info.filename.removesuffix(".npy"): info for info in members}
        if not self.arrays:
            raise DataError(f"{self.name} holds no arrays: save images and labels with numpy.savez.")
        self._headers: dict[str, _Array] = {}
        self._read: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    @cached_property
    def parts(self) -> list[tuple[int, str, str | None]]:
        """Part (a place in PARTS or NO_PART), the array of its images, and that of its labels.

        Raises:
            DataError: no array is called images.
        """
        found: dict[int, dict[str, str]] = {}
        for name in self.arrays:
            words = name.lower().replace("-", "_").split("_")
            part = next((PART_NAMES[word] for word in words if word in PART_NAMES), NO_PART)
            rest = [word for word in words if word not in PART_NAMES]
            kind = "images" if set(rest) & IMAGES else "labels" if set(rest) & LABELS else None
            if kind and len(rest) == 1:
                found.setdefault(part, {}).setdefault(kind, name)
        parts = [(part, some["images"], some.get("labels")) for part, some in sorted(found.items()) if "images" in some]
        if not parts:
            raise DataError(
                f"{self.name} has no array called images: it has {listed(list(self.arrays), 6)}. Save it with images "
                "and labels, or with train_images, train_labels and so on."
            )
        return parts if len(parts) == 1 else [part for part in parts if part[0] != NO_PART]

    @property
    def unread(self) -> list[str]:
        """Names of arrays that are neither images nor labels, nor names of classes."""
        used = {name for _, *names in self.parts for name in names} | set(CLASSES)
        return sorted(name for name in self.arrays if name not in used)

    def header(self, name: str) -> _Array:
        """Type and shape of an array. Raises DataError where they are none that can be read."""
        if name not in self._headers:
            self._headers[name] = self._read_header(name)
        return self._headers[name]

    def _read_header(self, name: str) -> _Array:
        info = self.arrays[name]
        try:
            with self._zip.open(info) as file:
                version = npy.read_magic(file)
                read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
                shape, fortran, dtype = read(file, max_header_size=LONGEST_HEADER)
                start = file.tell()
        except Exception as error:  # as above
            raise DataError(
                f"{excerpt(name)} in {self.name} is no readable array: {first_line(error, 100)}."
            ) from error
        if dtype.hasobject or dtype.kind not in "buifUS":
            raise DataError(
                f"{excerpt(name)} in {self.name} is an array of Python objects or records, which is never unpickled: "
                "save it as numbers or texts."
            )
        array = _Array(name=name, info=info, dtype=dtype, shape=shape, is_fortran=fortran, start=start)
        if any(length < 0 for length in shape) or array.bytes + start != info.file_size:
            raise DataError(f"{excerpt(name)} in {self.name} is damaged: its size is not what its header says.")
        if array.bytes > LARGE and array.bytes > BOMB * max(1, info.compress_size):
            raise DataError(
                f"{excerpt(name)} in {self.name} unpacks to {array.bytes:,} bytes, more than {BOMB:,} times its size: "
                "it is not read."
            )
        return array

    def read(self, name: str) -> np.ndarray:
        """An array; one that is not compressed stays on disk until it is looked at.

        Raises:
            DataError: it is damaged, or too large to be read as a whole.
        """
        with self._lock:
            if name not in self._read:
                self._read[name] = self._read_array(self.header(name))
            return self._read[name]

    def _read_array(self, array: _Array) -> np.ndarray:
        name = array.name
        order: Literal["F", "C"] = "F" if array.is_fortran else "C"
        if not array.bytes:
            return np.zeros(array.shape, array.dtype)
        if array.info.compress_type == zipfile.ZIP_STORED and array.dtype.kind not in "US":
            place = self._place(array.info) + array.start
            if place + array.bytes > os.path.getsize(self.path):
                raise DataError(f"{excerpt(name)} in {self.name} is cut short: save it again.")
            return np.memmap(self.path, dtype=array.dtype, mode="r", offset=place, shape=array.shape, order=order)
        if array.bytes > IN_MEMORY:
            raise DataError(
                f"{excerpt(name)} in {self.name} takes {array.bytes:,} bytes and is compressed, so that it would have "
                "to be read at once: save it with numpy.savez, which does not compress."
            )
        try:
            with self._zip.open(array.info) as file:
                file.read(array.start)
                content = file.read(array.bytes + 1)
            return np.frombuffer(content, dtype=array.dtype).reshape(array.shape, order=order)
        except Exception as error:  # as above
            raise DataError(f"{excerpt(name)} in {self.name} is damaged: {first_line(error, 100)}.") from error

    def _place(self, info: zipfile.ZipInfo) -> int:
        """Where a member's bytes begin in the file."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            fields = _LOCAL.unpack(file.read(_LOCAL.size))
        return info.header_offset + _LOCAL.size + int(fields[-2]) + int(fields[-1])
