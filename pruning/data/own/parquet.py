"""The reader of Parquet files as Hugging Face writes them: a column of encoded images, and one of labels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.base.errors import DataError, InputError, excerpt
from pruning.data.info import Progress
from pruning.data.own.reference import OwnReference
from pruning.data.own.row import Looked, own_reader
from pruning.data.own.stamps import unsettled

if TYPE_CHECKING:
    from pruning.data.own.listing import Listing
    from pruning.data.own.reading import Decoded


def files_in(place: Path) -> list[Path]:
    """The Parquet files that a path names: itself, or those in a folder and the folders in it, by name."""
    if not place.is_dir():
        return [place]
    found = []
    for folder, inner, names in os.walk(place):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(".parquet") and not name.startswith(".") and os.path.isfile(f"{folder}/{name}"):
                found.append(Path(folder) / name)
    return found


def look(reference: OwnReference, progress: Progress | None) -> Looked:
    place = reference.place
    if not place.exists():
        raise InputError(f"There is no file or folder {excerpt(reference.path, 200)}: check the path.")
    files = files_in(place)
    if not files:
        raise InputError(f"The folder {excerpt(reference.path, 200)} holds no .parquet files: check the path.")
    sha = hashlib.sha256(b"parquet")
    newest = 0
    for path in files:
        try:
            status = os.stat(path)
        except OSError as error:
            raise DataError(f"{excerpt(path.name)} cannot be read ({error.strerror}).") from error
        newest = max(newest, status.st_mtime_ns)
        sha.update(f"{path} {status.st_size} {status.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    sha.update(unsettled(newest).encode())
    key = sha.hexdigest()[:32]

    def make() -> Listing:
        from pruning.data.own.tables import list_tables

        return list_tables(place, files, key, progress)

    from pruning.data.own.kept import forget
    from pruning.data.own.spool import spool_path

    if not spool_path(key).is_file():
        forget(key)  # its images are to be copied once more
    return Looked(key=key, make=make)


def decoded(reference: OwnReference, listing: Listing, key: str) -> Decoded:
    from pruning.data.own.decode import decode
    from pruning.data.own.spool import Spool, spool_path

    where = listing.where
    assert where is not None
    spool = Spool(spool_path(key))
    return lambda number: decode(spool.read(int(where[number, 0]), int(where[number, 1])))


PARQUET = own_reader(kind="parquet", form="parquet:PATH", look=look, decoded=decoded, source="Parquet", is_file=False)
