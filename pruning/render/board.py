"""The board as data: everything that it needs of a network to draw it and to count along, its plan apart.

All numbers come from the engine; names of layers stay plain text, for the board puts them in as text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pruning.granularity import GRANULARITIES

if TYPE_CHECKING:
    from pruning.graph.model_graph import ModelGraph
    from pruning.jobs.status import Status
    from pruning.latency.steps import Steps
    from pruning.planning.rows import Row
    from pruning.sensitivity import Sensitivity
    from pruning.tasks.metric import Metric

ALL_LOCKED = "No channels of this network can be removed: each row says why. Weights can: choose weights above."
LIMIT = 1.5
"""The limit line stands at so many times the dense error."""

Curves = Mapping[str, Sequence[Sequence[float]]]
"""Row → (share removed, the metric) where sensitivity was measured, each from the dense network on."""


@dataclass(frozen=True, kw_only=True)
class BoardData:
    """All that the board shows, its plan apart."""

    fixed: dict[str, Any]
    """What a network, granularity and criterion settle (`board_rows.rows_and_costs`), and a name for it."""
    criteria: Sequence[Sequence[str]] = ()
    """Of the criteria: name, title, and why it cannot rank here, '' where it can."""
    curves: Curves = field(default_factory=dict)
    limit: dict[str, Any] | None = None
    """Where the limit line of the curves stands, and its words."""
    metric: str = "accuracy"
    """What the curves show, in words."""
    axis: dict[str, Any] = field(default_factory=dict)
    """The ends of the curves' axis, and the words at its lower end, middle and upper end."""
    steps: dict[str, Any] | None = None
    """`Steps.to_json()` where layers were timed in the chosen place."""
    drops: dict[str, list[int]] = field(default_factory=dict)
    """Layer → widths at which its time drops."""
    widths: dict[str, Any] = field(default_factory=dict)
    """Where no layers were timed: whether that is under way, and words for its button."""
    times: Sequence[dict[str, Any]] = ()
    """Times measured of whole cuts: key as `plan_key` gives it, and the words of the tile."""
    places: Sequence[tuple[str, str, bool]] = ()
    """Where the layers' times may be of: name, title, and whether they can be measured there now."""
    place: str = ""
    """The name of the chosen one; whole cuts are timed in the first of them alone."""
    threads: str = "1 thread"

    def to_json(self) -> dict[str, Any]:
        """Lists, strings and numbers only."""
        return self.fixed | {
            "criteria": [list(entry) for entry in self.criteria],
            "kinds": [[info.name, info.title, info.explanation] for info in GRANULARITIES.values()],
            "curves": self.curves,
            "metric": self.metric,
            "axis": self.axis,
            "limit": self.limit,
            "steps": self.steps,
            "drops": self.drops,
            "widths": self.widths,
            "times": list(self.times),
            "places": [list(entry) for entry in self.places],
            "place": self.place,
            "threads": self.threads,
            "allLocked": ALL_LOCKED,
        }


def plan_key(numbers: Mapping[str, int], rows: Sequence[Row]) -> str:
    """Names where the free `rows` stand, as the board names it: '[0,7,0]'."""
    return json.dumps([numbers.get(row.name, 0) for row in rows], separators=(",", ":"))


def curves_of(scan: Sensitivity, graph: ModelGraph) -> Curves:
    """The measured curves of a scan for the rows that have points: recalibrated where there is batch norm, else as
    cut."""
    from pruning.graph.targets import free_targets

    if scan.dense is None:
        return {}
    start = [0.0, scan.dense.figure("recalibrated").value]
    names = {target.key: target.name for target in free_targets(graph, scan.spec.granularity)}
    return {
        names[curve.name]: [
            start,
            *([point.achieved, point.figure("recalibrated").value] for point in curve.points if point.achieved),
        ]
        for curve in scan.curves
        if curve.points
    }


def limit(curves: Curves, metric: Metric) -> dict[str, Any] | None:
    """The limit line of the curves: 1.5 times the dense network's error. None without curves, and for a metric that no
    error can be told from."""
    if not curves:
        return None
    dense, (least, most) = next(iter(curves.values()))[0][1], metric.bounds
    best = most if metric.higher_is_better else least
    if not math.isfinite(best):
        return None
    value = best - LIMIT * (best - dense)
    return {"value": min(max(least, value), most), "words": f"limit: {LIMIT:g} × dense error"}


def axis(curves: Curves, metric: Metric) -> dict[str, Any]:
    """The axis of the curves: from the least that can be, where there is a least, to the most that was measured."""
    values = [value for points in curves.values() for _, value in points]
    low = metric.bounds[0] if math.isfinite(metric.bounds[0]) else min(values, default=0.0)
    high = max(max(values, default=low), low + 5 / metric.scale)
    return {"low": low, "high": high, "marks": [_mark(metric, low + share * (high - low)) for share in (0, 0.5, 1)]}


def timed(steps: Steps | None) -> tuple[dict[str, Any] | None, dict[str, list[int]]]:
    """Measured times of layers as the board takes them, and the widths at which they drop."""
    from pruning.latency.steps import drops

    if steps is None:
        return None, {}
    return steps.to_json(), {call.layer: drops(steps, call.layer) for call in steps.calls}


def widths_words(last: Status | None) -> dict[str, Any]:
    """What stands where times of layers would be. `last`: how the last attempt to time them stands."""
    if last is not None and last.is_working:
        return {"running": True, "button": "Measuring", "words": "All layers, in a process of its own."}
    words = "Times every layer at many widths: 10 s to a minute."
    if last is not None and last.state == "failed":
        words = last.text
    return {"running": False, "button": "Measure widths", "words": words}


def _mark(metric: Metric, value: float) -> str:
    """A value at the axis, as briefly as it can be said: '50 %'."""
    shown = metric.scale * value
    return f"{shown:.0f} {metric.unit}".rstrip() if metric.scale >= 100 else f"{shown:.3g} {metric.unit}".rstrip()
