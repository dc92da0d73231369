"""The two charts of a report as drawings that need no script: the trade-off, and uniform cuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pruning.base.words import amount, interval, percent
from pruning.export.report.family import Group, Reached
from pruning.export.report.plans import UniformPlan
from pruning.export.report.svg import Board
from pruning.granularity import find_granularity

Cost = Literal["macs", "nonzero", "speed"]


@dataclass(frozen=True, kw_only=True)
class CostAxis:
    """A cost to hold accuracy against."""

    name: Cost
    title: str
    """On the axis."""
    short: str
    """On its button."""
    text: Callable[[float], str]


AXES: dict[Cost, CostAxis] = {
    axis.name: axis
    for axis in (
        CostAxis(name="macs", title="multiplications (MACs) for one image", short="Multiplications", text=amount),
        CostAxis(name="nonzero", title="parameters that are not zero", short="Parameters", text=amount),
        CostAxis(
            name="speed", title="times as fast as dense, one image at once", short="Speed",
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
    """Of x and of y (per cent), with some room round the points."""
    points = [dense, *(member for group in groups for member in group.members)]
    most = max(cost(point, axis) for point in points)
    low, high = (100 * pick(value for point in points for value in point.interval) for pick in (min, max))
    room = max(0.4, 0.07 * (high - low))
    return (0.0, 1.07 * most), (max(-1.0, low - room), min(100.5, high + room))


def tradeoff(dense: Reached, groups: Sequence[Group]) -> str:
    """Accuracy on test images against cost: each run as a point, several seeds in a band, the reported run marked."""
    axis = AXES[first_axis(groups)]
    x_range, y_range = ranges(dense, groups, axis.name)
    count = sum(len(group.members) for group in groups)
    board = Board(
        x_range=x_range,
        y_range=y_range,
        x_title=axis.title,
        y_title="accuracy on test images, %",
        x_text=axis.text,
        alt=f"Accuracy on test images against {axis.title}: the dense network and {count} "
        f"finished run{'s' if count > 1 else ''}; the table below has the numbers",
    )
    for group in reversed(groups):
        colour = "kept" if group.reported is not None else "other"
        costs = [cost(member, axis.name) for member in group.members]
        if len(costs) > 1:
            low, high = group.span
            board.box((min(costs), max(costs)), (100 * low, 100 * high), colour)
        for number, member in enumerate(group.members):
            low, high = (100 * end for end in member.interval)
            at = cost(member, axis.name)
            board.interval(at, low, high, colour)
            shape = "diamond" if group.tuned else "circle"
            board.point(at, 100 * member.accuracy, colour, shape=shape, text=point_text(group, member))
            if number == group.reported:
                board.point(at, 100 * member.accuracy, "ink", shape="ring", size=12)
    low, high = (100 * end for end in dense.interval)
    board.interval(cost(dense, axis.name), low, high, "dense")
    board.point(cost(dense, axis.name), 100 * dense.accuracy, "dense", shape="cross", text="dense")
    for number, member in enumerate(groups[0].members):
        if number == groups[0].reported:
            board.note(cost(member, axis.name), 100 * member.accuracy, "this run")
    board.note(cost(dense, axis.name), 100 * dense.accuracy, "dense")
    return board.html()


def point_text(group: Group, member: Reached) -> str:
    """What a point says for itself."""
    return f"{group.title}, seed {member.seed}: {percent(member.accuracy)} ({interval(member.interval)})"


def uniform(plans: Sequence[UniformPlan], tuned: tuple[float, float] | None, removed: str) -> str:
    """Accuracy on select images against the share removed everywhere; `tuned`: the reported run, fine-tuned, as
    (share, accuracy)."""
    dense = plans[0].as_cut.accuracy
    board = Board(
        x_range=(-2, 101),
        y_range=(0, 103),
        x_title=f"{removed} removed, %",
        y_title="accuracy on select images, %",
        height=300,
        alt="Accuracy on select images against the share removed, before fine-tuning; the table below has the numbers",
    )
    board.line([(0, 100 * dense), (100, 100 * dense)], "soft", dashed=True)
    spans = [(100 * plan.sparsity, *(100 * end for end in plan.best.interval)) for plan in plans]
    board.band([(x, low, high) for x, low, high in spans], "kept")
    if any(plan.recalibrated for plan in plans):
        board.line([(100 * plan.sparsity, 100 * plan.as_cut.accuracy) for plan in plans], "removed", dashed=True)
    board.line([(100 * plan.sparsity, 100 * plan.best.accuracy) for plan in plans], "kept")
    if tuned is not None:
        share, accuracy = tuned
        board.point(100 * share, 100 * accuracy, "ink", shape="diamond", text=f"fine-tuned: {percent(accuracy)}")
        board.note(100 * share, 100 * accuracy, "this run, fine-tuned", above=accuracy < 0.9)
    return board.html()
