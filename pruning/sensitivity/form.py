"""A scan as JSON and back."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pruning.sensitivity.curves import Figure, Figures, Joint, Point, Sensitivity

SCHEMA_VERSION = 1
HEADER = tuple(field.name for field in fields(Sensitivity) if field.name not in ("spec", "curves", "dense", "joints"))
RANKING = ("granularity", "criterion", "parameters", "seed")
"""What of the spec says how units are ranked."""


def to_json(found: Sensitivity) -> dict[str, Any]:
    """A scan as JSON; accuracies stand beside the counts that they follow from."""
    return {
        "schema_version": SCHEMA_VERSION,
        **{name: getattr(found, name) for name in HEADER},
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
    return {"as_cut": holder.as_cut.to_json(), "recalibrated": None if again is None else again.to_json()}


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
        dense=None if text["dense"] is None else Figures(**_read_figures(text["dense"], wanted.images)),
        curves=tuple(
            replace(curve, points=tuple(_read_point(point, wanted.images) for point in said["points"]))
            for curve, said in zip(wanted.curves, text["curves"], strict=True)
        ),
        joints=tuple(
            Joint(
                kept=tuple((str(name), int(count)) for name, count in said["kept"].items()),
                **_read_figures(said, wanted.images),
            )
            for said in text["joints"]
        ),
    )


def _read_point(said: dict[str, Any], images: int) -> Point:
    return Point(
        sparsity=float(said["sparsity"]),
        kept=int(said["kept"]),
        achieved=float(said["achieved"]),
        **_read_figures(said, images),
    )


def _read_figures(said: dict[str, Any], images: int) -> dict[str, Any]:
    found = {}
    for name in ("as_cut", "recalibrated"):
        part = said[name]
        value = None
        if part is not None:
            value = Figure(
                correct=int(part["correct"]),
                images=int(part["images"]),
                newly_wrong=int(part["newly_wrong"]),
                newly_right=int(part["newly_right"]),
                change_low=float(part["change_low"]),
                change_high=float(part["change_high"]),
            )
            if value.images != images or not 0 <= value.correct <= images:
                raise ValueError("other images")
        found[name] = value
    if found["as_cut"] is None:
        raise ValueError("no accuracy")
    return found
