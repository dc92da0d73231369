"""Finished runs as points of the trade-off: which of them can stand on one axis, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pruning.granularity import find_granularity
from pruning.render.figures.tradeoff import TradeoffPoint
from pruning.render.markup import badges
from pruning.runs.axes import Axis
from pruning.runs.summary import Figures, Span, Summary
from pruning.runs.words import STAGE_WORDS, by_criterion, data_title, describe, network_title
from pruning.tasks.table import find_metric


def measured_alike(runs: Sequence[Summary]) -> list[Summary]:
    """Those of finished runs that can stand on one axis: measured by the metric of the newest that has one, and those
    without. `runs`: the newest first."""
    metrics = [run.select_metric for run in runs if run.select_metric is not None]
    return [run for run in runs if run.select_metric is None or run.select_metric == metrics[0]]


def points_of(runs: Sequence[Summary], axis: Axis, colour: str) -> list[TradeoffPoint]:
    """One point a finished run, at the furthest stage that it has a figure of on select images, and the dense network
    once for each network and data set; none where a network has no such figure or no such cost. `colour`: what gives
    it, 'granularity' or 'criterion'."""
    points: list[TradeoffPoint] = []
    fields: set[str] = set()
    names = _fields(runs)
    for run in runs:
        assert run.dense is not None and run.pruned is not None, "only finished runs are drawn"
        field, stage = names[run.origin, run.data], run.furthest
        if run.select_metric is None or stage is None:
            continue
        if field not in fields:
            dense = _point(run.select_metric, run.dense_select, run.dense, axis, title=f"dense {field}", field=field)
            if dense is not None:
                points.append(dense)
                fields.add(field)
        kind = find_granularity(run.granularity).title if colour == "granularity" else by_criterion(run)
        said = f", {badges.SYMBOLS[badges.of_metric(run.tuned)]} {STAGE_WORDS[stage]}"
        pruned = _point(
            run.select_metric, run.stages[stage], run.pruned, axis,
            title=_title(run), field=field, name=run.name, kind=kind, stage=said, tuned=run.tuned,
        )  # fmt: skip
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
            name = f"{network_title(run)} on {data_title(run)}"
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
        f"{better} and to the left is better. ◆ after fine-tuning, ● before. Dotted: the best so far; bars and the "
        "band are 95 % intervals. Click a point for its recipe and its figure on test images."
    )
    if several_fields(points):
        text += " Networks and data sets are never joined."
    text += _without_dense(points)
    if older:
        drawn = sum(not point.dense for point in points)
        rest = "older one is" if older == 1 else "older ones are"
        text += f" The newest {drawn:,} are drawn; {older:,} {rest} not: filter to see them."
    return f"{text} {left_out:,} more, measured by another metric, are in the table alone." if left_out else text


def _without_dense(points: Sequence[TradeoffPoint]) -> str:
    """Which dense networks have no cross, and why; '' where all have one. A test figure is no stand-in."""
    fields = dict.fromkeys(point.field for point in points)
    absent = [field for field in fields if not any(point.dense for point in points if point.field == field)]
    if not absent:
        return ""
    which = "the dense network" if len(fields) == 1 else f"dense {' and '.join(absent)}"
    return f" No cross for {which}: these runs were made before it was measured on select images, too."


def _point(
    metric: str,
    found: Span | None,
    side: Figures,
    axis: Axis,
    *,
    title: str,
    field: str,
    name: str = "",
    kind: str = "",
    stage: str = "",
    tuned: bool = False,
) -> TradeoffPoint | None:
    """Without a `name` it is dense; None where there is nothing to draw."""
    x = axis.value(side)
    if found is None or x is None:
        return None
    low, value, high = found
    return TradeoffPoint(
        name=name, title=title, x=x, value=value, metric=find_metric(metric), low=low, high=high,
        field=field, kind=kind, stage=stage, tuned=tuned, dense=not name,
    )  # fmt: skip
