"""What a process says while it works on an attempt, and what it leaves: gathered, and written a few times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError, PruningError, StorageError
from pruning.base.fields import Fields
from pruning.base.safe_json import dump, load_object
from pruning.jobs.events import EVENTS, encode, piece
from pruning.jobs.manifest import LARGEST_FILE, MANIFEST, File, Manifest
from pruning.jobs.quiet import breathe
from pruning.jobs.status import LONGEST_TEXT, State
from pruning.jobs.store import Store

NOW, CANCEL, PROGRESS = "now.json", "cancel", "progress"
RESERVE, RESERVED = "reserve", 16_384
"""So many bytes are kept for the last word, should the disk be full."""
OFTEN, SELDOM, AGE = 0.4, 2.0, 200
"""Seconds between two pieces: this part of the work's age, but not less and not more, so that an hour makes 2,000."""
BEAT_SECONDS = 5.0
"""So often at least the counter moves."""


@dataclass(frozen=True, kw_only=True)
class Now:
    """What goes on."""

    beat: int = 0
    """Moves as long as the process lives."""
    text: str = "Starting"
    share: float | None = None
    """From 0 to 1."""

    @staticmethod
    def read(store: Store, name: str) -> Now:
        """As it stands in a store; what cannot be read says nothing."""
        try:
            content = store.read(name)
            if content is None:
                return Now()
            fields = Fields(load_object(content, name), name)
            share = fields.number("share", 0, 1) if "share" in fields else None
            return Now(beat=fields.whole("beat", 0), text=fields.text("text")[:LONGEST_TEXT], share=share)
        except StorageError:
            return Now()


