"""Where the images of known data sets lie on this machine. Nothing is read here."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from pruning.base.files import cache_dir, given_path

DATA_VARIABLE = "PRUNING_DATA"


def given_place(data_dir: str | None) -> Path | None:
    """Where the user says that images lie: `data_dir`, else the environment variable PRUNING_DATA; None: nowhere.

    Raises:
        InputError: no file can have such a path.
    """
    place = data_dir or os.environ.get(DATA_VARIABLE)
    return given_path(place) if place else None


def find_place(name: str, place: Path) -> Path | None:
    """The zip or folder that holds the data set `name`: `place` itself or one in it."""
    if os.path.isfile(place) and zipfile.is_zipfile(place):
        return place
    for candidate in (place / f"{name}.zip", place / name, place):  # a path may get too long: false, and no error
        if os.path.isfile(candidate) or os.path.isdir(candidate / "train"):
            return candidate
    return None


def download_dir() -> Path:
    """Where torchvision keeps what it fetched for the explorer."""
    return cache_dir() / "torchvision"
