"""Where a file goes that somebody asked for."""

from __future__ import annotations

from pathlib import Path

from pruning.base.errors import InputError, StorageError
from pruning.base.files import replace_file


def check_target(out: Path) -> None:
    """Raise InputError where no file can be written to `out`, before the work that makes its content."""
    try:
        possible = out.parent.is_dir() and not out.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        possible = False
    if not possible:
        raise InputError(f"The file cannot be written to {out}: name a file in a folder that is there.")


def save(out: Path, content: bytes) -> Path:
    """Write a file, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        replace_file(out, content)
    except OSError as error:
        raise StorageError(f"The file cannot be written to {out} ({error.strerror or error}).") from error
    return out
