"""How far each target may be cut by its own curve: to a limit that is the same for all, or by a share of what it lets
go.

Where curves are like powers of what goes, a tighter limit takes the same share of each cut. So a share stands for a
limit that is tighter than the images of a scan can tell from no loss at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pruning.sensitivity.curves import Curve, Point, Sensitivity
from pruning.sensitivity.figures import FigureName


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far all targets are cut, by one rule for all of them."""

    figure: FigureName
    """Of the curves that the limit is held against."""
    lose: float
    """What of the metric each target may lose by itself."""
    share: float = 1.0
    """How much is taken of what that lets go, above 0; the number that goes is rounded to whole units."""


def largest_within(curve: Curve, name: FigureName, lose: float) -> Point | None:
    """The point of largest sparsity that loses at most `lose` of the metric against dense treated alike, before the
    first point that surely loses more: whose whole interval lies beyond. So neither a fluctuation early on the curve
    nor one behind its cliff decides. None where there is no such point.
    """
    best = None
    for point in curve.points:
        gain, at_best = point.figure(name).gains
        if at_best < -lose:
            break
        if gain >= -lose - 1e-12:
            best = point
    return best


def kept_of_curve(curve: Curve, limits: Limits) -> int:
    """How many units or weights of a target stay.

    >>> curve = Curve(name="a", layers=(), units=10, params=1, macs=1, locked=None)
    >>> kept_of_curve(curve, Limits(figure="as_cut", lose=0.01))
    10
    """
    point = largest_within(curve, limits.figure, limits.lose)
    return curve.units if point is None else curve.units - part(curve.units - point.kept, limits.share)


def kept_within(found: Sensitivity, limits: Limits) -> dict[str, int]:
    """How many units or weights stay of each target that can be cut, by its name, in network order: as `Joint.kept`
    says it."""
    return {curve.name: kept_of_curve(curve, limits) for curve in found.curves if curve.locked is None}


def requested_within(found: Sensitivity, limits: Limits) -> dict[str, float]:
    """The sparsity that is asked of each of them, likewise."""
    points = {
        curve.name: largest_within(curve, limits.figure, limits.lose) for curve in found.curves if curve.locked is None
    }
    return {name: 0.0 if point is None else limits.share * point.sparsity for name, point in points.items()}


def part(units: int, share: float) -> int:
    """A share of so many units, to the nearest whole one.

    >>> part(5, 0.5), part(5, 0.29), part(5, 0.01), part(5, 1.0)
    (3, 1, 0, 5)
    """
    return math.floor(share * units + 0.5)
