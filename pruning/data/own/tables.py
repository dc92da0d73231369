"""The listing of images in Parquet files: their columns, classes and roles; the images are copied where they can be
read in any order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pruning.base.errors import DataError, excerpt, first_line
from pruning.base.extras import need
from pruning.base.first_bytes import why_not
from pruning.data.info import Progress
from pruning.data.own.folder_names import NO_PART, PART_NAMES
from pruning.data.own.labels import number_labels
from pruning.data.own.listing import Listing
from pruning.data.own.look import HEAD, TAIL, Candidates, Ends, look_through
from pruning.data.own.parquet_columns import Columns, columns_of
from pruning.data.own.spool import Spool, spool_path, written
from pruning.data.own.words import images_of, listed

ROWS = 64
"""That are read together."""
BOMB = 100
"""Images never unpack to so many times the size of their file."""


def part_of_file(path: Path, root: Path) -> int:
    """The part that a file is of by its name (train-00000-of-00002.parquet) or its folder's: a place in PARTS."""
    folder = path.parent.name.lower() if path.parent != root else ""
    for text in (path.name.lower().removesuffix(".parquet"), folder):
        found = {PART_NAMES[word] for word in re.split(r"[-_.]", text) if word in PART_NAMES}
        if len(found) == 1:
            return found.pop()
    return NO_PART


def list_tables(place: Path, files: Sequence[Path], key: str, progress: Progress | None = None) -> Listing:
    """All images of some Parquet files.

    Raises:
        InputError: pyarrow is missing.
        DataError: a file is damaged, or there are no images in them.
    """
    parquet = _library()
    names: list[str] = []
    parts: list[int] = []
    where: list[tuple[int, int]] = []
    labels: list[Any] = []
    columns: Columns | None = None
    absent = unlabelled = 0
    opened = [_open(parquet, path) for path in files]
    wanted = sum(_size(file) for file in opened)
    on_disk = sum(path.stat().st_size for path in files)
    if wanted > 1_000_000_000 and wanted > BOMB * on_disk:
        raise DataError(
            f"{excerpt(place.name)} says that it unpacks to {wanted:,} bytes, more than {BOMB} times its own size: "
            "images never do, so nothing in it is read."
        )
    with written(spool_path(key), wanted) as spool:
        for number, (path, file) in enumerate(zip(files, opened, strict=True)):
            found = columns_of(file, path.name)
            if columns is None:
                columns = found
            elif (found.image, found.label, found.names) != (columns.image, columns.label, columns.names):
                raise DataError(f"{excerpt(path.name)} and {excerpt(files[0].name)} have other columns or classes.")
            name = str(path.relative_to(place)) if path != place else path.name
            row = 0
            for images, some in _rows(file, columns, path.name):
                for content, label in zip(images, some, strict=True):
                    row += 1
                    if content is None:
                        absent += 1
                    elif columns.label is not None and (label is None or label == -1):
                        unlabelled += 1
                    else:
                        names.append(f"{name}[{row - 1}]")
                        parts.append(part_of_file(path, place))
                        where.append((spool.tell(), len(content)))
                        labels.append(label)
                        if spool.tell() + len(content) > max(wanted, 1) * 2:
                            raise DataError(f"{excerpt(path.name)} holds more than it says: it is damaged.")
                        spool.write(content)
            if progress:
                progress(f"Reading {images_of(len(names))}", (number + 1) / len(files))
    assert columns is not None
    remarks = list(columns.remarks)
    if absent:
        remarks.append(f"{images_of(absent)} {'is' if absent == 1 else 'are'} only named in the file, not in it.")
    if unlabelled:
        remarks.append(f"{images_of(unlabelled)} without a label (−1, or none) were left out.")
    if len(set(parts)) > 1 and NO_PART in parts:
        left_out = sorted({name.partition("[")[0] for name, part in zip(names, parts, strict=True) if part == NO_PART})
        remarks.append(f"Left out, beside files of roles: {listed(left_out)}.")
        keep = [place for place, part in enumerate(parts) if part != NO_PART]
        names, parts = [names[i] for i in keep], [parts[i] for i in keep]
        where, labels = [where[i] for i in keep], [labels[i] for i in keep]
    known = None
    if columns.label is not None and names:
        known = number_labels(np.array(labels), columns.names, place.name)
        remarks += known.remarks
    reader = Spool(spool_path(key))

    def ends(number: int) -> Ends:
        start, length = where[number]
        end = reader.read(start + max(HEAD, length - TAIL), min(TAIL, length - HEAD)) if length > HEAD else b""
        return Ends(size=length, start=reader.read(start, min(HEAD, length)), end=end)

    return look_through(
        Candidates(
            title=place.name,
            names=names,
            parts=np.array(parts, dtype=np.int8),
            labels=None if known is None else known.numbers,
            classes=() if known is None else known.classes,
            total_bytes=sum(length for _, length in where),
            ends=ends,
            read=lambda number: reader.read(*where[number]),
            remarks=tuple(remarks),
            where=np.array(where, dtype=np.int64).reshape(-1, 2),
        ),
        progress,
    )


def _library() -> Any:
    need("parquet", "Reading Parquet files")
    from pyarrow import parquet  # slow to import, and only needed here

    return parquet


def _open(parquet: Any, path: Path) -> Any:
    try:
        return parquet.ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=2**20)
    except Exception as error:  # nearly anything may come of damaged bytes
        raise DataError(f"{excerpt(path.name)} is no readable Parquet file: {why_not(path, 'parquet')}.") from error


def _size(file: Any) -> int:
    """Bytes that all columns take unpacked."""
    try:
        meta = file.metadata
        return sum(max(0, meta.row_group(group).total_byte_size) for group in range(meta.num_row_groups))
    except Exception:
        return 0


def _rows(file: Any, columns: Columns, where: str) -> Any:
    """Encoded images (bytes or None) and labels (whole numbers, texts or None) of some rows at a time."""
    wanted = [columns.image, *([columns.label] if columns.label is not None else [])]
    name, _, inner = columns.image.partition(".") if columns.image.endswith(".bytes") else (columns.image, "", "")
    if columns.image.endswith(".bytes"):
        name, inner = columns.image.removesuffix(".bytes"), "bytes"
    try:
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted, use_threads=False):
            images = batch.column(name).to_pylist()
            if inner:
                images = [None if image is None else image.get(inner) for image in images]
            labels = batch.column(columns.label).to_pylist() if columns.label is not None else [None] * len(images)
            yield images, [_label(label, where) for label in labels]
    except DataError:
        raise
    except Exception as error:  # as above
        raise DataError(f"{excerpt(where)} is damaged: {first_line(error, 100)}.") from error


def _label(value: Any, where: str) -> int | str | None:
    """A label as a whole number or a text; None where there is none, which real numbers write as NaN."""
    if not isinstance(value, float | bool):
        return value
    if value != value:
        return None
    if not float(value).is_integer():
        raise DataError(f"A label in {excerpt(where)} is {value:g}: labels are whole numbers, or names of classes.")
    return int(value)
