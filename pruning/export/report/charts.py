"""The two charts of a report as drawings that need no script: the trade-off, and uniform cuts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pruning.base.words import amount
from pruning.export.report.family import Group, Reached
from pruning.export.report.plans import UniformPlan
from pruning.export.report.svg import Board
from pruning.granularity import find_granularity
from pruning.sensitivity import FIGURES, FigureName
from pruning.tasks.metric import Metric

Cost = Literal["macs", "nonzero", "speed"]


@dataclass(frozen=True, kw_only=True)
class CostAxis:
    """A cost to hold the metric against."""

    name: Cost
    title: str
    """On the axis."""
    short: str
    """On its button."""
    text: Callable[[float], str]


@dataclass(frozen=True, kw_only=True)
class OwnPoint:
    """What the reported run reached on select images, before or after fine-tuning."""

    words: str
    shape: Literal["square", "diamond"]
    value: float


AXES: dict[Cost, CostAxis] = {
    axis.name: axis
    for axis in (
        CostAxis(name="macs", title="multiplications (MACs) for one image", short="Multiplications", text=amount),
        CostAxis(name="nonzero", title="parameters that are not zero", short="Parameters", text=amount),
        CostAxis(
            name="speed", title="times as fast as the original, one image at a time", short="Speed",
            text=lambda value: f"{value:g}×",
        ),
    )
}  # fmt: skip


def cost(point: Reached, axis: Cost) -> float:
    """The cost of a network on an axis; one that was not timed has none on the axis of speed: see `on_axis`."""
    if axis != "speed":
        return float(getattr(point, axis))
    assert point.speed is not None, "not timed"
    return point.speed[1]


def on_axis(groups: Sequence[Group], axis: Cost) -> list[Group]:
    """The groups with those of their members that have a cost on an axis."""
    found = []
    for group in groups:
        members = tuple(member for member in group.members if axis != "speed" or member.speed is not None)
        reported = None if group.reported is None else group.members[group.reported]
        if members:
            place = members.index(reported) if reported in members else None
            found.append(replace(group, members=members, reported=place))
    return found


def axes(groups: Sequence[Group]) -> list[Cost]:
    """The costs to choose from: the one that this kind of pruning changes first, and speed where any run was timed."""
    first = first_axis(groups)
    return [first, *(name for name in AXES if name != first and on_axis(groups, name))]


def first_axis(groups: Sequence[Group]) -> Cost:
    """Zeroing weights changes no MACs, so such a run is shown against the weights that are left."""
    return "macs" if find_granularity(groups[0].granularity).shrinks else "nonzero"


def ranges(dense: Reached, groups: Sequence[Group], axis: Cost) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of x and of y (as the metric is shown), with some room round the points."""
    points = [dense, *(member for group in groups for member in group.members)]
    most = max(cost(point, axis) for point in points)
    scale, bounds = dense.metric.scale, dense.metric.bounds
    low, high = (scale * pick(value for point in points for value in point.interval) for pick in (min, max))
    room = max(0.004 * scale, 0.07 * (high - low))
    floor, ceiling = scale * bounds[0] - 0.01 * scale, scale * bounds[1] + 0.005 * scale
    return (0.0, 1.07 * most), (max(floor, low - room), min(ceiling, high + room))


def y_of_cuts(metric: Metric, values: Sequence[float], room: float) -> tuple[float, float]:
    """Range of y for a chart of cuts: all that the metric can be, and `room` (a share of it) above; where it has no
    bounds, what the values take up, and as much above and below."""
    low, high = metric.bounds
    if math.isfinite(low) and math.isfinite(high):
        return metric.scale * low, metric.scale * (high + room * (high - low))
    low, high = min(values), max(values)
    more = room * (high - low) or 1.0
    return metric.scale * (low - more), metric.scale * (high + more)


