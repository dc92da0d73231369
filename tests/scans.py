"""Scans of sensitivity with made-up figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pruning.base.intervals import wilson_interval
from pruning.sensitivity import Curve, Figure, Figures, Point, Sensitivity
from pruning.spec import PruneSpec
from pruning.tasks.classification import ACCURACY


def counted(correct: int, images: int, change: int, low: float, high: float) -> Figure:
    """So many right, of which so many more than dense."""
    return Figure(
        metric=ACCURACY, value=correct / images, low=wilson_interval(correct, images)[0],
        high=wilson_interval(correct, images)[1], images=images, change=change / images, change_low=low,
        change_high=high, correct=correct, newly_wrong=max(0, -change), newly_right=max(0, change),
    )  # fmt: skip


def figure(correct: int) -> Figure:
    """So many of 1,000 right, where dense has 990."""
    lost = 990 - correct
    return counted(correct, 1000, -lost, (-lost - 8) / 1000, (-lost + 8) / 1000)


def with_points(scan: Sensitivity, recalibrated: bool = False) -> Sensitivity:
    """A complete scan with made-up accuracies: each group loses nothing up to 40 %, 2 points at 50 %, then more."""
    for curve in scan.curves:
        if curve.locked is None:
            for n in range(1, 10):
                found = figure(990 if n < 5 else 990 - 20 * (n - 4))
                point = Point(
                    sparsity=n / 10,
                    kept=curve.units - curve.units * n // 10,
                    achieved=curve.units * n // 10 / curve.units,
                    as_cut=found,
                    recalibrated=figure(found.correct + 5) if recalibrated else None,
                )
                scan = scan.plus(curve.name, point)
    dense = Figures(as_cut=figure(990), recalibrated=figure(990) if recalibrated else None)
    return replace(scan, dense=dense, precision="fp32", seconds=9.0)


def made_up(name: str = "conv1", **changes: Any) -> Sensitivity:
    """Of two groups, the second locked. `changes`: of the first curve."""
    curve = Curve(name=name, layers=(name, "b"), units=10, params=1000, macs=5000, locked=None)
    free = Curve(**{**vars(curve), **changes})
    locked = Curve(**{**vars(curve), "name": "last", "locked": "because <b>", "params": 10})
    scan = Sensitivity(metric=ACCURACY, guess=0.1,
        model_digest="m", graph_digest="g", data="d", data_digest="x", classes=10, spec=PruneSpec(),
        images=1000, curves=(free, locked),
    )  # fmt: skip
    return with_points(scan)
