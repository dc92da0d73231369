"""What an attempt tells, in numbered pieces as it comes and in one file afterwards; each read once, as it appears."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pruning.base.safe_json import JSONError, dump, load
from pruning.jobs.manifest import LARGEST_FILE, MANIFEST, Manifest
from pruning.jobs.store import Store

EVENTS = "all-events.jsonl"
Event = dict[str, Any]
"""Plain values by name; what they mean is the business of those who write and read them."""


def encode(events: Iterable[Mapping[str, Any]]) -> bytes:
    """One line an event."""
    return b"".join(dump(event) + b"\n" for event in events)


def decode(lines: bytes) -> list[Event]:
    """The inverse of `encode`; a line that is no whole event is passed over (one of an older run, cut off by a kill).

    >>> decode(encode([{"step": 1}]) + b'{"step": 2')
    [{'step': 1}]
    """
    found = [line for line in lines.split(b"\n") if line.strip()]
    try:  # all at once is several times as fast as one by one
        values = load(b"[" + b",".join(found) + b"]", allow_nan=True)
    except JSONError:
        values = [value for line in found for value in _tolerant(line)]
    return [value for value in values if isinstance(value, dict)]


def piece(folder: str, number: int) -> str:
    """Name of a piece; they count from 1."""
    return f"{folder}/events/{number:06d}.jsonl"


class EventLog:
    """The events of one attempt, read piece by piece: a page that looks each second reads only what is new."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._events: list[Event] = []
        self._pieces = 0
        self._is_whole = False
        self._reading = threading.Lock()

    def read(self) -> list[Event]:
        """All events so far.

        Raises:
            StorageError: they cannot be read, or are not what the manifest says.
        """
        with self._reading:
            if not self._read_whole():
                while self._read_piece():
                    pass
                self._read_whole()  # it may have ended meanwhile, and its pieces may be gone
            return list(self._events)

    def _read_piece(self) -> bool:
        content = self._store.read(piece(self._folder, self._pieces + 1), most_bytes=LARGEST_FILE)
        if content is None:
            return False
        self._pieces += 1
        self._events += decode(content)
        return True

    def _read_whole(self) -> bool:
        if self._is_whole:
            return True
        content = self._store.read(f"{self._folder}/{MANIFEST}")
        if content is None:
            return False
        file = Manifest.from_bytes(content, f"{self._folder}/{MANIFEST}").files.get(EVENTS)
        if file is not None:
            self._events = decode(file.read(self._store))
        self._is_whole = file is not None
        return self._is_whole


def _tolerant(line: bytes) -> Iterator[Any]:
    try:
        yield load(line, allow_nan=True)
    except JSONError:
        return
