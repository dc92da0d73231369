"""A run's folder as the index sees it: by what it can be told that something in it has changed, and what is kept."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pruning.base.errors import StorageError, first_line
from pruning.base.safe_json import LARGEST
from pruning.jobs.attempt import ATTEMPTS
from pruning.jobs.manifest import MANIFEST
from pruning.jobs.status import FINAL
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, WISHES, wishes
from pruning.runs.files import EVENTS, JOB, RECIPE, RESULT, STRUCTURE
from pruning.runs.index.tables import UNREADABLE, to_row
from pruning.runs.job import job_of
from pruning.runs.labels import LABELS, Label, read_labels
from pruning.runs.store import Unreadable, read_folder
from pruning.runs.summary import kept_shares_of

WATCHED = ("", RECIPE, JOB, RESULT, STRUCTURE, EVENTS, ATTEMPTS, LABELS, WISHES)
"""What is looked at in a folder ('' is the folder itself), beside the manifest of its last attempt."""
SETTLED_NS = 50_000_000
"""What changed so shortly before it was read may change again under the same time stamp."""


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """What the index keeps of a folder."""

    columns: Mapping[str, Any]
    labels: Mapping[str, Label] = field(default_factory=dict)
    wishes: tuple[str, ...] = ()
    stamp: bytes
    attempt: int
    """Number of the last attempt; 0 for none."""
    settled: bool
    """Whether nothing of it changes unless its stamp does."""

    @property
    def content(self) -> bytes:
        """Digest of all that is kept."""
        text = repr((sorted(self.columns.items()), sorted(self.labels.items()), self.wishes, self.settled))
        return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest()


def stamp_of(folder: str, attempt: int) -> tuple[bytes, int]:
    """By what a change is told: times, sizes and inodes of what is watched; and the latest of the times, in ns.

    `attempt`: number of the last one, which holds as long as the list of attempts has not changed.
    """
    watched = (*WATCHED, f"{ATTEMPTS}/{attempt:04d}/{MANIFEST}") if attempt else WATCHED
    found: list[tuple[int, ...]] = []
    latest = 0
    for name in watched:
        try:
            status = os.stat(f"{folder}/{name}")
        except (OSError, ValueError):
            found.append(())
            continue
        found.append((status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino))
        latest = max(latest, status.st_mtime_ns, status.st_ctime_ns)
    return hashlib.blake2b(repr(found).encode(), digest_size=16).digest(), latest


def read_indexed(folder: Path) -> Indexed:
    """Everything that the index keeps of a folder, whatever is in it."""
    attempt = _last_attempt(folder)
    stamp, latest = stamp_of(os.fspath(folder), attempt)  # before it is read: what changes meanwhile is read again
    quiet = abs(time.time_ns() - latest) > SETTLED_NS
    store = LocalStore.at(folder)
    asked: tuple[str, ...] = (OWNER,)
    labels: dict[str, Label] = {}
    with suppress(StorageError):
        asked = tuple(dict.fromkeys(wish.visitor for wish in wishes(store))) or asked
    with suppress(StorageError):
        labels = read_labels(store)
    columns, ended = _columns(folder, attempt)
    return Indexed(columns=columns, labels=labels, wishes=asked, stamp=stamp, attempt=attempt, settled=ended and quiet)


def _columns(folder: Path, attempt: int) -> tuple[dict[str, Any], bool]:
    """The columns of a row, and whether nothing more is to come of it. One folder harms no other, so that whatever is
    wrong with it is its reason."""
    found = read_folder(folder)
    try:
        if isinstance(found, Unreadable):
            return _unreadable(folder, found.name, found.reason), True
        kept = None if found.result is None else json.dumps(kept_shares_of(found.result))
        ended = found.state in FINAL and _says_it_ended(folder, attempt)
        taken = bytes_of(folder) if ended else 0  # of one that works it would be another one at each look
        columns = {**to_row(found.summary), "reason": None, "kept": kept, "bytes": taken}
        _check_storable(columns)
        return columns, ended
    except Exception as error:
        return _unreadable(folder, found.name, f"It cannot be listed: {first_line(error)}."), True


def _unreadable(folder: Path, name: str, reason: str) -> dict[str, Any]:
    return {
        "folder": os.fsencode(folder.name),
        "state": UNREADABLE,
        "reason": reason,
        "search": name.lower(),
        "bytes": 0,
    }


def _check_storable(columns: Mapping[str, Any]) -> None:
    """Raises ValueError for what no column can hold."""
    for name, value in columns.items():
        if type(value) is int and abs(value) >= LARGEST:
            raise ValueError(f"{name} is too large a number")
        if isinstance(value, str):
            value.encode()


def bytes_of(folder: Path) -> int:
    """What a folder takes on disk; links are not followed, and what vanishes meanwhile is left out."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += bytes_of(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _last_attempt(folder: Path) -> int:
    with suppress(StorageError):
        last = job_of(folder).last()
        return 0 if last is None else last.number
    return 0


def _says_it_ended(folder: Path, attempt: int) -> bool:
    """Whether the folder itself says that the run has ended: else it follows from processes, which may change."""
    if attempt:
        return os.path.lexists(folder / ATTEMPTS / f"{attempt:04d}" / MANIFEST)
    return os.path.lexists(folder / RESULT) or os.path.lexists(folder / EVENTS)
