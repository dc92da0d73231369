"""What tells one state of files from all others, without reading them."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from pruning.base.errors import InputError, excerpt

SETTLED_NS = 50_000_000
"""A file that changed so shortly before it was looked at may change again under the same time."""


def unsettled(newest_ns: int) -> str:
    """'' for files that have not changed lately; else a mark that nothing else will ever have, so that what is found in
    them is not taken for what is in them later. `newest_ns`: when the last of them changed."""
    now = time.time_ns()
    return f" {now}" if abs(now - newest_ns) <= SETTLED_NS else ""


def file_key(kind: str, path: Path, named: str) -> str:
    """The state of a file: its path, size and time. `named`: how it was given, for sentences.

    Raises:
        InputError: there is no such file.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(f"There is no file {excerpt(named, 200)}: check the path.") from error
    if not os.path.isfile(path):
        raise InputError(f"{excerpt(named, 200)} is no file but a folder or a device: check the path.")
    mark = f"{kind} {path} {status.st_size} {status.st_mtime_ns}{unsettled(status.st_mtime_ns)}"
    return hashlib.sha256(mark.encode("utf-8", "surrogateescape")).hexdigest()[:32]
