"""Finished runs as points of the trade-off: which of them can stand on one axis, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pruning.granularity import find_granularity
from pruning.render.figures.runs import TradeoffPoint
from pruning.runs.axes import Axis
from pruning.runs.summary import Figures, Summary
from pruning.runs.words import by_criterion, describe
from pruning.tasks.table import find_metric


def measured_alike(runs: Sequence[Summary]) -> list[Summary]:
    """Those of finished runs that can stand on one axis: measured by the metric of the newest that has one, and those
    without. `runs`: the newest first."""
    metrics = [run.pruned.metric for run in runs if run.pruned is not None and run.pruned.metric is not None]
    return [run for run in runs if run.pruned is None or run.pruned.metric is None or run.pruned.metric == metrics[0]]


def points_of(runs: Sequence[Summary], axis: Axis, colour: str) -> list[TradeoffPoint]:
    """One point a finished run, and the dense network once for each network and data set; none where a network has no
    test figure or no such cost. `colour`: what gives it, 'granularity' or 'criterion'."""
    points: list[TradeoffPoint] = []
    fields: set[str] = set()
    names = _fields(runs)
    for run in runs:
        assert run.dense is not None and run.pruned is not None, "only finished runs are drawn"
        field = names[run.origin, run.data]
        dense = None if field in fields else _point(run.dense, axis, title=f"dense {field}", field=field)
        if dense is not None:
            points.append(dense)
            fields.add(field)
        kind = find_granularity(run.granularity).title if colour == "granularity" else by_criterion(run)
        pruned = _point(run.pruned, axis, title=_title(run), field=field, name=run.name, kind=kind)
        if pruned is not None:
            points.append(pruned)
    return points


def _title(run: Summary) -> str:
    return f"{run.label.title}: {describe(run)}" if run.label.title else describe(run)


def _fields(runs: Sequence[Summary]) -> dict[tuple[str, str], str]:
    """References of network and images → what both are called; numbered where others are called the same, as files of
    one name in two folders."""
    found: dict[tuple[str, str], str] = {}
    often: Counter[str] = Counter()
    for run in runs:
        key = run.origin, run.data
        if key not in found:
            name = f"{run.network} on {run.images}"
            often[name] += 1
            found[key] = name if often[name] == 1 else f"{name} ({often[name]})"
    return found


def several_fields(points: Sequence[TradeoffPoint]) -> bool:
    """Whether they are of more than one network, or of one on more than one data set."""
    return len({point.field for point in points}) > 1


def how_to_read(points: Sequence[TradeoffPoint], *, left_out: int, older: int = 0) -> str:
    """The caption of a figure of these points. `left_out`: finished runs that cannot stand on its axis; `older`: those
    that are not drawn since there are too many."""
    better = "Up" if not points or points[0].metric.higher_is_better else "Down"
    text = (
        f"{better} and to the left is better. Bars are 95 % intervals; dotted: the best so far. Click a point for its "
        "recipe."
    )
    if several_fields(points):
        text += " Networks and data sets are never joined."
    if older:
        drawn = sum(not point.dense for point in points)
        rest = "older one is" if older == 1 else "older ones are"
        text += f" The newest {drawn:,} are drawn; {older:,} {rest} not: filter to see them."
    return f"{text} {left_out:,} more, measured by another metric, are in the table alone." if left_out else text


def _point(
    side: Figures, axis: Axis, *, title: str, field: str, name: str = "", kind: str = ""
) -> TradeoffPoint | None:
    """Without a `name` it is dense; None where there is nothing to draw."""
    x = axis.value(side)
    if side.metric is None or side.value is None or side.low is None or side.high is None or x is None:
        return None
    return TradeoffPoint(
        name=name, title=title, x=x, value=side.value, metric=find_metric(side.metric), low=side.low, high=side.high,
        field=field, kind=kind, dense=not name,
    )  # fmt: skip
