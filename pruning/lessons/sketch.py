"""A curve sketched by hand against the measured one: reading what a browser sent, measuring, and the distance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pruning.spec import PruneSpec

if TYPE_CHECKING:
    from pruning.sensitivity import Curve, Figure, Sensitivity
    from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True)
class MeasuredPoint:
    """One place of the measured curve."""

    asked: float
    """The share of channels that was to go."""
    achieved: float
    """The share that went: of few channels not every share can go."""
    figure: Figure
    """The metric, recalibrated where there is batch norm."""


@dataclass(frozen=True, kw_only=True)
class MeasuredCurve:
    """One group's curve."""

    dense: Figure
    points: tuple[MeasuredPoint, ...]
    """By the share asked for, ascending."""

    def at(self, share: float) -> MeasuredPoint:
        """The point of a share asked for."""
        return next(point for point in self.points if point.asked == share)


def sketched_shares() -> list[float]:
    """The shares of channels at which a curve is sketched and measured, ascending."""
    from pruning.sensitivity import SPARSITIES

    return sorted(SPARSITIES["channel"])


def read_sketch(sent: Any, count: int) -> list[float] | None:
    """The `count` heights that a browser sent, 0 to 100; None where they are not such."""
    if not isinstance(sent, list) or len(sent) != count:
        return None
    good = all(isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100 for value in sent)
    return [float(value) for value in sent] if good else None


def outline_of(subject: Subject, images: int) -> Sensitivity:
    """The scan that the curve comes from, before anything is measured. `images`: at most so many select images."""
    from pruning.sensitivity import outline

    return outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=images)


def group_of(outline: Sensitivity, name: str) -> Curve:
    """The group of channels of that name. Raises InputError where there is none that can be cut."""
    from pruning.base.errors import InputError

    names = [curve.name for curve in outline.curves if curve.locked is None]
    if name not in names:
        raise InputError(f"This network has no group of channels '{name}' to cut. It has: {', '.join(names)}.")
    return outline.curve(name)


def share_of_macs(subject: Subject, group: Curve) -> float:
    """The share of the network's multiply-accumulates that the layers of a group do, 0 to 1."""
    from pruning.cost.counts import layer_costs

    return group.macs / sum(cost.macs for cost in layer_costs(subject.graph))


def measure_curve(subject: Subject, name: str, images: int) -> MeasuredCurve:
    """Measure the curve of one group of channels on at most `images` select images: a few seconds."""
    from pruning.sensitivity import scan
    from pruning.whatif import WhatIf

    wanted = outline_of(subject, images)
    wanted = replace(wanted, curves=(wanted.curve(name),))
    engine = WhatIf(subject.model, subject.graph, subject.data, images=images)
    *_, found = scan(subject.model, subject.graph, subject.data, engine, wanted)
    assert found.dense is not None
    points = sorted(found.curve(name).points, key=lambda point: point.sparsity)
    return MeasuredCurve(
        dense=found.dense.figure("recalibrated"),
        points=tuple(
            MeasuredPoint(asked=point.sparsity, achieved=point.achieved, figure=point.figure("recalibrated"))
            for point in points
        ),
    )


def mean_distance(sketch: list[float], points: tuple[MeasuredPoint, ...]) -> float:
    """Mean distance of a sketch from the measured curve, in points of per cent, where the curve was measured; between
    its own places the sketch is a straight line. `sketch`: per cent at each of `sketched_shares`."""
    import numpy as np

    mine = np.interp([point.achieved for point in points], sketched_shares(), sketch)
    measured = [100 * point.figure.value for point in points]
    return float(np.abs(mine - measured).mean())
