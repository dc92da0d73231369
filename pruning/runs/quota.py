"""How much disk runs take, and what a clean-up would remove: said first, done on request.

Never removed is a run that has not ended, and one that another run goes on from. Files that visitors sent and runs
name stay as long as those runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, exists, func, select

from pruning.base.errors import InputError
from pruning.base.words import size
from pruning.jobs.job import Job
from pruning.jobs.wishes import OWNER
from pruning.runs.index.folders import bytes_of
from pruning.runs.index.index import Index, looked
from pruning.runs.index.tables import LABELS, RUNS, UNREADABLE, WISHES
from pruning.runs.trash import Trashed, purge, remove_for_good, trashed
from pruning.settings import settings
from pruning.settings.tables import Runs as Limits

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A folder that a clean-up would remove for good."""

    name: str
    path: Path
    bytes: int
    why: str
    """In a few words."""


@dataclass(frozen=True, kw_only=True)
class Cleanup:
    """What a clean-up would remove."""

    removals: tuple[Removal, ...]
    bytes: int
    """What all runs take now, deleted ones included."""
    unmet: tuple[str, ...]
    """Limits that would still be exceeded, each as a sentence."""

    @property
    def freed(self) -> int:
        """Bytes that it would free."""
        return sum(removal.bytes for removal in self.removals)


@dataclass(frozen=True, kw_only=True)
class _Row:
    name: str
    bytes: int
    state: str
    created: int
    model: str
    labelled: bool
    visitors: frozenset[str]


def plan_cleanup(index: Index, limits: Limits | None = None, now: datetime | None = None) -> Cleanup:
    """What has to go so that the limits hold, of an index that was looked at: first deleted runs that were kept for
    long enough, then other deleted ones, then cancelled and failed runs, then finished ones; the oldest first, and
    those with a name, tags or a note last. `limits`: by default those of the settings.

    Raises:
        StorageError: the index or the folder cannot be read.
    """
    limits, now = limits or settings().runs, now or datetime.now(UTC)
    rows = index.ask("quota", _rows)
    deleted = [(one, bytes_of(one.path)) for one in reversed(trashed(index.runs))]  # the oldest first
    total = sum(row.bytes for row in rows) + sum(length for _, length in deleted)
    left = total
    removals: dict[Path, Removal] = {}

    def remove(name: str, path: Path, length: int, why: str) -> None:
        nonlocal left
        removals[path] = Removal(name=name, path=path, bytes=length, why=why)
        left -= length

    limit = limits.megabytes * MEGABYTE
    for one, length in deleted:
        if one.at < now - timedelta(days=limits.trash_days):
            remove(one.name, one.path, length, f"deleted more than {limits.trash_days:g} days ago")
        elif limit and left > limit:
            remove(one.name, one.path, length, "deleted, and all runs together take too much")
    candidates = _candidates(rows, index.runs)
    for visitor, mine in _by_visitor(rows).items() if limits.megabytes_per_visitor else ():
        theirs = sum(row.bytes for row in mine)
        for row in candidates:
            if theirs <= limits.megabytes_per_visitor * MEGABYTE:
                break
            if row.visitors == {visitor}:
                remove(row.name, index.runs / row.name, row.bytes, "its visitor's runs take too much")
                theirs -= row.bytes
    for row in candidates:
        path = index.runs / row.name
        if limit and left > limit and path not in removals:
            remove(row.name, path, row.bytes, "all runs together take too much")
    return Cleanup(removals=tuple(removals.values()), bytes=total, unmet=_unmet(limits, left))


def carry_out(cleanup: Cleanup) -> list[Removal]:
    """Remove what is planned; a run that has begun to work meanwhile stays. What was removed.

    Raises:
        StorageError: a folder cannot be removed; those before it are gone.
    """
    done = []
    for removal in cleanup.removals:
        if not Job.in_folder(removal.path).is_working:
            remove_for_good(removal.path)
            done.append(removal)
    return done


def purge_old(runs: Path, now: datetime | None = None) -> list[Trashed]:
    """Remove deleted runs that were kept for long enough. Errors as `purge`."""
    limit = (now or datetime.now(UTC)) - timedelta(days=settings().runs.trash_days)
    old = [one for one in trashed(runs) if one.at < limit]
    purge(old)
    return old


