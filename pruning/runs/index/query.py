"""What is asked of an index: which runs, in which order, how many; and the same as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from pruning.base.errors import InputError, excerpt
from pruning.jobs.wishes import OWNER
from pruning.runs.index.tables import LABELS, RUNS, SEPARATOR, UNREADABLE, WISHES
from pruning.runs.result_json import STAGES

STATES = ("queued", "running", "done", "cancelled", "failed")
LONGEST_TEXT = 200
"""Characters of what is looked for."""


def _ratio(name: str) -> ColumnElement[Any]:
    return RUNS.c[f"dense_{name}"] * 1.0 / func.max(1, RUNS.c[f"pruned_{name}"])


SORTS: Mapping[str, tuple[ColumnElement[Any], bool]] = {
    "created": (RUNS.c.created, True),
    "name": (RUNS.c.folder, False),
    "state": (RUNS.c.state, False),
    "network": (RUNS.c.network, False),
    "images": (RUNS.c.images, False),
    "criterion": (RUNS.c.criterion, False),
    "sparsity": (RUNS.c.most, True),
    "select": (func.coalesce(*(RUNS.c[f"{stage}_middle"] for stage in reversed(STAGES))), True),
    "value": (RUNS.c.pruned_value, True),
    "difference": (RUNS.c.difference_middle, True),
    "repaired": (RUNS.c.repaired_middle, True),
    "params": (_ratio("params"), True),
    "nonzero": (_ratio("nonzero"), True),
    "macs": (_ratio("macs"), True),
    "speedup": (RUNS.c.speedup_middle, True),
    "bytes": (RUNS.c.bytes, True),
}
"""By what runs are sorted, and whether the largest comes first. What has no such figure comes last; of equal ones the
newest comes first."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which runs of an index are wanted; what is None or empty leaves all in."""

    network: str | None = None
    """Name of the dense network, such as 'resnet20'."""
    images: str | None = None
    """Name of the images."""
    origin: str | None = None
    """Reference of the dense network."""
    model: str | None = None
    """Reference of the network that they began with."""
    data: str | None = None
    """Reference of the images."""
    states: tuple[str, ...] = ()
    finished: bool = False
    """Only those with figures."""
    tags: tuple[str, ...] = ()
    """All of them."""
    text: str = ""
    """Each of its words stands in the run's name, words, network, images, criterion, message, or in its label."""
    owner: str | None = None
    """Only runs that this visitor asked for."""
    visitor: str = OWNER
    """Whose labels are shown and searched."""
    metric: str | None = None
    """Only those measured by it, or by nothing."""
    images_digest: str | None = None
    """Only those that looked at these images."""
    sort: str = "created"
    """One of `SORTS`."""
    reverse: bool = False
    """The other way round."""
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise InputError(f"Runs are not sorted by '{excerpt(self.sort)}': choose one of {', '.join(SORTS)}.")
        for state in self.states:
            if state not in STATES:
                raise InputError(f"No run is '{excerpt(state)}': a state is one of {', '.join(STATES)}.")
        if len(self.text) > LONGEST_TEXT:
            raise InputError(f"Look for at most {LONGEST_TEXT} characters, not {len(self.text):,}.")

    def where(self) -> ColumnElement[bool]:
        """Which rows, `LABELS` being joined as `joined` does."""
        wanted: list[ColumnElement[bool]] = [RUNS.c.state != UNREADABLE]
        for name in ("network", "images", "origin", "model", "data", "images_digest"):
            value = getattr(self, name)
            if value is not None:
                wanted.append(RUNS.c[name] == value)
        if self.states:
            wanted.append(RUNS.c.state.in_(self.states))
        if self.finished:
            wanted.append(RUNS.c.pruned_params.is_not(None))
        if self.metric is not None:
            wanted.append(or_(RUNS.c.pruned_metric.is_(None), RUNS.c.pruned_metric == self.metric))
        if self.owner is not None:
            wanted.append(_asked_by(self.owner))
        for tag in self.tags:
            wanted.append(func.instr(LABELS.c.tags, f"{SEPARATOR}{tag}{SEPARATOR}") > 0)
        for word in self.text.lower().split():
            places = (RUNS.c.search, func.lower(LABELS.c.title), func.lower(LABELS.c.tags), func.lower(LABELS.c.note))
            wanted.append(or_(*(func.instr(place, word) > 0 for place in places)))
        return and_(*wanted)

    def joined(self, *columns: Any) -> Select[Any]:
        """A selection of columns from the rows that are wanted, with the visitor's labels beside them."""
        on = and_(LABELS.c.run == RUNS.c.id, LABELS.c.visitor == self.visitor)
        return select(*columns).select_from(RUNS.outerjoin(LABELS, on)).where(self.where())

    def ordered(self, selection: Select[Any]) -> Select[Any]:
        """In the order that is wanted, as many as are wanted. Only numbers of rows are sorted, and then the rows of
        those that are wanted are read."""
        if self.limit is None:
            return selection.order_by(*self._order())
        wanted = self.joined(RUNS.c.id).order_by(*self._order()).limit(self.limit).offset(self.offset)
        return selection.where(RUNS.c.id.in_(wanted)).order_by(*self._order())

    def _order(self) -> tuple[ColumnElement[Any], ...]:
        column, largest_first = SORTS[self.sort]
        descending = largest_first != self.reverse
        return column.is_(None), column.desc() if descending else column.asc(), *_newest(self.sort, descending)


def _newest(sort: str, descending: bool) -> tuple[ColumnElement[Any], ...]:
    if sort == "created":
        return (RUNS.c.folder.desc() if descending else RUNS.c.folder.asc(),)
    return RUNS.c.created.desc(), RUNS.c.folder.desc()


def _asked_by(visitor: str) -> ColumnElement[bool]:
    return exists().where(and_(WISHES.c.run == RUNS.c.id, WISHES.c.visitor == visitor))


def unreadable(owner: str | None = None) -> Select[Any]:
    """Folders that hold no readable run, with the reasons; `owner`: only those that this visitor asked for."""
    found = select(RUNS.c.folder, RUNS.c.reason).where(RUNS.c.state == UNREADABLE).order_by(RUNS.c.folder)
    return found if owner is None else found.where(_asked_by(owner))
