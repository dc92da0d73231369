"""How tight a limit each target needs so that all of them together lose no more than is allowed: by bisection.

Single curves say little of a joint cut, so each step is measured. The search itself is arithmetic on a scan and the
joint cuts that were measured with it: it names the one that must be measured next, and goes on from there once that is
remembered. So it can be left at any time, and whoever asks again finds it as far as it came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pruning.sensitivity.curves import Joint, Sensitivity, kept_within
from pruning.sensitivity.figures import FigureName

MOST = 8
"""Joint cuts that a search measures at most."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A limit that was tried."""

    limit: float
    """What of the metric each target may lose by itself: the tightest that is known to lead to this joint cut, of those
    that lose too much."""
    joint: Joint


@dataclass(frozen=True, kw_only=True)
class Tightened:
    """A search, as far as it has come."""

    lose: float
    """What of the metric all targets together may lose."""
    figure: FigureName
    """Of the curves that the limit is held against. Joint cuts are judged by the furthest figure that they have."""
    found: Trial | None
    """The loosest limit that was tried whose joint cut loses no more than that; None where there is none."""
    tried: tuple[Trial, ...]
    """In order."""
    next: float | None
    """The limit whose joint cut is to be measured next; None at the end."""

    @property
    def is_over(self) -> bool:
        return self.next is None

    @property
    def failed(self) -> bool:
        """Whether even the tightest limit at which something goes loses more."""
        return self.is_over and self.found is None


def tighten(scan: Sensitivity, figure: FigureName, lose: float, most: int = MOST) -> Tightened:
    """Search for the loosest limit, the same for each target and at most `lose`, at which all of them together lose at
    most `lose` of the metric against dense.

    Between two limits at which the same goes nothing is to be found, so the bisection is over limits at which a target
    gains a step. It ends where two neighbours remain, or after `most` joint cuts; the last one is the tightest, if no
    other did.
    """
    limits = _limits(scan, figure, lose)
    joints = {frozenset(joint.kept): joint for joint in scan.joints if joint.is_complete}
    dense = {curve.name: curve.units for curve in scan.curves if curve.locked is None}
    tried: list[Trial] = []
    found: Trial | None = None
    low, high = -1, len(limits)  # nothing goes below the first; above the last nobody looks
    kept_low, kept_high, last_high = dense, None, -1
    while high - low > 1 and len(tried) < most:
        if not tried:
            at = high - 1
        elif found is None and len(tried) == most - 1:
            at = low + 1
        else:
            at = (low + high) // 2
        kept = kept_within(scan, figure, limits[at])
        if kept == kept_low:
            low = at
            continue
        if kept == kept_high:
            high, tried[last_high] = at, replace(tried[last_high], limit=limits[at])
            continue
        joint = joints.get(frozenset(kept.items()))
        if joint is None:
            return Tightened(lose=lose, figure=figure, found=found, tried=tuple(tried), next=limits[at])
        tried.append(Trial(limit=limits[at], joint=joint))
        if is_within(joint, lose):
            low, kept_low, found = at, kept, tried[-1]
        else:
            high, kept_high, last_high = at, kept, len(tried) - 1
    return Tightened(lose=lose, figure=figure, found=found, tried=tuple(tried), next=None)


def is_within(joint: Joint, lose: float) -> bool:
    """Whether a joint cut loses at most `lose`, by the furthest figure that is known of it."""
    return joint.figure(joint.furthest).losses[0] <= lose + 1e-12


def _limits(scan: Sensitivity, figure: FigureName, lose: float) -> list[float]:
    """Limits up to `lose` at which a target may gain a step, ascending, `lose` last: what its points lose, and the
    ends of their intervals, which say where to stop; rounded up to a digit more than the metric is shown with."""
    steps = scan.metric.scale * 10 ** (scan.metric.digits + 1)
    ends = (
        end
        for curve in scan.curves
        if curve.locked is None
        for point in curve.points
        for end in point.figure(figure).losses[:2]
    )
    rounded = {max(0, math.ceil(end * steps - 1e-6)) / steps for end in ends}
    return [*sorted(limit for limit in rounded if limit < lose - 1e-12), lose]
