"""In which order a line is served: first come, first served, within a fair share for each visitor.

Start-time fair queueing (Goyal, Vin and Cheng 1997, doi:10.1109/90.649569), each job counted alike: a ticket gets the
number of its round when it comes, which is the round that is being served, or the one after its visitor's last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pruning.base.fields import Fields
from pruning.jobs.queue.ticket import Ticket

COUNTS = "counts.json"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a line remembers of those it served.

    >>> counts = Counts().with_ticket(1, "a", 0).with_ticket(2, "a", 1)
    >>> counts.round_for("a"), counts.round_for("b"), counts.with_begun(1).round_for("b")
    (2, 0, 1)
    """

    last: int = 0
    """Number of the last ticket."""
    served: int = 0
    """The latest round of which a job was begun."""
    rounds: Mapping[str, int] = field(default_factory=dict)
    """Visitor → round of their last ticket, where it is none that everybody is past."""

    def round_for(self, visitor: str) -> int:
        """Round in which a visitor's next job is served. Nobody's second job comes before anybody's first, and nobody
        starves: whoever comes later stands in no earlier round than the one that is being served."""
        return max(self.served, self.rounds.get(visitor, -1) + 1)

    def with_ticket(self, number: int, visitor: str, turn: int) -> Counts:
        """After a ticket for a visitor in a round."""
        return replace(self, last=number, rounds={**self.rounds, visitor: turn})

    def with_begun(self, turn: int) -> Counts:
        """After a job of a round was begun."""
        served = max(self.served, turn)
        return replace(self, served=served, rounds={who: last for who, last in self.rounds.items() if last >= served})

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return {"last": self.last, "served": self.served, "rounds": dict(self.rounds)}

    @staticmethod
    def from_json(values: Mapping[str, Any], where: str) -> Counts:
        """The inverse of `to_json`. Raises StorageError where it is damaged."""
        if not values:
            return Counts()
        fields = Fields(values, where)
        rounds = fields.part("rounds")
        return Counts(
            last=fields.whole("last", 0),
            served=fields.whole("served", 0),
            rounds={name: rounds.whole(name, 0) for name in rounds.names()},
        )


def in_order(tickets: Iterable[Ticket]) -> list[Ticket]:
    """The next to be served first: by rounds, and within one by who came first."""
    return sorted(tickets, key=lambda ticket: (ticket.round, ticket.number))
