"""Python files that make networks, and files of weights for them, as a list to choose from. Nothing is run."""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import Path

CODE = (".py",)
WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".pth.tar")
"""Endings that files of weights usually have."""
MOST_FILES = 500
MOST_FOLDERS = 2000
"""That are looked into: a folder of photos may hold more."""
LARGEST = 1_000_000
"""Bytes of a Python file that is looked into."""
RESERVED = "?&"
"""Letters of a path that no reference can hold."""
FIRST = "build"
"""The usual name of a function that makes a network."""


def files_below(folders: Sequence[Path], endings: tuple[str, ...]) -> list[Path]:
    """Files with one of these endings, folder by folder in the order of their names, at most `MOST_FILES`; what is
    hidden or installed is left out, and a folder that cannot be read is empty."""
    found: list[Path] = []
    looked = 0
    for folder in folders:
        for place, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith((".", "__")) and name != "site-packages")
            files = [Path(place, name) for name in sorted(names) if name.lower().endswith(endings)]
            found += [file for file in files if not any(letter in str(file) for letter in RESERVED)]
            looked += 1
            if len(found) >= MOST_FILES or looked >= MOST_FOLDERS:
                return found[:MOST_FILES]
    return found


def short_path(path: Path, folders: Sequence[Path]) -> str:
    """A file by its place below the listed folder that it lies in.

    >>> short_path(Path("/home/me/nets/small/net.py"), [Path("/home/me/nets")])
    'nets/small/net.py'
    """
    folder = next((folder for folder in folders if folder in path.parents), path.parent)
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


def factories(path: Path) -> list[str]:
    """Names of the functions and classes of a Python file that may make a network: what the file defines itself, in its
    order, 'build' first. Empty where the file cannot be read."""
    try:
        with path.open("rb") as file:
            tree = ast.parse(file.read(LARGEST))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    kinds = ast.FunctionDef, ast.ClassDef
    names = [part.name for part in tree.body if isinstance(part, kinds) and not part.name.startswith("_")]
    return sorted(dict.fromkeys(names), key=lambda name: name != FIRST)
