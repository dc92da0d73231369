"""A scan as JSON, and as the events that its process tells while it measures: what is new, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.sensitivity.curves import Curve, Joint, Point, Sensitivity
from pruning.sensitivity.figures import FIGURES, Figure, Figures

SCHEMA_VERSION = 1
HEADER = tuple(
    field.name for field in fields(Sensitivity) if field.name not in ("spec", "metric", "curves", "dense", "joints")
)
RANKING = ("granularity", "criterion", "parameters", "seed")
"""What of the spec says how units are ranked."""


def to_json(found: Sensitivity) -> dict[str, Any]:
    """A scan as JSON; the metric stands under its name, and `metric` beside it."""
    return {
        "schema_version": SCHEMA_VERSION,
        **{name: getattr(found, name) for name in HEADER},
        "metric": found.metric.name,
        **{name: value for name, value in found.spec.to_values().items() if name in RANKING},
        "complete": found.complete,
        "dense": None if found.dense is None else _figures(found.dense),
        "curves": [
            {
                **{field.name: getattr(curve, field.name) for field in fields(curve) if field.name != "points"},
                "layers": list(curve.layers),
                "points": [_point(point) for point in curve.points],
            }
            for curve in found.curves
        ],
        "joints": [joint_values(joint) for joint in found.joints],
    }


def changes(before: Sensitivity, after: Sensitivity) -> Iterator[dict[str, Any]]:
    """The events that lead from one state of a scan to a later one."""
    if (before.dense, before.precision) != (after.dense, after.precision) and after.dense is not None:
        yield {"kind": "dense", "precision": after.precision, "dense": _figures(after.dense), "seconds": after.seconds}
        before = _anew(before)
    for old, new in zip(before.curves, after.curves, strict=True):
        for point in new.points if new is not old else ():
            if point not in old.points:
                yield {
                    "kind": "point",
                    "target": new.name,
                    **_point(point),
                    "seconds": after.seconds,
                    "repair_seconds": after.repair_seconds,
                }
    for joint in after.joints:
        if joint not in before.joints:
            yield {"kind": "joint", **joint_values(joint)}


def replay(wanted: Sensitivity, events: Iterable[dict[str, Any]]) -> Sensitivity:
    """The scan that events lead to from `wanted`; what is damaged, or of other targets or images, counts for nothing.

    An answer of the dense network that differs from the one before (other arithmetic) begins anew: no points are mixed.
    """
    found = wanted
    for event in events:
        try:
            found = _with(found, Fields(event, "an event of a scan"))
        except StorageError:
            continue
    return found


def _with(found: Sensitivity, event: Fields) -> Sensitivity:
    kind = event.choice("kind", ("dense", "point", "joint"))
    if kind == "dense":
        dense = Figures(**_read_figures(event.part("dense"), found))
        precision, seconds = event.text("precision"), event.number("seconds", 0)
        if (dense, precision) != (found.dense, found.precision):
            found = _anew(found)
        return replace(found, dense=dense, precision=precision, seconds=seconds)
    if kind == "joint":
        kept = tuple((name, event.part("kept").whole(name, 0)) for name in event.part("kept").names())
        why = event.text("not_repaired") if "not_repaired" in event else None
        joint = Joint(kept=kept, not_repaired=why, **_read_figures(event, found))
        return replace(found, joints=(*(other for other in found.joints if other.kept != kept), joint))
    target = event.text("target")
    curve = next((curve for curve in found.curves if curve.name == target), None)
    if curve is None or curve.locked is not None:
        event.refuse("target", "one that can be pruned")
    point = _read_point(event, curve, found)
    spent = event.number("repair_seconds", 0) if "repair_seconds" in event else found.repair_seconds
    return replace(found, seconds=event.number("seconds", 0), repair_seconds=spent).plus(curve.name, point)


def _anew(scan: Sensitivity) -> Sensitivity:
    curves = tuple(replace(curve, points=()) for curve in scan.curves)
    return replace(scan, curves=curves, joints=(), dense=None, precision=None, seconds=0.0, repair_seconds=0.0)


def _point(point: Point) -> dict[str, Any]:
    return {"sparsity": point.sparsity, "kept": point.kept, "achieved": point.achieved, **_figures(point)}


def joint_values(joint: Joint) -> dict[str, Any]:
    """A joint cut as JSON."""
    return {"kept": dict(joint.kept), **_figures(joint), "not_repaired": joint.not_repaired}


def _figures(holder: Figures) -> dict[str, Any]:
    found = {name: getattr(holder, name) for name in FIGURES}
    return {name: None if figure is None else figure_values(figure) for name, figure in found.items()}


def figure_values(found: Figure) -> dict[str, Any]:
    """A figure as JSON, the value under the metric's name."""
    own = {name: value for name, value in vars(found).items() if name not in ("metric", "value")}
    return {found.metric.name: found.value, **own}


def _read_point(said: Fields, curve: Curve, scan: Sensitivity) -> Point:
    return Point(
        sparsity=said.number("sparsity", 0, 1),
        kept=said.whole("kept", 0, curve.units),
        achieved=said.number("achieved", 0, 1),
        **_read_figures(said, scan),
    )


def _read_figures(said: Fields, scan: Sensitivity) -> dict[str, Any]:
    further = (name for name in FIGURES if name != "as_cut")
    found: dict[str, Figure | None] = {
        name: _figure(said.part(name), scan) if name in said else None for name in further
    }
    return {"as_cut": _figure(said.part("as_cut"), scan), **found}


def _figure(said: Fields, scan: Sensitivity) -> Figure:
    metric, images = scan.metric, scan.images
    counts: list[int | None] = [None] * 3
    if metric.counts:
        counts = [said.whole(name, 0, images) for name in ("correct", "newly_wrong", "newly_right")]
    value = said.number(metric.name, *metric.bounds)
    if counts[0] is not None and value != counts[0] / images:
        said.refuse(metric.name, f"{counts[0]} of {images}")
    return Figure(
        metric=metric,
        value=value,
        low=said.number("low", None, value),
        high=said.number("high", value),
        images=said.whole("images", images, images),
        change=said.number("change"),
        change_low=said.number("change_low"),
        change_high=said.number("change_high"),
        correct=counts[0],
        newly_wrong=counts[1],
        newly_right=counts[2],
    )
