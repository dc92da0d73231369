"""The line itself: standing in it, being served, and how long that will take."""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path

from pruning.base.errors import InputError, StorageError
from pruning.base.files import replace_file
from pruning.base.locks import holding, is_held, try_hold
from pruning.base.remembered import Remembered
from pruning.base.safe_json import dump, read_object
from pruning.jobs.process import Process
from pruning.jobs.queue import durations
from pruning.jobs.queue.order import COUNTS, Counts, in_order
from pruning.jobs.queue.ticket import LANES, WORK, Ticket
from pruning.jobs.wishes import OWNER

NEXT = 10**9
"""Number of one who would come now."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one stands."""

    number: int
    """From 1 on."""
    of: int
    seconds: float
    """Until it is one's turn, from how long jobs took here."""
    visitors: int
    """How many different visitors stand in line or are served."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to carry out a ticket's job, as long as this process lives or until it is given back."""

    line: Line
    ticket: Ticket
    files: tuple[FileIO, ...] = field(repr=False)
    began: float
    """By the clock that nobody sets."""

    def give_back(self, *, counts: bool) -> None:
        """Let the next one have the slot; the ticket goes. `counts`: how long it took tells how long others will."""
        if counts:
            durations.note(self.line.root, self.ticket.kind, time.monotonic() - self.began, self.ticket.expected)
        self.line.remove(self.ticket)
        for file in self.files:
            file.close()


