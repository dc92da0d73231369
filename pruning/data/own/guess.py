"""Of which kind a file or folder is that somebody named with nothing before it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from pruning.base.files import given_path
from pruning.base.first_bytes import Group, kind_of, start_of
from pruning.data.own.parquet import files_in
from pruning.data.own.reference import take_apart

MOST_SEEN = 5_000
"""Files of a folder that are looked at, by their names."""
TABLES = (".csv", ".tsv", ".jsonl")
FORMS = "name a folder, a .zip, .npz or .parquet file, or FILE.py:FUNCTION"
REMEDIES: dict[Group, str] = {
    "archive": "unpack it and name the folder, or a .zip, .npz or .parquet file",
    "image": "name the folder that it lies in",
    "weights": "name it with ?weights=FILE behind the network, and here a folder of images",
}


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
        known = kind_of(start_of(path))
    except OSError as error:
        return None, f"cannot be read ({error.strerror})."
    if (known and known.name == "parquet") or path.suffix.lower() == ".parquet":
        return "parquet", None
    if path.suffix.lower() == ".npz":
        return "npz", None
    if zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
        names = _members(path)
        if any(name.endswith("data.pkl") for name in names):
            return None, f"is a file of weights, as torch.save writes it, and no images: {FORMS}."
        return ("npz" if names and all(name.endswith(".npy") for name in names) else "zip"), None
    if known is None and path.suffix.lower() in TABLES:
        return None, "is a table: name the folder that it lies in together with the images that it names."
    what = f"is {known.words}" if known else "is nothing that images are read from"
    return None, f"{what}: {REMEDIES.get(known.group, FORMS) if known else FORMS}."


def _kind_of_folder(path: Path) -> str:
    """Of Parquet, if files of it take more room than images do, among the first few thousand files: a picture beside
    them belongs to a text about them, and a table beside images says something of these."""
    from pruning.data.own.folder_names import is_clutter, is_image

    seen, images, tables = 0, 0, 0
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not is_clutter(name))
        for name in names[:MOST_SEEN]:
            if is_image(name):
                images += _bytes(f"{folder}/{name}")
            elif name.lower().endswith(".parquet") and not name.lower().startswith("metadata"):
                tables += _bytes(f"{folder}/{name}")
        seen += len(names)
        if seen > MOST_SEEN:
            break
    return "parquet" if tables > images and files_in(path) else "folder"


def _bytes(path: str) -> int:
    """Size of a file, at least 1; 0 where it is none."""
    try:
        return max(1, os.stat(path).st_size)
    except OSError:
        return 0


def _members(path: Path) -> list[str]:
    """Names in a zip; [] where it cannot be read, which whoever reads it says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:  # nearly anything may come of damaged bytes
        return []
