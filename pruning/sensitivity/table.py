"""Every number of a scan in a table, to be read out or copied."""

from __future__ import annotations

from typing import Any

from pruning.base.words import percent
from pruning.sensitivity.curves import Curve, Point, Sensitivity
from pruning.sensitivity.figures import FigureName
from pruning.tasks.metric import Metric


def scan_rows(scan: Sensitivity, name: FigureName) -> list[dict[str, Any]]:
    """One row a measured point, curve by curve, and one for each locked target; changes are against the dense network.

    Values are scaled as the metric is shown: 97.0 for 97 %.
    """
    rows: list[dict[str, Any]] = []
    for curve in scan.curves:
        rows += [_row(curve, point, scan.metric, name) for point in curve.points]
        if curve.locked is not None:
            rows.append({"target": f"{curve.name} (locked: {curve.locked})", "of": curve.units})
    return rows


def _row(curve: Curve, point: Point, metric: Metric, name: FigureName) -> dict[str, Any]:
    seen = point.figure(name)
    counted = {"newly wrong": seen.newly_wrong, "newly right": seen.newly_right} if metric.counts else {}
    return {
        "target": curve.name,
        "removed": percent(point.achieved),
        "kept": point.kept,
        "of": curve.units,
        metric.title: round(metric.scale * seen.value, metric.digits + 1),
        "interval": metric.span(seen.interval),
        "change": round(metric.scale * seen.change, metric.digits + 1),
        "change interval": f"{metric.signed(seen.change_low)} to {metric.signed(seen.change_high)}",
        **counted,
        "params": curve.params,
        "MACs": curve.macs,
    }