def check_room(visitor: str = OWNER, runs: Path | None = None) -> None:
    """Before a run is started: whether there is room for it among the runs of a folder, by default the usual one.
    Deleted runs make room where it is needed, the oldest first.

    Raises:
        InputError: the limit of the visitor, or that of all together, is reached.
        StorageError: as `plan_cleanup`.
    """
    limits = settings().runs
    if not limits.megabytes and not limits.megabytes_per_visitor:
        return
    index = looked(runs)
    rows = index.ask("quota", _rows)
    mine = sum(row.bytes for row in _by_visitor(rows).get(visitor, ()))
    if visitor != OWNER and limits.megabytes_per_visitor and mine > limits.megabytes_per_visitor * MEGABYTE:
        raise InputError(
            f"Your runs take {size(mine)}, and {size(limits.megabytes_per_visitor * MEGABYTE)} are allowed: delete "
            "some on Trade-off."
        )
    if not limits.megabytes:
        return
    total, limit = sum(row.bytes for row in rows), limits.megabytes * MEGABYTE
    _make_room(index.runs, limit - total)
    if total > limit:
        raise InputError(
            f"All runs together take {size(total)}, and {size(limit)} are allowed: delete some on Trade-off, or look "
            "at 'python -m pruning runs clean --dry-run'."
        )


def _make_room(runs: Path, left: int) -> None:
    """Remove deleted runs, the oldest first, until the others take no more than `left` bytes."""
    deleted = [(one, bytes_of(one.path)) for one in trashed(runs)]
    taken = sum(length for _, length in deleted)
    for one, length in reversed(deleted):
        if taken <= max(0, left):
            return
        purge([one])
        taken -= length


def _rows(connection: Connection) -> tuple[_Row, ...]:
    labelled = exists().where(LABELS.c.run == RUNS.c.id)
    columns = (RUNS.c.id, RUNS.c.folder, RUNS.c.bytes, RUNS.c.state, RUNS.c.created, RUNS.c.model, labelled)
    asked: dict[int, set[str]] = {}
    for run, visitor in connection.execute(select(WISHES.c.run, WISHES.c.visitor)):
        asked.setdefault(run, set()).add(visitor)
    found = connection.execute(
        select(*columns).where(RUNS.c.state != UNREADABLE).order_by(func.coalesce(RUNS.c.created, 0))
    )
    return tuple(
        _Row(
            name=os.fsdecode(folder), bytes=length or 0, state=state, created=created, model=model or "",
            labelled=bool(label), visitors=frozenset(asked.get(run, {OWNER})),
        )
        for run, folder, length, state, created, model, label in found
    )  # fmt: skip


def _candidates(rows: Iterable[_Row], runs: Path) -> list[_Row]:
    """What may go, in the order in which it would."""
    rows = tuple(rows)
    root = os.path.realpath(runs)
    named = set()
    for row in rows:
        kind, _, rest = row.model.partition(":")
        if kind == "run" and os.path.realpath(os.path.dirname(rest)) == root:
            named.add(os.path.basename(rest))
    free = [row for row in rows if row.state in ("done", "cancelled", "failed") and row.name not in named]
    return sorted(free, key=lambda row: (row.labelled, row.state == "done", row.created))


def _by_visitor(rows: Iterable[_Row]) -> Mapping[str, list[_Row]]:
    """The runs that one visitor alone asked for; the owner of the machine has no limit of their own."""
    found: dict[str, list[_Row]] = {}
    for row in rows:
        if len(row.visitors) == 1 and OWNER not in row.visitors:
            found.setdefault(next(iter(row.visitors)), []).append(row)
    return found


def _unmet(limits: Limits, left: int) -> tuple[str, ...]:
    if not limits.megabytes or left <= limits.megabytes * MEGABYTE:
        return ()
    return (
        f"What is left takes {size(left)}, more than the {size(limits.megabytes * MEGABYTE)} that are allowed: those "
        "runs have not ended, or others go on from them.",
    )
