"""Of which kind a file or folder is that somebody named with nothing before it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from pruning.base.files import given_path
from pruning.data.own.first_bytes import kind_of
from pruning.data.own.parquet import files_in
from pruning.data.own.reference import take_apart

MOST_SEEN = 5_000
"""Files of a folder that are looked at, by their names."""


def kind_of_path(text: str) -> tuple[str | None, str | None]:
    """The kind of reader; else None, and why it is none, to go on 'photos.rar …' (None: there is nothing at all).

    Raises:
        InputError: no file can have such a path.
    """
    _, place, rest = take_apart(f":{text}")
    path = given_path(place)
    if rest.startswith(":") or path.suffix == ".py":
        return ("file", None) if os.path.isfile(path) else (None, None)
    if os.path.isdir(path):
        return _kind_of_folder(path), None
    if not os.path.isfile(path):
        return None, None
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        return None, f"cannot be read ({error.strerror})."
    if start.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return "parquet", None
    if path.suffix.lower() == ".npz":
        return "npz", None
    if zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
        return ("npz" if _holds_arrays(path) else "zip"), None
    known = kind_of(start)
    what = f"is {known}" if known else "is nothing that images are read from"
    return None, f"{what}: name a folder, a .zip, .npz or .parquet file, or FILE.py:FUNCTION."


def _kind_of_folder(path: Path) -> str:
    """Of Parquet, if it holds files of it, and no images by their names among the first few thousand."""
    from pruning.data.own.layout import is_image

    seen, tables = 0, False
    for _, inner, names in os.walk(path):
        inner.sort()
        if any(is_image(name) for name in names[:MOST_SEEN]):
            return "folder"
        tables = tables or any(name.lower().endswith(".parquet") for name in names)
        seen += len(names)
        if seen > MOST_SEEN:
            break
    return "parquet" if tables and files_in(path) else "folder"


def _holds_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # nearly anything may come of damaged bytes
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)
