"""Bringing an index up to what lies in the folders: new ones, changed ones, those that are gone.

Which folders there are is looked up whenever the folder of runs itself has changed. A run that has not ended is read at
each look. Of the others a slice is compared by its stamps, the next one at the next look, so that a look takes
milliseconds however many there are; `everything` compares all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from pruning.base.errors import PruningError
from pruning.jobs.queue.local import local_line
from pruning.runs.index.database import Database, count_change, generation
from pruning.runs.index.folders import SETTLED_NS, Indexed, read_indexed, stamp_of
from pruning.runs.index.tables import LABELS, RUNS, WISHES, tags_text
from pruning.runs.store import folders_of_runs

SLICE = 120
"""Folders whose stamps are compared at a look; fewer than twice as many are all compared."""
BATCH = 200
"""Folders that are read before they are written."""
MOST_UNSETTLED = 60
"""Runs that have not ended and are read at a look, those first that were not for longest."""


@dataclass
class _Known:
    """What the database holds of a folder, as far as a look needs it."""

    stamp: bytes
    attempt: int
    settled: bool
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a look has done."""

    read: int
    """Folders that were read."""
    gone: int
    pending: int
    """Folders that are still to be read, since the time was up."""


@dataclass
class Refresher:
    """Keeps one index up to one folder of runs; for one thread at a time."""

    database: Database
    runs: Path
    _known: dict[bytes, _Known] = field(default_factory=dict)
    _generation: int = -1
    _root: tuple[int, ...] = ()
    """Stamp of the folder of runs when its folders were last listed; () for never."""
    _names: list[bytes] = field(default_factory=list)
    """Its folders, the newest first as far as their names tell."""
    _open: set[bytes] = field(default_factory=set)
    """Those that have not ended, or changed a moment before they were read."""
    _compared: bool = False
    """Whether what is known is what is there."""
    _place: int = 0
    """Where in `_names` the next slice begins."""
    _turns: dict[bytes, int] = field(default_factory=dict)
    """When a run that has not ended was read last, in looks."""
    _looks: int = 0

    def look(self, *, everything: bool = False, seconds: float | None = None) -> Looked:
        """Take up what has changed. `everything`: compare all stamps. `seconds`: read new and changed folders for so
        long at most; those that are left come at the next look.

        Raises:
            StorageError: the folder of runs cannot be read, or another process writes for long.
            Renewed: the database is an empty one now.
        """
        self._looks += 1
        end = None if seconds is None else time.monotonic() + seconds
        self._take_over()
        self._list(everything)
        gone, new = self._differences()
        changed = filter(self._has_changed, dict.fromkeys((*self._slice(everything), *self._queued())))
        self._drop(gone)
        todo = list(dict.fromkeys((*self._unsettled(everything), *new, *changed)))
        read, batch = 0, []
        for name in todo:
            batch.append(read_indexed(self.runs / os.fsdecode(name)))
            read += 1
            late = end is not None and time.monotonic() > end
            if len(batch) >= BATCH or late:
                self._keep(batch)
                batch = []
            if late:
                break
        self._keep(batch)
        self._compared = len(todo) == read
        return Looked(read=read, gone=len(gone), pending=len(todo) - read)

    def reread(self, names: Sequence[bytes]) -> None:
        """Read these folders now. Errors as `look`."""
        self._take_over()
        there = [name for name in names if os.path.lexists(os.path.join(os.fspath(self.runs), os.fsdecode(name)))]
        gone = [name for name in names if name not in there and name in self._known]
        self._drop(gone)
        self._keep([read_indexed(self.runs / os.fsdecode(name)) for name in there])

    def forget(self) -> None:
        """Everything is to be read again."""
        self._known, self._open, self._generation, self._root, self._names = {}, set(), -1, (), []

    def _take_over(self) -> None:
        """What other processes have written since."""

        def work(connection: Connection) -> None:
            now = generation(connection)
            if now == self._generation:
                return
            columns = (RUNS.c.folder, RUNS.c.stamp, RUNS.c.attempt, RUNS.c.settled, RUNS.c.content)
            rows = connection.execute(select(*columns))
            self._known = {row[0]: _Known(row[1], row[2], bool(row[3]), row[4]) for row in rows}
            self._open = {name for name, known in self._known.items() if not known.settled}
            self._generation, self._compared = now, False

        self.database.read(work)

    def _list(self, everything: bool) -> None:
        """Which folders there are, looked up where the folder of runs has changed."""
        stamp, quiet = _stamp_of_root(self.runs)
        if everything or not stamp or stamp != self._root:
            found = (os.fsencode(path.name) for path in folders_of_runs(self.runs))
            self._names = sorted(found, reverse=True)
            self._root, self._compared = stamp if quiet else (), False

    def _differences(self) -> tuple[list[bytes], list[bytes]]:
        """Folders that are known and gone, and those that are there and unknown."""
        if self._compared:
            return [], []
        there = set(self._names)
        return [name for name in self._known if name not in there], [n for n in self._names if n not in self._known]

    def _unsettled(self, everything: bool) -> Sequence[bytes]:
        names = sorted(self._open, key=lambda name: (self._turns.get(name, 0), name))
        if not everything:
            names = names[:MOST_UNSETTLED]
        self._turns = {name: turn for name, turn in self._turns.items() if name in self._open}
        self._turns |= dict.fromkeys(names, self._looks)
        return names

    def _queued(self) -> Iterator[bytes]:
        """Runs that stand in this machine's line: one that has ended may go on."""
        root = os.path.abspath(self.runs)
        with suppress(PruningError):
            for ticket in local_line().tickets():
                if os.path.dirname(ticket.job) == root:
                    yield os.fsencode(os.path.basename(ticket.job))

    def _slice(self, everything: bool) -> list[bytes]:
        if everything or len(self._names) < 2 * SLICE:
            return self._names
        self._place = self._place if self._place < len(self._names) else 0
        found = list(islice(self._names, self._place, self._place + SLICE))
        self._place += SLICE
        return found

    def _has_changed(self, name: bytes) -> bool:
        known = self._known.get(name)
        if known is None or not known.settled:
            return False  # read anyway
        return stamp_of(os.path.join(os.fspath(self.runs), os.fsdecode(name)), known.attempt)[0] != known.stamp

    def _keep(self, batch: Sequence[Indexed]) -> None:
        """Write what differs from what is known."""
        changed = []
        for found in batch:
            known = self._known.get(found.columns["folder"])
            if known is None or known.content != found.content or (found.settled and known.stamp != found.stamp):
                changed.append(found)
        if not changed:
            return
        self._count(self.database.write(lambda connection: _write(connection, changed)))
        for found in changed:
            name = found.columns["folder"]
            self._known[name] = _Known(found.stamp, found.attempt, found.settled, found.content)
            (self._open.discard if found.settled else self._open.add)(name)

    def _drop(self, gone: Sequence[bytes]) -> None:
        """Take what is gone out."""
        if not gone:
            return

        def work(connection: Connection) -> int:
            connection.execute(
                delete(RUNS).where(RUNS.c.folder == bindparam("gone")), [{"gone": name} for name in gone]
            )
            return count_change(connection)

        self._count(self.database.write(work))
        for name in gone:
            self._known.pop(name, None)
            self._open.discard(name)

    def _count(self, now: int) -> None:
        """After a change of this one's own; where others have changed something before it, that is to be read."""
        self._generation = now if now == self._generation + 1 else -1