def tradeoff(dense: Reached, groups: Sequence[Group]) -> str:
    """The metric on test images against cost: each run as a point, several seeds in a band, the reported run marked."""
    axis, metric = AXES[first_axis(groups)], dense.metric
    scale = metric.scale
    x_range, y_range = ranges(dense, groups, axis.name)
    count = sum(len(group.members) for group in groups)
    board = Board(
        x_range=x_range,
        y_range=y_range,
        x_title=axis.title,
        y_title=metric.of_images("test"),
        x_text=axis.text,
        alt=f"{metric.title.capitalize()} on test images against {axis.title}: the original network and {count} "
        f"finished run{'s' if count > 1 else ''}; the table below has the numbers",
    )
    for group in reversed(groups):
        colour = "kept" if group.reported is not None else "other"
        costs = [cost(member, axis.name) for member in group.members]
        if len(costs) > 1:
            low, high = group.span
            board.box((min(costs), max(costs)), (scale * low, scale * high), colour)
        for number, member in enumerate(group.members):
            low, high = (scale * end for end in member.interval)
            at = cost(member, axis.name)
            board.interval(at, low, high, colour)
            shape = "diamond" if group.tuned else "circle"
            board.point(at, scale * member.value, colour, shape=shape, text=point_text(group, member))
            if number == group.reported:
                board.point(at, scale * member.value, "ink", shape="ring", size=12)
    low, high = (scale * end for end in dense.interval)
    board.interval(cost(dense, axis.name), low, high, "dense")
    board.point(cost(dense, axis.name), scale * dense.value, "dense", shape="cross", text="original")
    for number, member in enumerate(groups[0].members):
        if number == groups[0].reported:
            board.note(cost(member, axis.name), scale * member.value, "this run")
    board.note(cost(dense, axis.name), scale * dense.value, "dense")
    return board.html()


def point_text(group: Group, member: Reached) -> str:
    """What a point says for itself."""
    words = f"{member.metric.words(member.value)} ({member.metric.span(member.interval)})"
    return f"{group.title}, seed {member.seed}: {words}"


def uniform(plans: Sequence[UniformPlan], share: float, own: Sequence[OwnPoint], removed: str) -> str:
    """The metric on select images against the share removed everywhere. `own`: the reported run, which removed
    `share`."""
    dense, metric = plans[0].as_cut.value, plans[0].as_cut.metric
    scale = metric.scale
    ends = [end for plan in plans for end in plan.best.interval]
    y_range = y_of_cuts(metric, ends, 0.03)
    board = Board(
        x_range=(-2, 101),
        y_range=y_range,
        x_title=f"{removed} removed, %",
        y_title=metric.of_images("select"),
        height=300,
        alt=f"{metric.title.capitalize()} on select images against the share removed, before fine-tuning; the table "
        "below has the numbers",
    )
    board.line([(0, scale * dense), (100, scale * dense)], "soft", dashed=True)
    spans = [(100 * plan.sparsity, *(scale * end for end in plan.best.interval)) for plan in plans]
    board.band([(x, low, high) for x, low, high in spans], "kept")
    for name in lines_of(plans)[:-1]:
        values = [(100 * plan.sparsity, scale * plan.line(name).value) for plan in plans]
        board.line(values, "removed" if name == "as_cut" else "kept", dashed=True)
    board.line([(100 * plan.sparsity, scale * plan.best.value) for plan in plans], "kept")
    for point in own:
        high = (scale * point.value - y_range[0]) / (y_range[1] - y_range[0])
        said = f"{point.words}: {metric.words(point.value)}"
        board.point(100 * share, scale * point.value, "ink", shape=point.shape, text=said)
        if point is own[-1]:
            board.note(100 * share, scale * point.value, f"this run, {point.words}", above=high < 0.9 / 1.03)
    return board.html()


def lines_of(plans: Sequence[UniformPlan]) -> list[FigureName]:
    """The figures that uniform cuts have, the furthest last."""
    return [name for name in FIGURES if any(getattr(plan, name) is not None for plan in plans)]
