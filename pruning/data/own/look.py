"""Looking through files of images: which can be read, how large they are, and which are the same."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pruning.base.errors import DataError, excerpt, first_line
from pruning.data.info import Progress
from pruning.data.own.decode import DEEP, FAINT, LARGEST_FILE, Header, UnreadableImage, read_header
from pruning.data.own.listing import Listing, Names
from pruning.data.own.words import images_of
from pruning.data.own.workers import for_each

HEAD, TAIL = 65_536, 4_096
"""Bytes from the start and the end of a file that are looked at."""
THOROUGH_FILES, THOROUGH_BYTES = 500, 500_000_000
"""Up to here every file is decoded once to look for damage; of more, JPEG and PNG files by their headers and ends."""
SAMPLE = 20
"""Images of 16 bits, of more than that, whose pixels are looked at."""
END = 64
"""Bytes from a file's end in which its end mark lies; where something was appended, all of it is decoded."""
CHANGED = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a file of somebody's raises."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A file's start and end."""

    size: int
    """Bytes."""
    start: bytes
    """The first HEAD bytes."""
    end: bytes
    """The last TAIL bytes of a larger file, or what else tells its content; empty for a smaller one."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Files that are images by their names."""

    title: str
    names: Sequence[str]
    parts: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    total_bytes: int
    """Of all files together."""
    ends: Callable[[int], Ends] = field(repr=False)
    read: Callable[[int], bytes] = field(repr=False)
    """Both raise one of CHANGED."""
    remarks: tuple[str, ...] = ()
    where: np.ndarray | None = None


def look_through(candidates: Candidates, progress: Progress | None = None) -> Listing:
    """The readable ones among the candidates; the others are counted and named in a remark.

    Raises:
        DataError: there are none.
    """
    count = len(candidates.names)
    if not count:
        said = f". {candidates.remarks[-1]}" if candidates.remarks else ": check the path."
        raise DataError(f"There are no images in {excerpt(candidates.title)}{said}")
    thorough = count <= THOROUGH_FILES and candidates.total_bytes <= THOROUGH_BYTES
    sizes, marks = np.zeros((count, 2), dtype=np.int32), np.zeros(count, dtype=np.uint8)
    contents = np.zeros((count, 16), dtype=np.uint8)
    bad: dict[int, str] = {}

    def look(number: int) -> None:
        try:
            ends = candidates.ends(number)
            contents[number] = np.frombuffer(_mark(ends), dtype=np.uint8)
            header = _header(ends, lambda: candidates.read(number), thorough)
        except UnreadableImage as error:
            bad[number] = str(error)
            return
        except CHANGED as error:
            bad[number] = f"it cannot be read ({first_line(error, 100)})"
            return
        sizes[number] = header.height, header.width
        marks[number] = header.marks

    step = 2_000
    for start in range(0, count, step):
        if progress:
            progress(f"Looking at {images_of(count)}", start / count)
        for_each(look, range(start, min(count, start + step)))
    good = np.array([number for number in range(count) if number not in bad], dtype=np.int64)
    if not len(good):
        raise DataError(
            f"None of the {images_of(count)} in {excerpt(candidates.title)} can be read: "
            f"{excerpt(candidates.names[0])}: {bad[0]}."
        )
    _settle_faint(marks, good, [] if thorough else _looked_deeper(candidates, marks, good))
    remarks = [*candidates.remarks, *_said_of(bad, candidates.names, count)]
    return Listing(
        title=candidates.title,
        names=Names.of(candidates.names[number] for number in good),
        parts=candidates.parts[good],
        labels=None if candidates.labels is None else candidates.labels[good],
        classes=candidates.classes,
        sizes=sizes[good],
        marks=marks[good],
        contents=contents[good],
        remarks=tuple(remarks),
        where=None if candidates.where is None else candidates.where[good],
    )


def _looked_deeper(candidates: Candidates, marks: np.ndarray, good: np.ndarray) -> list[int]:
    """Numbers of some images of 16 bits whose pixels were looked at: these alone tell whether all bits are used."""
    deep = good[marks[good] & DEEP > 0]
    some = deep[:: max(1, len(deep) // SAMPLE)].tolist()
    for number in some:
        with contextlib.suppress(UnreadableImage, *CHANGED):  # said when it is used
            marks[number] |= read_header(candidates.read(number), thorough=True).marks
    return some


def _settle_faint(marks: np.ndarray, good: np.ndarray, sample: list[int]) -> None:
    """A dark image among others is nothing to speak of: images of 16 bits leave the upper ones empty all together, as
    far as they were looked at, or not."""
    deep = good[marks[good] & DEEP > 0]
    looked_at = np.array(sample, dtype=np.int64) if sample else deep
    if (marks[looked_at] & FAINT > 0).all():
        marks[deep] |= FAINT
    else:
        marks[deep] &= ~np.uint8(FAINT)


def _mark(ends: Ends) -> bytes:
    mark = hashlib.blake2b(ends.size.to_bytes(8, "little"), digest_size=16)
    mark.update(ends.start)
    mark.update(ends.end)
    return mark.digest()


def _header(ends: Ends, read: Callable[[], bytes], thorough: bool) -> Header:
    if ends.size > LARGEST_FILE:
        raise UnreadableImage(f"it has {ends.size:,} bytes, and {LARGEST_FILE:,} is the most")
    if ends.size <= len(ends.start):
        return read_header(ends.start, thorough=thorough or not _ends_well(ends.start, ends.start))
    if thorough or not _ends_well(ends.start, ends.end):
        return read_header(read(), thorough=True)
    try:
        return read_header(ends.start, thorough=False)
    except UnreadableImage:
        return read_header(read(), thorough=True)  # its header goes on after the start, as TIFF's may


def _ends_well(start: bytes, end: bytes) -> bool:
    """Whether a JPEG or PNG has its end mark; of other formats it is not known."""
    if start.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in end[-END:]  # which never stands within the pixels of a JPEG
    return start.startswith(b"\x89PNG") and b"IEND" in end[-END:]


def _said_of(bad: dict[int, str], names: Sequence[str], count: int) -> list[str]:
    if not bad:
        return []
    first = [f"{excerpt(names[number], 60)} ({bad[number]})" for number in sorted(bad)[:3]]
    more = f" and {len(bad) - 3:,} more" if len(bad) > 3 else ""
    left = "was" if len(bad) == 1 else "were"
    return [f"{len(bad):,} of {images_of(count)} cannot be read and {left} left out: {', '.join(first)}{more}."]
