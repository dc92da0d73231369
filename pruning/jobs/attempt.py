"""One attempt at a job: who asked for it, which process works on it, how it stands, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pruning.base.errors import Cancelled, InputError, PruningError, StorageError, excerpt, first_line
from pruning.base.fields import Fields
from pruning.base.safe_json import dump, load_object
from pruning.jobs.events import EventLog
from pruning.jobs.manifest import MANIFEST, Manifest
from pruning.jobs.process import Process
from pruning.jobs.queue.line import Line
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import Ticket
from pruning.jobs.status import INTERRUPTED, NEVER_STARTED, SILENT, STARTING, WAITING, State, Status
from pruning.jobs.store import LocalStore, Store
from pruning.jobs.work import NOW, PROGRESS, Now, Work

ATTEMPTS = "attempts"
ASKED, STARTED, WORKER, CANCEL, LOCK, LOG = "asked.json", "started.json", "worker.json", "cancel", "lock", "log"
FIRST_LOOK = 2
"""A second look follows one that finds nobody: it may have begun or ended between two objects."""


@dataclass(frozen=True)
class Attempt:
    """An attempt by its number; see `pruning.jobs` for its objects."""

    store: Store
    number: int

    @staticmethod
    def at(place: str) -> Attempt:
        """The attempt in a folder of this machine, as `place` names it.

        Raises:
            InputError: there is none.
        """
        path = Path(place)
        if path.parent.name == ATTEMPTS and (number := number_of(path.name)):
            attempt = Attempt(LocalStore.at(path.parent.parent), number)
            if attempt.is_asked:
                return attempt
        raise InputError(f"There is no attempt at a job in {excerpt(place, 200)}.")

    @property
    def folder(self) -> str:
        """Where its objects lie in the job's store."""
        return f"{ATTEMPTS}/{self.number:04d}"

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for it; a folder that was never finished is none."""
        return self.store.exists(f"{self.folder}/{ASKED}")

    @property
    def mark(self) -> bytes:
        """What tells it apart from one that has its number after the folder was made anew."""
        try:
            return self.store.read(f"{self.folder}/{ASKED}") or b""
        except StorageError:
            return b""

    @property
    def manifest(self) -> Manifest | None:
        """How it ended; None before.

        Raises:
            StorageError: it is damaged.
        """
        content = self.store.read(f"{self.folder}/{MANIFEST}")
        return None if content is None else Manifest.from_bytes(content, f"{self.folder}/{MANIFEST}")

    @property
    def log(self) -> EventLog:
        """Its events, from the first on; keep it to read on from where it stands."""
        return EventLog(self.store, self.folder)

    def status(self) -> Status:
        """How it stands. Whatever is damaged is a failure with its sentence."""
        for _ in range(FIRST_LOOK):
            found = self._look()
            if found is not None:
                return found
        if self._exists(CANCEL):
            return Status(state="cancelled", text="Cancelled.")
        return Status(state="failed", text=SILENT if self._exists(WORKER) else NEVER_STARTED)

    def elsewhere(self) -> Process | None:
        """The process that works on it, where it is one whose life cannot be looked up from here."""
        try:
            worker = self._process(WORKER)
        except StorageError:
            return None
        return None if worker is None or worker.is_here or self._is_held() else worker

    def ask(self, line: Line | None = None, ticket: int | None = None) -> bool:
        """Make it; False where somebody else did. `ticket`: number of that with which it stands in a line."""
        place = {} if line is None or ticket is None else {"line": str(line.root), "ticket": ticket}
        return self.store.create(f"{self.folder}/{ASKED}", _signed(Process.own(), place))

    def ticket(self) -> tuple[Line, Ticket] | None:
        """The ticket with which it stands in the line of this machine; None where it stands in none any more.

        Raises:
            StorageError: what was asked is damaged.
        """
        fields = self._fields(ASKED)
        if "ticket" not in fields:
            return None
        line = local_line()
        if fields.text("line") != str(line.root):  # of another server, which may have a cache of its own
            line = replace(line, root=Path(fields.text("line")))
        ticket = line.find(fields.whole("ticket", 1))
        if ticket is None or not isinstance(self.store, LocalStore) or ticket.job != str(self.store.root):
            return None
        return line, ticket

    @property
    def has_begun(self) -> bool:
        """Whether a process has begun to work on it."""
        return self._exists(WORKER)

    @property
    def is_cancelling(self) -> bool:
        """Whether it was asked to stop."""
        return self._exists(CANCEL)

    @property
    def went_further(self) -> bool:
        """Whether the process that worked on it got further than the one before; see `Work.note_progress`."""
        return self._exists(PROGRESS)

    def request_cancel(self) -> None:
        """Ask it to stop at its next step.

        Raises:
            StorageError: that cannot be written.
        """
        self.store.create(f"{self.folder}/{CANCEL}", b"")

    def end(self, state: State, text: str) -> bool:
        """End it without work: it could not be started, or fell silent. False where it has ended already."""
        return self.store.create(f"{self.folder}/{MANIFEST}", Manifest(state=state, text=text).to_bytes())

    @contextmanager
    def working(self) -> Iterator[Work]:
        """Work on it in this process, and note how the work inside ends: exactly once, in exactly one state.

        Raises:
            InputError: another process works on it, or it has ended or was followed by another attempt.
            StorageError: what is told cannot be written.
        """
        self._check_free()
        with self.store.hold(f"{self.folder}/{LOCK}"):
            self._check_free()
            if not self.store.create(f"{self.folder}/{WORKER}", _signed(Process.own())):
                raise InputError("Another process is doing this already: wait for it to end.")
            work = Work(self.store, self.folder)
            try:
                if self._exists(CANCEL):
                    raise Cancelled("Cancelled before it began.")
                yield work
            except Cancelled as error:
                work.end("cancelled", str(error) or "Cancelled.")
                raise
            except PruningError as error:
                work.end("failed", str(error))
                raise
            except OSError as error:
                place = f" ({error.filename})" if error.filename else ""
                work.end("failed", f"{error.strerror or first_line(error)}{place}.")
                raise
            except Exception as error:
                work.end("failed", _sentence(error))
                raise
            except BaseException:  # Ctrl-C, or a page that was left while it computed
                work.end("cancelled", "Cancelled.")
                raise
            else:
                work.finish()
        if work.supersedes:
            self._drop_earlier()

    def _drop_earlier(self) -> None:
        for number in filter(None, map(number_of, self.store.list(ATTEMPTS))):
            if number < self.number:
                earlier = Attempt(self.store, number)
                self.store.delete(f"{earlier.folder}/{ASKED}")  # from here on it is none
                self.store.delete(earlier.folder)

    def _check_free(self) -> None:
        if self._exists(MANIFEST) or Attempt(self.store, self.number + 1).is_asked:
            raise InputError("This attempt has ended or was given up meanwhile: start it again.")
        if self._exists(WORKER):
            raise InputError("Another process is doing this already: wait for it to end.")

    def _look(self) -> Status | None:
        """As `status`; None where no process is left that could go on with it."""
        try:
            manifest = self.manifest
            if manifest is not None:
                return Status(state=manifest.state, text=manifest.text)
            if self._is_held() or self._lives(WORKER):
                now = Now.read(self.store, f"{self.folder}/{NOW}")
                cancelling = self._exists(CANCEL)
                return Status(state="running", text=now.text, share=now.share, is_cancelling=cancelling)
            found = self.ticket()
            if found is not None:
                return self._in_line(*found)
            if not self._exists(WORKER) and (self._lives(STARTED) or self._waits()):
                return Status(state="queued", text=STARTING, is_cancelling=self._exists(CANCEL))
        except StorageError as error:
            return Status(state="failed", text=str(error))
        return None

    def _in_line(self, line: Line, ticket: Ticket) -> Status:
        """How it stands while no process works on it, or none does any more."""
        place = line.place_of(ticket.number)
        text = INTERRUPTED if self.has_begun else STARTING if place is None or place.seconds <= 0 else WAITING
        return Status(state="queued", text=text, place=place, is_cancelling=self._exists(CANCEL))

    def _lives(self, name: str) -> bool:
        """Whether the process in an object lives, as far as that can be known."""
        process = self._process(name)
        if process is None or process.is_gone:
            return False
        # A process goes on when work inside it has ended without a word; only the lock tells.
        return not (name == WORKER and process.is_here and self._is_held() is False)

    def _waits(self) -> bool:
        """Whether it still waits for the one who asked to start a process or to begin itself; what stands in a line
        does not."""
        return not self._exists(STARTED) and self._lives(ASKED) and "ticket" not in self._fields(ASKED)

    def _fields(self, name: str) -> Fields:
        """Of an object; without any where there is none."""
        content = self.store.read(f"{self.folder}/{name}")
        where = f"{self.folder}/{name}"
        return Fields({} if content is None else load_object(content, where), where)

    def _process(self, name: str) -> Process | None:
        fields = self._fields(name)
        return Process.from_fields(fields.part("process")) if fields.names() else None

    def _is_held(self) -> bool | None:
        return self.store.is_held(f"{self.folder}/{LOCK}")

    def _exists(self, name: str) -> bool:
        return self.store.exists(f"{self.folder}/{name}")


def _sentence(error: Exception) -> str:
    """Of what nobody foresaw."""
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return "This machine ran out of memory: take a smaller network, smaller batches or fewer images."
    return f"An error of the explorer itself: {type(error).__name__}: {first_line(error)}."


def number_of(name: str) -> int | None:
    """An attempt's number by its folder's name; None where it is no such name."""
    return int(name) if name.isascii() and name.isdigit() and len(name) < 10 else None


def _signed(process: Process, more: Mapping[str, Any] | None = None) -> bytes:
    """A process, and for people when it was noted."""
    return dump({"process": process.to_json(), "at": datetime.now(UTC).isoformat(), **(more or {})})
