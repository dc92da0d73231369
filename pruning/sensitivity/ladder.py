"""Limits from the tightest to the loosest, with what each lets go: what a search for a limit climbs."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from pruning.sensitivity.curves import Sensitivity
from pruning.sensitivity.figures import FigureName
from pruning.sensitivity.limits import Limits, kept_within

FINE = 0.01
"""Part of the network by which two rungs differ at least, where a search tells them apart."""
SHARES = tuple(percent / 100 for percent in range(1, 100))


class Ladder:
    """Rungs, ascending: of each the limits, how many units of each target they keep, and what that saves. Worked out
    when asked for, since a deep network has thousands."""

    def __init__(self, scan: Sensitivity, rungs: Sequence[Limits]) -> None:
        """`rungs`: none lets less go than the one before."""
        self.rungs = rungs
        self._scan = scan
        self._kept: dict[int, dict[str, int]] = {}

    def kept(self, rung: int) -> dict[str, int]:
        """Each target, and how many of its units or weights stay."""
        if rung not in self._kept:
            self._kept[rung] = kept_within(self._scan, self.rungs[rung])
        return self._kept[rung]

    def saving(self, rung: int) -> float:
        """See `saving_of`."""
        return saving_of(self._scan, self.kept(rung))

    @property
    def loosest(self) -> int | None:
        """The last rung; None where there is none."""
        return len(self.rungs) - 1 if self.rungs else None

    @property
    def beyond(self) -> float:
        """More than any rung saves."""
        return FINE + (self.saving(len(self.rungs) - 1) if self.rungs else 0.0)

    def first(self, least: float) -> int | None:
        """The first rung that saves at least so much, of equal ones the loosest; None where none does."""
        return self._loosest(self._from(least))

    def between(self, least: float, below: float) -> int | None:
        """Of the rungs that save at least so much and less than `below`, the one whose saving is closest to the middle;
        the first of them where less than `FINE` is left to tell apart. Of equal ones the loosest; None where there is
        none."""
        first, end = self._from(least), self._from(below)
        if first >= end or below - least <= FINE:
            return self._loosest(first) if first < end else None
        middle = (least + below) / 2
        above = self._from(middle)
        near = [rung for rung in (above - 1, above) if first <= rung < end]
        return self._loosest(min(near, key=lambda rung: round(abs(self.saving(rung) - middle), 9)))

    def _from(self, saving: float) -> int:
        return bisect.bisect_left(range(len(self.rungs)), saving, key=self.saving)

    def _loosest(self, rung: int) -> int | None:
        """Of the rungs that save as much as this one, the last; None beyond the end."""
        if rung == len(self.rungs):
            return None
        return bisect.bisect_right(range(len(self.rungs)), self.saving(rung), key=self.saving) - 1


def saving_of(scan: Sensitivity, kept: dict[str, int]) -> float:
    """The part of the network that goes: the mean share that targets lose, each weighed by the MACs of the layers that
    its units run through; by its weights, where single weights go. An estimate that orders cuts, no count."""
    curves = [curve for curve in scan.curves if curve.locked is None]
    weights = [max(1, curve.macs if scan.spec.info.shrinks else curve.units) for curve in curves]
    gone = (weight * (1 - kept[curve.name] / curve.units) for weight, curve in zip(weights, curves, strict=True))
    return math.fsum(gone) / max(1, sum(weights))


def by_limit(scan: Sensitivity, figure: FigureName, lose: float) -> Ladder:
    """Shares of what the tightest limit lets go at which anything does, and then all limits up to `lose`, which is the
    last; no rung where nothing goes. Limits are what the points of the curves lose, and the ends of their intervals,
    which say where to stop; rounded up to a digit more than the metric is shown with."""
    steps = scan.metric.scale * 10 ** (scan.metric.digits + 1)
    ends = (
        end
        for curve in scan.curves
        if curve.locked is None
        for point in curve.points
        for end in point.figure(figure).losses[:2]
    )
    rounded = {max(0, math.ceil(end * steps - 1e-6)) / steps for end in ends}
    losses = [*sorted(limit for limit in rounded if limit < lose - 1e-12), lose]
    limits = [Limits(figure=figure, lose=limit) for limit in losses]
    first = bisect.bisect_right(range(len(limits)), 0.0, key=Ladder(scan, limits).saving)
    if first == len(limits):
        return Ladder(scan, ())
    return Ladder(scan, (*_shares(limits[first]), *limits[first:]))


def by_share(scan: Sensitivity, figure: FigureName, lose: float) -> Ladder:
    """Shares of what the limit `lose` lets go, up to all of it; no rung where nothing goes."""
    limits = Limits(figure=figure, lose=lose)
    whole = Ladder(scan, (*_shares(limits), limits))
    return whole if whole.saving(len(SHARES)) else Ladder(scan, ())


def _shares(limits: Limits) -> list[Limits]:
    return [Limits(figure=limits.figure, lose=limits.lose, share=share) for share in SHARES]
