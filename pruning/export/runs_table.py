"""Runs as a table, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pruning.export.csv_text import csv_bytes

if TYPE_CHECKING:
    from pruning.runs import Run
    from pruning.runs.result import Result

ACCURACY = "accuracy"
"""Name of the metric that has columns in per cent."""
COLUMNS = (
    "state", "how", "model", "data", "granularity", "criterion", "sparsity", "accuracy_percent",
    "difference_points", "metric", "value", "difference", "difference_interval", "params_ratio", "nonzero_ratio",
    "macs_ratio", "speedup", "speedup_interval", "created", "reason", "name",
)  # fmt: skip


def runs_csv(runs: Sequence[Run]) -> bytes:
    """`run_rows` as CSV."""
    return csv_bytes(run_rows(runs), COLUMNS)


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row a run, in any state, with all of `COLUMNS`; what was not measured is None."""
    from pruning.runs.words import sparsity

    found = []
    for run in runs:
        row: dict[str, Any] = {
            "state": run.state,
            "how": "",
            "model": run.network,
            "data": run.images,
            "granularity": run.recipe.prune.granularity,
            "criterion": run.recipe.prune.criterion,
            "sparsity": sparsity(run),
        }
        if run.result is not None:
            row |= _figures(run.result)
        found.append(row | {"created": run.created, "name": run.name, "reason": run.message or ""})
    return [{name: row.get(name) for name in COLUMNS} for row in found]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those of the columns in which something stands: no metric but accuracy where there is no other."""
    optional = {"metric", "value", "difference"} if {row["metric"] for row in rows} <= {None, ACCURACY} else set()
    return [name for name in COLUMNS if name not in optional]


def _figures(result: Result) -> dict[str, Any]:
    """A finished run's columns; what was not measured stays empty."""
    dense, pruned, change, speedup = result.dense, result.pruned, result.difference, result.speedup()
    found: dict[str, Any] = {
        "params_ratio": dense.params / pruned.params,
        "nonzero_ratio": dense.nonzero / max(1, pruned.nonzero),
        "macs_ratio": dense.macs / max(1, pruned.macs),
    }
    if pruned.test is not None and change is not None:
        metric = pruned.test.kind
        low, high = (f"{metric.scale * end:+.{metric.digits}f}" for end in change.interval)
        found |= {
            "how": "◆" if result.tuned else "●",
            "metric": metric.name,
            "value": metric.scale * pruned.test.value,
            "difference": metric.scale * change.value,
            "difference_interval": f"{low} to {high}",
        }
        if metric.name == ACCURACY:
            found |= {"accuracy_percent": 100 * pruned.test.value, "difference_points": 100 * change.value}
    if speedup is not None:
        found |= {"speedup": speedup.middle, "speedup_interval": f"{speedup.low:.2f}–{speedup.high:.2f}"}
    return found
