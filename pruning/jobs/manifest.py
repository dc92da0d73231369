"""The last object of an attempt: how it ended, and which files it leaves, each with its size and SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.base.safe_json import dump, load_object
from pruning.jobs.status import FINAL, LONGEST_TEXT, State
from pruning.jobs.store import Store

MANIFEST = "manifest.json"
VERSION = 1
LONGEST_NAME = 200
"""Characters of a file's place in the job's folder."""
LARGEST_FILE = 2**30
"""Bytes of an event file or a result that are read at once."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that an attempt left."""

    name: str
    """In the job's folder."""
    length: int
    """Bytes."""
    sha256: str

    @staticmethod
    def of(name: str, content: bytes) -> File:
        """Of what was written under a name."""
        return File(name=name, length=len(content), sha256=hashlib.sha256(content).hexdigest())

    def read(self, store: Store) -> bytes:
        """Its content.

        Raises:
            StorageError: it is gone, or not what was written.
        """
        content = store.read(self.name, most_bytes=LARGEST_FILE)
        if content is None:
            raise StorageError(f"{self.name} is gone.")
        if File.of(self.name, content) != self:
            raise StorageError(f"{self.name} is damaged: it is not what was written.")
        return content


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How an attempt ended."""

    state: State
    text: str
    files: Mapping[str, File] = field(default_factory=dict)
    """By the name they are asked for by, which is the last part of their place."""
    ended: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_bytes(self) -> bytes:
        """As it is stored."""
        files = {name: vars(file) for name, file in self.files.items()}
        head = {"version": VERSION, "state": self.state, "text": self.text, "ended": self.ended.isoformat()}
        return dump({**head, "files": files}, indent=1)

    @staticmethod
    def from_bytes(content: bytes, name: str) -> Manifest:
        """The inverse of `to_bytes`.

        Raises:
            StorageError: it is damaged, or of a later version.
        """
        fields = Fields(load_object(content, name), name)
        if fields.whole("version", 1) > VERSION:
            raise StorageError(f"{name} was written by a later version of the explorer: update this one to read it.")
        state = fields.choice("state", FINAL)
        listed = fields.part("files")
        files = {key: _file(listed.part(key)) for key in listed.names()}
        return Manifest(
            state=next(known for known in FINAL if known == state),
            text=fields.text("text")[:LONGEST_TEXT],
            files=files,
            ended=fields.moment("ended"),
        )


def _file(fields: Fields) -> File:
    name = fields.text("name")
    inside = not name.startswith("/") and all(part.strip(".") for part in name.split("/"))
    if not inside or len(name) > LONGEST_NAME or not name.isprintable():
        fields.refuse("name", "a place inside the job's folder")
    return File(name=name, length=fields.whole("length", 0), sha256=fields.text("sha256"))
