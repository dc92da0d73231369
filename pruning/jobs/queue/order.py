"""In which order a line is served: first come, first served, within a fair share for each visitor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pruning.jobs.queue.ticket import Ticket


def fair_order(waiting: Sequence[Ticket], running: Collection[Ticket] = ()) -> list[Ticket]:
    """The waiting tickets, the next to be served first.

    Visitors are served in rounds: nobody's second job comes before anybody's first, a job that is being carried out
    counted in; within a round the first to come is first. A job that several asked for counts for each of them and is
    served when the first of them has a turn. Nobody starves: whoever comes anew has at most as many turns before one's
    own as there are visitors.

    >>> def ticket(number, *visitors):
    ...     return Ticket(number=number, kind="run", visitors=visitors)
    >>> line = [ticket(1, "a"), ticket(2, "a"), ticket(3, "b"), ticket(4, "c", "a")]
    >>> [one.number for one in fair_order(line)]
    [1, 3, 4, 2]
    >>> [one.number for one in fair_order(line[1:], running=line[:1])]
    [3, 4, 2]
    """
    served: Counter[str] = Counter(visitor for ticket in running for visitor in set(ticket.visitors))
    rounds: list[tuple[int, int, Ticket]] = []
    for ticket in sorted(waiting, key=lambda one: one.number):
        turns = [served[visitor] for visitor in ticket.visitors] or [0]
        rounds.append((min(turns), ticket.number, ticket))
        served.update(set(ticket.visitors))
    return [ticket for _, _, ticket in sorted(rounds, key=lambda row: row[:2])]
