"""Runs as a table, one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pruning.export.csv_text import csv_bytes

if TYPE_CHECKING:
    from pruning.runs.summary import Summary

ACCURACY = "accuracy"
"""Name of the metric that has columns in per cent."""
COLUMNS = (
    "label", "state", "how", "model", "data", "granularity", "criterion", "sparsity", "accuracy_percent",
    "difference_points", "metric", "value", "difference", "difference_interval", "repair", "as_cut", "recalibrated",
    "repaired", "finetuned", "params_ratio", "nonzero_ratio", "macs_ratio", "speedup", "speedup_interval", "created",
    "reason", "tags", "name",
)  # fmt: skip
STAGES = ("as_cut", "recalibrated", "repaired", "finetuned")
"""Columns of the metric on select images, in its own unit."""


def runs_csv(runs: Callable[[], Sequence[Summary]]) -> bytes:
    """`run_rows` as CSV; `runs`: gives them, since there may be thousands."""
    return csv_bytes(run_rows(runs()), COLUMNS)


def run_rows(runs: Sequence[Summary]) -> list[dict[str, Any]]:
    """One row a run, in any state, with all of `COLUMNS`; what was not measured is None."""
    from pruning.runs.words import sparsity

    found = []
    for run in runs:
        row: dict[str, Any] = {
            "state": run.state,
            "how": "",
            "model": run.network,
            "data": run.images,
            "granularity": run.granularity,
            "criterion": run.criterion,
            "sparsity": sparsity(run),
            "repair": run.repair,
            "label": run.label.title,
            "tags": " ".join(run.label.tags),
        }
        found.append(
            row | _stages(run) | _figures(run) | {"created": run.created, "name": run.name, "reason": run.message or ""}
        )
    return [{name: row.get(name) for name in COLUMNS} for row in found]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those of the columns in which something stands: no names and tags where nobody gave any, no metric but accuracy
    where there is no other, none in per cent of accuracy where all were measured by another, and none of `STAGES` that
    no run has."""
    metrics = {row["metric"] for row in rows} - {None}
    empty: set[str] = set()
    if metrics <= {ACCURACY}:
        empty = {"metric", "value", "difference"}
    elif ACCURACY not in metrics:
        empty = {"accuracy_percent", "difference_points"}
    empty |= {name for name in ("label", "tags") if not any(row.get(name) for row in rows)}
    empty |= {name for name in STAGES if all(row.get(name) is None for row in rows)}
    return [name for name in COLUMNS if name not in empty]


def _stages(run: Summary) -> dict[str, Any]:
    """What was measured on select images, step by step."""
    from pruning.tasks.table import find_metric

    if run.select_metric is None:
        return {}
    scale = find_metric(run.select_metric).scale
    values = (run.as_cut_value, run.recalibrated_value, run.repaired_value, run.tuned_value)
    return {name: None if value is None else scale * value for name, value in zip(STAGES, values, strict=True)}


def _figures(run: Summary) -> dict[str, Any]:
    """A finished run's columns; what was not measured stays empty."""
    from pruning.tasks.table import find_metric

    dense, pruned, change, speedup = run.dense, run.pruned, run.difference, run.speedup
    if dense is None or pruned is None:
        return {}
    found: dict[str, Any] = {
        "params_ratio": dense.params / pruned.params,
        "nonzero_ratio": dense.nonzero / max(1, pruned.nonzero),
        "macs_ratio": dense.macs / max(1, pruned.macs),
    }
    if pruned.metric is not None and pruned.value is not None and change is not None:
        metric = find_metric(pruned.metric)
        low, high = (f"{metric.scale * end:+.{metric.digits}f}" for end in (change[0], change[2]))
        found |= {
            "how": "◆" if run.tuned else "●",
            "metric": metric.name,
            "value": metric.scale * pruned.value,
            "difference": metric.scale * change[1],
            "difference_interval": f"{low} to {high}",
        }
        if metric.name == ACCURACY:
            found |= {"accuracy_percent": 100 * pruned.value, "difference_points": 100 * change[1]}
    if speedup is not None:
        found |= {"speedup": speedup[1], "speedup_interval": f"{speedup[0]:.2f}–{speedup[2]:.2f}"}
    return found