def _write(connection: Connection, batch: Sequence[Indexed]) -> int:
    empty = {column.name: None for column in RUNS.c if column.name != "id"}
    rows = [
        empty
        | dict(one.columns)
        | {"stamp": one.stamp, "attempt": one.attempt, "settled": one.settled, "content": one.content}
        for one in batch
    ]
    new = upsert(RUNS)
    connection.execute(
        new.on_conflict_do_update(index_elements=["folder"], set_={name: new.excluded[name] for name in empty}), rows
    )
    folders = [one.columns["folder"] for one in batch]
    ids: dict[bytes, int] = {
        row[0]: row[1] for row in connection.execute(select(RUNS.c.folder, RUNS.c.id).where(RUNS.c.folder.in_(folders)))
    }
    for table in (LABELS, WISHES):
        connection.execute(delete(table).where(table.c.run.in_(ids.values())))
    labels = [
        {
            "run": ids[one.columns["folder"]],
            "visitor": visitor,
            "title": label.title,
            "tags": tags_text(label.tags),
            "note": label.note,
        }
        for one in batch
        for visitor, label in one.labels.items()
    ]
    asked = [{"run": ids[one.columns["folder"]], "visitor": name} for one in batch for name in one.wishes]
    for table, values in ((LABELS, labels), (WISHES, asked)):
        if values:
            connection.execute(insert(table), values)
    return count_change(connection)


def _stamp_of_root(folder: Path) -> tuple[tuple[int, ...], bool]:
    """Of the folder of runs, and whether it changed long enough ago to be told apart from the next change."""
    try:
        status = os.stat(folder)
    except (OSError, ValueError):
        return (), False
    quiet = abs(time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)) > SETTLED_NS
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns), quiet