class Work:
    """The hands of a process on its attempt; made by `Attempt.working`. It may be used from several threads."""

    def __init__(self, store: Store, folder: str) -> None:
        self.store, self._folder = store, folder
        self.supersedes = False
        """Set it where, once this is done, what earlier attempts left is of no use any more: it goes."""
        self._files: dict[str, File] = {}
        self._waiting: list[Mapping[str, Any]] = []
        self._pieces = self._told = 0
        self._went_further = False
        self._now, self._said = Now(), Now(beat=-1)
        self._began = self._written = self._beaten = time.monotonic()
        self._trouble: StorageError | None = None
        self._ended = threading.Event()
        self._writing = threading.RLock()
        self.store.put(f"{folder}/{RESERVE}", bytes(RESERVED))
        self._thread = threading.Thread(target=self._keep_writing, name="job", daemon=True)
        self._thread.start()

    @property
    def attempt(self) -> int:
        """Number of the attempt."""
        return int(self._folder.rpartition("/")[2])

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self.store.exists(f"{self._folder}/{CANCEL}")

    def cancel_or(self, other: Cancel | None) -> Cancel:
        """True once it was asked to stop, or `other()` is. Asking is where the work stands still for a moment while a
        network is timed on this machine."""

        def stop() -> bool:
            breathe()
            return self.is_cancelled or (other is not None and other())

        return stop

    def say(self, text: str, share: float | None = None) -> None:
        """Say what goes on, and how much is done; the last one counts.

        Raises:
            StorageError: what was said or told before could not be written.
        """
        with self._writing:
            self._now = Now(beat=self._now.beat, text=text, share=share)
            self._write_in_time()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Add an event: plain values by name. All of them are kept.

        Raises:
            StorageError: what was said or told before could not be written.
        """
        with self._writing:
            self._waiting.append({"time": round(time.time(), 3), **event})
            self._write_in_time()

    def flush(self) -> int:
        """Write what was told, whatever was written a moment ago; how many events were told so far.

        Raises:
            StorageError: it cannot be written.
        """
        with self._writing:
            self._raise_trouble()
            self._write_events()
            return self._told

    def note_progress(self) -> None:
        """Note that whoever goes on with this work after this process has less to do than this one had: a checkpoint
        stands, or a result that is kept. A job that is killed again and again without it is given up."""
        if not self._went_further:
            self.store.create(f"{self._folder}/{PROGRESS}", b"")
            self._went_further = True

    def publish(self, name: str, content: bytes) -> str:
        """Leave a result, which counts once the work is done; the name of its object in the job's store.

        Raises:
            StorageError: it cannot be written.
        """
        place = f"{self._folder}/{name}"
        if not self.store.create(place, content):
            raise StorageError(f"{place} is there already: start it again.")
        self._files[name] = File.of(place, content)
        return place

    def keep(self, name: str) -> None:
        """Leave an object as a result that was written into the job's folder itself.

        Raises:
            StorageError: it cannot be read.
        """
        length, digest = self.store.measure(name)
        self._files[name] = File(name=name, length=length, sha256=digest)

    def finish(self) -> None:
        """End it well.

        Raises:
            StorageError: what was told cannot be written.
            InputError: it was given up meanwhile.
        """
        try:
            self._close("done", "", self._files)
        except PruningError as error:
            self.end("failed", str(error))
            raise

    def end(self, state: State, text: str) -> None:
        """End it otherwise; where not even that can be written, it ends without a word."""
        for events in (True, False):  # a full disk takes a word where it does not take everything told
            try:
                self._close(state, text, {}, events=events)
                return
            except PruningError:
                with suppress(PruningError):
                    self.store.delete(f"{self._folder}/{RESERVE}")

    def _close(self, state: State, text: str, files: Mapping[str, File], *, events: bool = True) -> None:
        self._ended.set()
        self._thread.join()
        with self._writing:
            told: dict[str, File] = {}
            if events:
                self._raise_trouble(state)
                self._write_events()
                told = self._gather()
            manifest = Manifest(state=state, text=text, files={**files, **told})
            if not self.store.create(f"{self._folder}/{MANIFEST}", manifest.to_bytes()):
                raise InputError("This attempt was given up meanwhile: start it again.")
            self.store.delete(f"{self._folder}/{RESERVE}")
            if told:
                self.store.delete(f"{self._folder}/events")

    def _gather(self) -> dict[str, File]:
        """All pieces as one file."""
        if not self._pieces:
            return {}
        names = [piece(self._folder, number) for number in range(1, self._pieces + 1)]
        content = b"".join(self.store.read(name, most_bytes=LARGEST_FILE) or b"" for name in names)
        place = f"{self._folder}/{EVENTS}"
        self.store.put(place, content)
        return {EVENTS: File.of(place, content)}

    def _keep_writing(self) -> None:
        """Write what was told and not written yet, and move the counter, until the work has ended."""
        while not self._ended.wait(OFTEN):
            with self._writing:
                try:
                    self._write_in_time()
                except StorageError as error:
                    self._trouble = error

    def _write_in_time(self) -> None:
        self._raise_trouble()
        now = time.monotonic()
        if now - self._written < min(max(OFTEN, (now - self._began) / AGE), SELDOM) and self._said.beat >= 0:
            return
        self._write_events()
        changed = (self._now.text, self._now.share) != (self._said.text, self._said.share)
        if changed or now - self._beaten >= BEAT_SECONDS or self._said.beat < 0:
            self._now = Now(beat=self._now.beat + 1, text=self._now.text, share=self._now.share)
            self.store.put(f"{self._folder}/{NOW}", dump(vars(self._now)))
            self._said, self._beaten = self._now, now
        self._written = now

    def _write_events(self) -> None:
        if self._waiting:
            name = piece(self._folder, self._pieces + 1)
            if not self.store.create(name, encode(self._waiting)):
                raise StorageError(f"{name} was written by another process: start it again.")
            self._pieces += 1
            self._told += len(self._waiting)
            self._waiting = []

    def _raise_trouble(self, state: State = "running") -> None:
        if self._trouble is not None and state != "failed":
            trouble, self._trouble = self._trouble, None
            raise trouble
