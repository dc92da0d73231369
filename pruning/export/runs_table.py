"""Runs as a table, one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pruning.export.csv_text import csv_bytes

if TYPE_CHECKING:
    from pruning.runs.summary import Summary
    from pruning.tasks.metric import Metric

ACCURACY = "accuracy"
"""Name of the metric that has columns in per cent."""
COLUMNS = (
    "label", "state", "how", "model", "data", "granularity", "criterion", "sparsity", "accuracy_percent",
    "metric", "value", "value_interval", "difference_points", "difference", "difference_interval", "repair", "as_cut",
    "as_cut_interval", "recalibrated", "recalibrated_interval", "repaired", "repaired_interval", "finetuned",
    "finetuned_interval", "params_ratio", "nonzero_ratio", "macs_ratio", "speedup", "speedup_interval", "created",
    "reason", "tags", "name",
)  # fmt: skip
INTERVAL = "_interval"
"""Behind the name of a column: its 95 % interval, in the same unit."""


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
    where there is no other, none in per cent of accuracy where all were measured by another, and no stage that no run
    has."""
    from pruning.runs.result_json import STAGES

    metrics = {row["metric"] for row in rows} - {None}
    empty: set[str] = set()
    if metrics <= {ACCURACY}:
        empty = {"metric", "value", "difference"}
    elif ACCURACY not in metrics:
        empty = {"accuracy_percent", "difference_points"}
    empty |= {name for name in ("label", "tags") if not any(row.get(name) for row in rows)}
    missing = {name for name in STAGES if all(row.get(name) is None for row in rows)}
    empty |= missing | {f"{name}{INTERVAL}" for name in missing}
    return [name for name in COLUMNS if name not in empty]


def _stages(run: Summary) -> dict[str, Any]:
    """What was measured on select images, step by step."""
    from pruning.tasks.table import find_metric

    if run.select_metric is None:
        return {}
    metric, row = find_metric(run.select_metric), dict[str, Any]()
    for name, found in run.stages.items():
        if found is not None:
            row |= {name: metric.scale * found[1], f"{name}{INTERVAL}": metric.bare_span((found[0], found[2]))}
    return row


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
            "value_interval": _interval(metric, pruned.low, pruned.high),
            "difference": metric.scale * change[1],
            "difference_interval": f"{low} to {high}",
        }
        if metric.name == ACCURACY:
            found |= {"accuracy_percent": 100 * pruned.value, "difference_points": 100 * change[1]}
    if speedup is not None:
        found |= {"speedup": speedup[1], "speedup_interval": f"{speedup[0]:.2f}–{speedup[2]:.2f}"}
    return found


def _interval(metric: Metric, low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else metric.bare_span((low, high))
