"""A job: its attempts, how the last one stands, what all of them told, and what the last that was done left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pruning.base.errors import InputError, StorageError
from pruning.jobs.attempt import ATTEMPTS, Attempt, number_of
from pruning.jobs.manifest import File
from pruning.jobs.queue.line import Line
from pruning.jobs.status import Status
from pruning.jobs.store import LocalStore, Store
from pruning.jobs.wishes import wish, wishes, withdraw
from pruning.jobs.work import Work


@dataclass(frozen=True)
class Job:
    """Work by the store that its objects lie in; two jobs with the same store are the same."""

    store: Store

    @staticmethod
    def in_folder(folder: Path) -> Job:
        """The job of a folder of this machine, which need not be there yet."""
        return Job(LocalStore.at(folder))

    def attempts(self) -> list[Attempt]:
        """All attempts so far, oldest first.

        Raises:
            StorageError: the folder cannot be read.
        """
        found = [Attempt(self.store, number) for number in sorted(self._numbers())]
        return [attempt for attempt in found if attempt.is_asked]

    def last(self) -> Attempt | None:
        """The last attempt; None where the work was never asked for. Errors as `attempts`."""
        for number in sorted(self._numbers(), reverse=True):
            attempt = Attempt(self.store, number)
            if attempt.is_asked:
                return attempt
        return None

    def status(self) -> Status | None:
        """How the last attempt stands; None where there is none. Whatever is damaged is a failure with its sentence."""
        try:
            last = self.last()
        except StorageError as error:
            return Status(state="failed", text=str(error))
        return None if last is None else last.status()

    @property
    def is_working(self) -> bool:
        """Whether something is still to come of it."""
        now = self.status()
        return now is not None and now.is_working

    def ask(self, line: Line | None = None, ticket: int | None = None) -> Attempt | None:
        """A new attempt, which this process is to work on, or stands in a line with a ticket; None where one is under
        way.

        Raises:
            StorageError: it cannot be written.
        """
        last = self.last()
        if last is not None and last.status().is_working:
            return None
        attempt = Attempt(self.store, 1 if last is None else last.number + 1)
        return attempt if attempt.ask(line, ticket) else None  # of several who ask at once, one is first

    def join(self, visitor: str) -> None:
        """Let what is under way count as a visitor's too. Raises StorageError where that cannot be written."""
        wish(self.store, visitor)
        last = self.last()
        found = None if last is None else last.ticket()
        if found is not None:
            line, ticket = found
            line.join(ticket.number, visitor)

    @contextmanager
    def working(self, work: Work | None = None) -> Iterator[Work]:
        """Work on the job in this process: with the hands of the attempt that the process was started for, if it was,
        else in a new one.

        Raises:
            InputError: another process is doing it, or the process was started for other work.
            StorageError: what is told cannot be written.
        """
        if work is not None:
            if work.store != self.store:
                raise InputError(
                    "What was asked for has changed since: the network or its images are others. Start it again."
                )
            yield work
            return
        attempt = self.ask()
        if attempt is None:
            raise InputError("Another process is doing this already: wait for it to end.")
        with attempt.working() as work:
            yield work

    def request_cancel(self, visitor: str | None = None) -> None:
        """Take back a visitor's wish, and where nobody's is left have the process that works on it stop at its next
        step, or not begin; None stands for everybody's. Nothing where nothing is under way.

        Raises:
            StorageError: that cannot be written.
        """
        last = self.last()
        if last is None or not last.status().is_working:
            return
        found = last.ticket()
        others = [one.visitor for one in wishes(self.store) if one.visitor != visitor]
        if visitor is not None:
            withdraw(self.store, visitor)
            if others:
                if found is not None:
                    found[0].leave(found[1].number, visitor)
                return
        last.request_cancel()
        if found is not None:
            line, ticket = found
            with line.changing():
                waits = not line.is_claimed(ticket)
                if waits:
                    line.remove(ticket)
            if waits:
                last.end("cancelled", "Cancelled." if last.has_begun else "Cancelled before it began.")

    def file(self, name: str) -> File | None:
        """A result of the last attempt that left it; None where there is none that can be read.

        Raises:
            StorageError: the folder cannot be read.
        """
        for attempt in reversed(self.attempts()):
            with suppress(StorageError):  # damaged: `status` says so
                manifest = attempt.manifest
                if manifest is not None and manifest.state == "done" and name in manifest.files:
                    return manifest.files[name]
        return None

    def read(self, name: str) -> bytes | None:
        """What a result holds; None where there is none.

        Raises:
            StorageError: it is damaged, or gone.
        """
        file = self.file(name)
        return None if file is None else file.read(self.store)

    def _numbers(self) -> list[int]:
        found = map(number_of, self.store.list(ATTEMPTS))
        return [number for number in found if number]
