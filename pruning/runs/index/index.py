"""The index of a folder of runs: what lists, pages and commands ask."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select

from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER
from pruning.runs.files import default_runs_dir
from pruning.runs.index.database import Database, Renewed, generation
from pruning.runs.index.place import index_path
from pruning.runs.index.query import Query, unreadable
from pruning.runs.index.refresh import Looked, Refresher
from pruning.runs.index.tables import LABELS, RUNS, SHOWN, UNREADABLE, WIDTH, tags_of, to_summary
from pruning.runs.labels import NO_LABEL, Label, write_label
from pruning.runs.store import Unreadable
from pruning.runs.summary import Summary

Answer = TypeVar("Answer")
REMEMBERED = 64
"""Answers that are kept until something changes."""
TRIES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What a query gave: the same object until something changes."""

    runs: tuple[Summary, ...]
    total: int
    """How many there are without the query's limit."""
    _made: dict[Any, Any] = field(default_factory=dict)

    def derived(self, key: Any, make: Callable[[], Answer]) -> Answer:
        """What is made of these runs alone, such as a figure of thousands: made once for each key, and shared, so that
        it must not be changed."""
        if key not in self._made:
            self._made[key] = make()
        answer: Answer = self._made[key]
        return answer


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a folder holds, in numbers."""

    runs: int
    unreadable: int
    pending: int
    """Folders that are not read yet."""


class Index:
    """The index of one folder of runs. Safe for threads; several processes may use one."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._database = Database(index_path(runs), runs)
        self._refresher = Refresher(self._database, runs)
        self._looking = threading.Lock()
        self._began = float("-inf")
        self._pending = 0
        self._seconds: float | None = None
        self._answers: dict[Any, Any] = {}
        self._answers_of = -1

    @property
    def path(self) -> Path:
        """The file of the database, which need not be there."""
        return self._database.path

    def look(self, *, everything: bool = False, seconds: float | None = None) -> Looked:
        """Take up what has changed in the folders; of several who ask at once, one looks for all.

        `everything`: compare every folder, not a slice of them. `seconds`: read folders for so long at most.

        Raises:
            StorageError: the folder of runs cannot be read, or another process writes for long.
        """
        asked = time.monotonic()
        self._seconds = seconds
        with self._looking:
            if self._began > asked and not everything:
                return Looked(read=0, gone=0, pending=self._pending)
            self._began = time.monotonic()
            for _ in range(TRIES):
                try:
                    looked = self._refresher.look(everything=everything, seconds=seconds)
                except Renewed:
                    self._refresher.forget()
                    continue
                self._pending = looked.pending
                return looked
            self._pending = 0
            return Looked(read=0, gone=0, pending=0)

    def reread(self, *names: str) -> None:
        """Read these folders again, whatever their stamps say. Errors as `look`."""
        for _ in range(TRIES):
            try:
                with self._looking:
                    return self._refresher.reread(tuple(map(os.fsencode, names)))
            except Renewed:
                self._refresher.forget()
                self.look(everything=True, seconds=self._seconds)

    def label(self, name: str, label: Label, visitor: str = OWNER) -> None:
        """Keep a visitor's label of a run in its folder.

        Raises:
            InputError: no visitor has such a name.
            StorageError: it cannot be written.
        """
        write_label(LocalStore.at(self.runs / name), label, visitor)
        self.reread(name)

    def rebuild(self) -> Looked:
        """Make it anew from the folders. Errors as `look`."""
        with self._looking:
            self._database.renew()
            self._refresher.forget()
        return self.look(everything=True)

    def find(self, query: Query) -> Found:
        """The runs that are wanted, and how many there are.

        Raises:
            StorageError: as `look`.
        """
        return self._answer(("find", query), functools.partial(self._find, query))

    def find_one(self, name: str, visitor: str = OWNER) -> Summary | None:
        """The readable run in a folder of that name. Errors as `find`."""
        query = Query(visitor=visitor)

        def work(connection: Connection) -> Summary | None:
            selection = query.joined(*SHOWN, LABELS.c.title, LABELS.c.tags, LABELS.c.note)
            row = connection.execute(selection.where(RUNS.c.folder == os.fsencode(name))).first()
            return None if row is None else self._summary(row)

        return self._answer(("one", name, visitor), work)

    def unreadable(self, owner: str | None = None) -> tuple[Unreadable, ...]:
        """Folders that hold no readable run, by name; `owner`: only those that this visitor asked for. Errors as
        `find`."""

        def work(connection: Connection) -> tuple[Unreadable, ...]:
            rows = connection.execute(unreadable(owner))
            found = (Unreadable(path=self.runs / os.fsdecode(folder), reason=reason) for folder, reason in rows)
            return tuple(sorted(found, key=lambda one: one.name))

        return self._answer(("unreadable", owner), work)

    def counts(self) -> Counts:
        """How many runs there are. Errors as `find`."""

        def work(connection: Connection) -> tuple[int, int]:
            rows = connection.execute(select(RUNS.c.state == UNREADABLE, func.count()).group_by(RUNS.c.state))
            found = [0, 0]
            for damaged, number in rows:
                found[bool(damaged)] += number
            return found[0], found[1]

        runs, damaged = self._answer("counts", work)
        return Counts(runs=runs, unreadable=damaged, pending=self._pending)

    def tags(self, visitor: str = OWNER) -> tuple[str, ...]:
        """All tags that a visitor has given, by the alphabet. Errors as `find`."""

        def work(connection: Connection) -> tuple[str, ...]:
            rows = connection.scalars(select(LABELS.c.tags).where(LABELS.c.visitor == visitor).distinct())
            return tuple(sorted({tag for text in rows for tag in tags_of(text)}))

        return self._answer(("tags", visitor), work)

    def references(self) -> set[str]:
        """All references that runs name: networks, what they go back to, images. Errors as `find`."""

        def work(connection: Connection) -> set[str]:
            columns = (RUNS.c.model, RUNS.c.origin, RUNS.c.data)
            return {text for column in columns for text in connection.scalars(select(column).distinct()) if text}

        return self._answer("references", work)

    def ask(self, key: Any, work: Callable[[Connection], Answer]) -> Answer:
        """What a function makes of the database, kept under a key until something changes. Errors as `find`."""
        return self._answer(key, work)

    def close(self) -> None:
        """Let go of the file; it is opened again when something is asked."""
        self._database.close()

    def take_remarks(self) -> list[str]:
        """What is to be said once: that the index was made anew, or cannot be kept."""
        found, self._database.remarks = self._database.remarks, []
        return found

    def _find(self, query: Query, connection: Connection) -> Found:
        columns = (*SHOWN, LABELS.c.title, LABELS.c.tags, LABELS.c.note)
        rows = connection.execute(query.ordered(query.joined(*columns))).all()
        total = len(rows)
        if query.limit is not None and (query.offset or total >= query.limit):
            total = connection.scalar(query.joined(func.count())) or 0
        return Found(runs=tuple(map(self._summary, rows)), total=total)

    def _summary(self, row: Any) -> Summary:
        title, tags, note = row[WIDTH:]
        label = NO_LABEL if title is None else Label(title=title, tags=tags_of(tags), note=note)
        return to_summary(self.runs, row, label)

    def _answer(self, key: Any, work: Callable[[Connection], Answer]) -> Answer:
        def asked(connection: Connection) -> Answer:
            now = generation(connection)
            if now != self._answers_of or len(self._answers) > REMEMBERED:
                self._answers, self._answers_of = {}, now
            answers = self._answers
            if key not in answers:
                answers[key] = work(connection)
            found: Answer = answers[key]
            return found

        for _ in range(TRIES - 1):
            try:
                return self._database.read(asked)
            except Renewed:
                self._answers_of = -1
                with self._looking:
                    self._refresher.forget()
                self.look(everything=True, seconds=self._seconds)
        return self._database.read(asked)


def index_of(runs: Path | None = None) -> Index:
    """The index of a folder of runs, the same one in this process whatever way the folder is written down; by default
    of the usual folder."""
    folder = runs or default_runs_dir()
    return _index(os.getpid(), os.path.abspath(folder), str(index_path(folder)))


def looked(runs: Path | None = None, *, everything: bool = False, seconds: float | None = None) -> Index:
    """`index_of`, after a look at what has changed. Errors as `Index.look`."""
    index = index_of(runs)
    index.look(everything=everything, seconds=seconds)
    return index


@functools.lru_cache(maxsize=16)
def _index(process: int, runs: str, file: str) -> Index:
    return Index(Path(runs))
