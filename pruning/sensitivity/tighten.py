"""How tight a limit each target needs so that all of them together lose no more than is allowed: by bisection.

Single curves say little of a joint cut, so each step is measured. The search itself is arithmetic on a scan and the
joint cuts that were measured with it: it names the one that must be measured next, and goes on from there once that is
remembered. So it can be left at any time, and whoever asks again finds it as far as it came.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.figures import FigureName
from pruning.sensitivity.ladder import FINE, Ladder, by_limit, by_share, saving_of
from pruning.sensitivity.limits import Limits

MOST = 14
"""Joint cuts that a search measures at most."""
Way = Generator[int, bool, None]
"""Rungs to be tried; it is told of each whether its joint cut loses little enough."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Limits that were tried."""

    limits: Limits
    """Of those on its ladder that lead to this joint cut, the loosest."""
    joint: Joint


@dataclass(frozen=True, kw_only=True)
class Tightened:
    """A search, as far as it has come."""

    lose: float
    """What of the metric all targets together may lose."""
    found: Trial | None
    """Of the trials whose joint cut loses no more than that, the one that saves most; None where there is none."""
    tried: tuple[Trial, ...]
    """In order."""
    next: Limits | None
    """The limits whose joint cut is to be measured next; None at the end."""

    @property
    def is_over(self) -> bool:
        return self.next is None

    @property
    def failed(self) -> bool:
        """Whether even the least that can go loses more."""
        return self.is_over and self.found is None


def tighten(scan: Sensitivity, figure: FigureName, lose: float, most: int = MOST) -> Tightened:
    """Search for the limits, at most `lose` and the same for each target, that let most go while all of them together
    lose at most `lose` of the metric against dense. Joint cuts are judged by the furthest figure that they have.

    There are two ladders for each figure: shares of what the limit `lose` lets go, and tighter limits. The first is
    searched from its loosest rung down, by bisection on what is saved, to `FINE`; each further one only where it would
    save more than what was found, from there up: where it does not, that is two joint cuts. `figure`: of the curves
    that come first. After `most` joint cuts the search ends with the best so far.
    """
    joints = {frozenset(joint.kept): joint for joint in scan.joints if joint.is_complete}
    tried: dict[frozenset[tuple[str, int]], Trial] = {}
    found: Trial | None = None
    for number, ladder in enumerate(_ladders(scan, figure, lose)):
        way = (_down if number == 0 else _up)(ladder, _above(scan, found))
        rung = next(way, None)
        while rung is not None:
            kept = frozenset(ladder.kept(rung).items())
            if kept not in tried:
                if len(tried) == most:
                    break
                if kept not in joints:
                    return Tightened(lose=lose, found=found, tried=tuple(tried.values()), next=ladder.rungs[rung])
                tried[kept] = Trial(limits=ladder.rungs[rung], joint=joints[kept])
            within = is_within(tried[kept].joint, lose)
            if within:
                found = tried[kept]
            try:
                rung = way.send(within)
            except StopIteration:
                rung = None
    return Tightened(lose=lose, found=found, tried=tuple(tried.values()), next=None)


def is_within(joint: Joint, lose: float) -> bool:
    """Whether a joint cut loses at most `lose`, by the furthest figure that is known of it."""
    return joint.figure(joint.furthest).losses[0] <= lose + 1e-12


def _ladders(scan: Sensitivity, figure: FigureName, lose: float) -> Iterator[Ladder]:
    """In the order in which they are searched: by the figure that is asked for, then by the others, the furthest first.
    Shares come before tighter limits, which few images tell from no loss at all."""
    for name in (figure, *(other for other in reversed(scan.figures) if other != figure)):
        yield by_share(scan, name, lose)
        yield by_limit(scan, name, lose)


def _down(ladder: Ladder, low: float) -> Way:
    """From the loosest rung down, by bisection on what is saved."""
    high, rung = ladder.beyond, ladder.loosest
    while rung is not None:
        if (yield rung):
            low = ladder.saving(rung) + FINE
        else:
            high = ladder.saving(rung)
        rung = ladder.between(low, high)


def _up(ladder: Ladder, low: float) -> Way:
    """From `low` up, in steps that double, and by bisection once a rung lost too much. The first miss is forgiven: few
    images may deceive once."""
    high, step, won, missed = ladder.beyond, FINE, False, False
    rung = ladder.first(low)
    while rung is not None:
        saving, step = ladder.saving(rung), 2 * step
        if (yield rung):
            low, won = saving + FINE, True
        elif won:
            high = saving
        elif missed:
            return
        else:
            missed = True
        further = ladder.first(saving + step) if high == ladder.beyond else None
        rung = further if further is not None else ladder.between(low, high) if won else None


def _above(scan: Sensitivity, found: Trial | None) -> float:
    """What a rung has to save to be of use: more than nothing, or by `FINE` more than what was found."""
    return sys.float_info.epsilon if found is None else saving_of(scan, dict(found.joint.kept)) + FINE