@dataclass(frozen=True)
class Line:
    """The line of one machine; see `pruning.jobs.queue`."""

    root: Path
    slots: int
    """Jobs that are carried out at once."""
    most: int = 1000
    """Tickets that there may be."""
    most_each: int = 100
    """Of one visitor; the machine's owner may have as many as there may be."""

    def add(
        self,
        *,
        kind: str,
        visitor: str = OWNER,
        job: str = "",
        arguments: Sequence[str] = (),
        lane: str = WORK,
        expected: float | None = None,
        process: Process | None = None,
        before: Callable[[Ticket], bool] = lambda ticket: True,
    ) -> Ticket | None:
        """Stand in line; see `Ticket` for what is to be said. None where `before`, called with the ticket while nobody
        can claim it yet, says that there is no need.

        Raises:
            InputError: the line is full.
            StorageError: it cannot be written.
        """
        with self.changing():
            there = self.tickets()
            self._check_room(there, visitor)
            counts = self._counts()
            number = max([counts.last, *(ticket.number for ticket in there)]) + 1
            turn = counts.round_for(visitor)
            self._count(counts.with_ticket(number, visitor, turn))
            ticket = Ticket(
                number=number,
                lane=lane,
                kind=kind,
                visitors=(visitor,),
                round=turn,
                job=job,
                arguments=tuple(arguments),
                expected=expected,
                process=process,
            )
            self._write(ticket)  # first: whoever finds the attempt finds the ticket
            needed = False
            try:
                needed = before(ticket)
            finally:
                if not needed:
                    self.remove(ticket)
        return ticket if needed else None

    def join(self, number: int, visitor: str) -> None:
        """Let a ticket stand for one more visitor; nothing where it is gone."""
        with self.changing():
            ticket = self.find(number)
            if ticket is not None and visitor not in ticket.visitors:
                counts = self._counts()
                theirs = counts.round_for(visitor)
                self._count(counts.with_ticket(counts.last, visitor, theirs))
                both = (*ticket.visitors, visitor)
                self._write(replace(ticket, visitors=both, round=min(ticket.round, theirs)))

    def leave(self, number: int, visitor: str) -> None:
        """Let it stand for the others alone; nothing where there are none."""
        with self.changing():
            ticket = self.find(number)
            others = () if ticket is None else tuple(one for one in ticket.visitors if one != visitor)
            if ticket is not None and others:
                self._write(replace(ticket, visitors=others))

    def tickets(self) -> list[Ticket]:
        """All of them, the first to come first. Those that are damaged, or whose process is gone, are taken away."""
        found = []
        try:
            names = sorted(name for name in os.listdir(self.root / "tickets") if not name.startswith("."))
        except OSError:
            return []
        for name in names:
            path = self.root / "tickets" / name
            try:
                ticket = _TICKETS(path)
            except StorageError:
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            if ticket is None:
                continue
            if ticket.is_left:
                self.remove(ticket)
            else:
                found.append(ticket)
        return found

    def find(self, number: int) -> Ticket | None:
        """A ticket by its number; None where it is gone."""
        try:
            return _TICKETS(self._path(number))
        except StorageError:
            return None

    def remove(self, ticket: Ticket) -> None:
        """Take a ticket out of the line."""
        for path in (self._path(ticket.number), self._claim(ticket)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def is_claimed(self, ticket: Ticket) -> bool:
        """Whether a process carries it out."""
        return is_held(self._claim(ticket))

    def running(self) -> list[Ticket]:
        """What is being carried out."""
        try:
            claimed = {name.removesuffix(".lock") for name in os.listdir(self.root / "claims")}
        except OSError:
            return []
        return [ticket for ticket in self.tickets() if ticket.name in claimed and self.is_claimed(ticket)]

    def waiting(self, lane: str = WORK, running: Sequence[Ticket] | None = None) -> list[Ticket]:
        """What waits in a lane, the next to be served first."""
        served = self.running() if running is None else running
        taken = {ticket.number for ticket in served}
        return in_order(one for one in self.tickets() if one.lane == lane and one.number not in taken)

    def take(self, lane: str = WORK, own: int | None = None) -> Claim | None:
        """Claim the next job of a lane that this process may carry out; None where it is nobody's or another's turn.

        `own`: number of the ticket of a process that stands in line itself; None for one of the pool.

        Raises:
            StorageError: the line cannot be written.
        """
        with self.changing():
            waiting = self.waiting(lane)
            for ticket, slot in zip(waiting, self._free_slots(lane), strict=False):
                if ticket.number == own or (own is None and ticket.process is None):
                    self._count(self._counts().with_begun(ticket.round))
                    return self._claimed(ticket, slot)
        return None

    def place_of(self, number: int) -> Place | None:
        """Where the ticket with a number stands, half a second ago at most; None where it does not wait."""
        made, places = _PLACES.get(self.root, (-math.inf, {}))
        if time.monotonic() - made > PLACES_KEPT:
            places = self._places()
            _PLACES[self.root] = (time.monotonic(), places)
        return places.get(number)

    def _places(self) -> dict[int, Place]:
        running = self.running()
        found = {}
        for lane in LANES:
            waiting = self.waiting(lane, running)
            visitors = _visitors(waiting, running)
            for number, (one, seconds) in enumerate(zip(waiting, self._starts(waiting, running), strict=True), 1):
                found[one.number] = Place(number=number, of=len(waiting), seconds=seconds, visitors=visitors)
        return found

    def outlook(self, visitor: str = OWNER, lane: str = WORK) -> Place | None:
        """Where a visitor would stand who came now; None where their job would begin at once."""
        running = self.running()
        waiting = self.waiting(lane, running)
        mine = Ticket(number=NEXT, lane=lane, kind="", visitors=(visitor,), round=self._counts().round_for(visitor))
        line = in_order([*waiting, mine])
        number = line.index(mine)
        seconds = self._starts(line, running)[number]
        if number == 0 and seconds == 0.0:
            return None
        return Place(number=number + 1, of=len(line), seconds=seconds, visitors=_visitors(line, running))

    def changing(self) -> contextlib.AbstractContextManager[FileIO]:
        """Held for an instant by whoever changes something."""
        return holding(self.root / "lock")

    def paths_of_slots(self, lane: str) -> list[Path]:
        """Of the locks, one for each job that a lane carries out at once."""
        names = [str(number) for number in range(self.slots)] if lane == WORK else [lane]
        return [self.root / "slots" / f"{name}.lock" for name in names]

    def _starts(self, waiting: Sequence[Ticket], running: Sequence[Ticket]) -> list[float]:
        """Seconds until each of those that wait has its turn, if every job takes as long as is predicted."""
        lane = waiting[0].lane if waiting else WORK
        served = [self._seconds_left(ticket) for ticket in running if ticket.lane == lane]
        free = [0.0] * max(0, len(self.paths_of_slots(lane)) - len(served)) + served
        heapq.heapify(free)
        starts = []
        for ticket in waiting:
            start = heapq.heappop(free)
            starts.append(start)
            heapq.heappush(free, start + durations.predicted(self.root, ticket.kind, ticket.expected))
        return starts

    def _seconds_left(self, ticket: Ticket) -> float:
        """Of a job that is carried out; what takes longer than was predicted is about to end."""
        try:
            began = float(self._claim(ticket).read_text(encoding="ascii"))
        except (OSError, ValueError):
            began = time.monotonic()
        whole = durations.predicted(self.root, ticket.kind, ticket.expected)
        return max(whole - (time.monotonic() - began), whole / 20)

    def _claimed(self, ticket: Ticket, slot: Path) -> Claim | None:
        files = [try_hold(slot), try_hold(self._claim(ticket))]
        held = tuple(file for file in files if file is not None)
        if len(held) < len(files):  # somebody looks whether it is held just now
            for file in held:
                file.close()
            return None
        began = time.monotonic()
        held[1].truncate(0)
        held[1].write(f"{began:.3f}".encode())
        return Claim(line=self, ticket=ticket, files=held, began=began)

    def _free_slots(self, lane: str) -> list[Path]:
        return [path for path in self.paths_of_slots(lane) if not is_held(path)]

    def _check_room(self, there: Sequence[Ticket], visitor: str) -> None:
        if len(there) >= self.most:
            raise InputError(
                f"{len(there):,} jobs wait on this machine, as many as may: try again when some have ended."
            )
        mine = sum(visitor in ticket.visitors for ticket in there)
        if visitor != OWNER and mine >= self.most_each:
            raise InputError(f"{mine} of your jobs wait, as many as may: cancel some, or wait for them to end.")

    def _counts(self) -> Counts:
        try:
            return Counts.from_json(read_object(self.root / COUNTS) or {}, COUNTS)
        except StorageError:  # damaged: everybody begins anew, behind nobody
            return Counts()

    def _count(self, counts: Counts) -> None:
        path = self.root / COUNTS
        with _writing(path):
            replace_file(path, dump(counts.to_json()))

    def _write(self, ticket: Ticket) -> None:
        path = self._path(ticket.number)
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, dump(ticket.to_json()))

    def _path(self, number: int) -> Path:
        return self.root / "tickets" / f"{number:09d}.json"

    def _claim(self, ticket: Ticket) -> Path:
        return self.root / "claims" / f"{ticket.name}.lock"


def _visitors(*parts: Sequence[Ticket]) -> int:
    return len({visitor for part in parts for ticket in part for visitor in ticket.visitors})


def _read(path: Path) -> Ticket | None:
    if not path.stem.isascii() or not path.stem.isdigit() or path.suffix != ".json":
        raise StorageError(f"{path.name} is no ticket.")
    values = read_object(path)
    return None if values is None else Ticket.from_json(values, path)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The queue in {path.parent} cannot be written ({error.strerror or error}): make room there, or name "
            "another folder by PRUNING_CACHE."
        ) from error


_TICKETS = Remembered(_read, most=5000)
PLACES_KEPT = 0.5
"""Seconds for which a process goes by what it saw of the line: thirty pages may ask each second."""
_PLACES: dict[Path, tuple[float, dict[int, Place]]] = {}
