"""A scan as JSON and back."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

from pruning.sensitivity.curves import Figure, Figures, Joint, Point, Sensitivity

SCHEMA_VERSION = 1
HEADER = tuple(
    field.name for field in fields(Sensitivity) if field.name not in ("spec", "metric", "curves", "dense", "joints")
)
FIGURES = ("as_cut", "recalibrated")
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
                "points": [
                    {"sparsity": point.sparsity, "kept": point.kept, "achieved": point.achieved, **_figures(point)}
                    for point in curve.points
                ],
            }
            for curve in found.curves
        ],
        "joints": [{"kept": dict(joint.kept), **_figures(joint)} for joint in found.joints],
    }


def _figures(holder: Figures) -> dict[str, Any]:
    again = holder.recalibrated
    return {"as_cut": figure_values(holder.as_cut), "recalibrated": None if again is None else figure_values(again)}


def figure_values(found: Figure) -> dict[str, Any]:
    """A figure as JSON, the value under the metric's name."""
    own = {name: value for name, value in vars(found).items() if name not in ("metric", "value")}
    return {found.metric.name: found.value, **own}


def from_json(text: Any, wanted: Sensitivity) -> Sensitivity:
    """Points of a file for exactly these targets; everything else comes from `wanted`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: damaged, or a file of something else.
    """
    own = to_json(wanted)
    known = {"precision", "seconds", "dense", "complete", "curves", "joints"}
    if any(text[name] != value for name, value in own.items() if name not in known):
        raise ValueError("another scan")
    targets = [{**curve, "points": None} for curve in own["curves"]]
    if [{**curve, "points": None} for curve in text["curves"]] != targets:
        raise ValueError("other targets")
    return replace(
        wanted,
        precision=None if text["precision"] is None else str(text["precision"]),
        seconds=float(text["seconds"]),
        dense=None if text["dense"] is None else Figures(**_read_figures(text["dense"], wanted)),
        curves=tuple(
            replace(curve, points=tuple(_read_point(point, wanted) for point in said["points"]))
            for curve, said in zip(wanted.curves, text["curves"], strict=True)
        ),
        joints=tuple(
            Joint(
                kept=tuple((str(name), int(count)) for name, count in said["kept"].items()),
                **_read_figures(said, wanted),
            )
            for said in text["joints"]
        ),
    )


def _read_point(said: dict[str, Any], wanted: Sensitivity) -> Point:
    return Point(
        sparsity=float(said["sparsity"]),
        kept=int(said["kept"]),
        achieved=float(said["achieved"]),
        **_read_figures(said, wanted),
    )


def _read_figures(said: dict[str, Any], wanted: Sensitivity) -> dict[str, Any]:
    found = {name: None if said[name] is None else _read_figure(said[name], wanted) for name in FIGURES}
    if found["as_cut"] is None:
        raise ValueError("no figure")
    return found


def _read_figure(said: dict[str, Any], wanted: Sensitivity) -> Figure:
    metric = wanted.metric
    counts = [int(said[name]) if metric.counts else None for name in ("correct", "newly_wrong", "newly_right")]
    found = Figure(
        metric=metric,
        value=float(said[metric.name]),
        low=float(said["low"]),
        high=float(said["high"]),
        images=int(said["images"]),
        change=float(said["change"]),
        change_low=float(said["change_low"]),
        change_high=float(said["change_high"]),
        correct=counts[0],
        newly_wrong=counts[1],
        newly_right=counts[2],
    )
    ends = (found.low, found.high, found.change, found.change_low, found.change_high)
    if found.images != wanted.images or not all(map(math.isfinite, ends)) or not found.low <= found.value <= found.high:
        raise ValueError("other images, or no figure")
    if found.correct is not None and found.value != found.correct / found.images:
        raise ValueError("it does not count right")
    return found
