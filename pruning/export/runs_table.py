"""Runs as a table for other programs, one line each: absolute numbers in base units, with all settings.

Shares are fractions, times milliseconds, sizes bytes. Behind a figure that is a sample stand the ends of its 95 %
interval, `_low` and `_high`. Names of columns never change their meaning: scripts read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pruning.export.csv_text import csv_bytes

if TYPE_CHECKING:
    from pruning.runs.summary import Figures, Span, Summary

WHICH = (
    "name", "label", "tags", "note", "state", "message", "created", "network", "network_title", "data", "data_title",
)  # fmt: skip
SETTINGS = (
    "granularity", "criterion", "parameters", "sparsity", "layers", "allocation", "round_to", "head_rounding",
    "schedule", "iterations", "repair", "seed", "finetune_steps", "finetune_epochs", "batch_size", "optimiser", "lr",
    "momentum", "weight_decay", "batch_norm", "augment", "shift", "distillation", "precision", "preprocess",
)  # fmt: skip
"""Fields of a recipe by their own names, those that hold several values as JSON; and the steps as epochs."""
DIGESTS = ("weights_sha256", "images_sha256")
STAGES = ("as_cut", "recalibrated", "repaired", "finetuned")
ENDS = ("", "_low", "_high")
"""Behind the name of a figure: itself, and the ends of its 95 % interval."""
SIDES = ("dense", "pruned")
COSTS = ("params", "nonzero", "macs", "bytes_raw", "bytes_sparse")


def _with_ends(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{end}" for name in names for end in ENDS)


COLUMNS = (
    *WHICH,
    *SETTINGS,
    *DIGESTS,
    "select_metric",
    "select_stage",
    *_with_ends("select_dense", "select_pruned", *(f"select_{stage}" for stage in STAGES)),
    "test_metric",
    "test_looks",
    *_with_ends("test_dense", "test_pruned", "test_difference"),
    *(f"{side}_{cost}" for cost in COSTS for side in SIDES),
    *_with_ends("dense_ms", "pruned_ms", "speedup"),
)
"""`select_pruned` is the furthest stage, which `select_stage` names. Times are those of a batch of one."""


def runs_csv(runs: Callable[[], Sequence[Summary]]) -> bytes:
    """`run_rows` as CSV; `runs`: gives them, since there may be thousands."""
    return csv_bytes(run_rows(runs()), COLUMNS)


def run_rows(runs: Sequence[Summary]) -> list[dict[str, Any]]:
    """One row a run, in any state, with all of `COLUMNS`; what was not measured is None."""
    return [dict.fromkeys(COLUMNS) | _which(run) | _settings(run) | _select(run) | _figures(run) for run in runs]


def _which(run: Summary) -> dict[str, Any]:
    from pruning.runs.words import data_title, network_title

    return {
        "name": run.name,
        "label": run.label.title,
        "tags": " ".join(run.label.tags),
        "note": run.label.note,
        "state": run.state,
        "message": run.message,
        "created": run.created.isoformat(),
        "network": run.network,
        "network_title": network_title(run),
        "data": run.images,
        "data_title": data_title(run),
        "weights_sha256": run.weights_digest,
        "images_sha256": run.images_digest,
    }


def _settings(run: Summary) -> dict[str, Any]:
    values = json.loads(run.settings) | {"finetune_epochs": run.epochs}
    found = {name: values.get(name) for name in SETTINGS}
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in found.items()}


def _select(run: Summary) -> dict[str, Any]:
    """The metric on select images: dense, pruned, and at each stage."""
    if run.select_metric is None:
        return {}
    stages, furthest = run.stages, run.furthest
    found: dict[str, Any] = {"select_metric": run.select_metric, "select_stage": furthest}
    found |= _span("select_dense", run.dense_select)
    found |= _span("select_pruned", None if furthest is None else stages[furthest])
    for name, span in stages.items():
        found |= _span(f"select_{name}", span)
    return found


def _figures(run: Summary) -> dict[str, Any]:
    """A finished run's costs and test figures."""
    found: dict[str, Any] = {}
    for side, figures in (("dense", run.dense), ("pruned", run.pruned)):
        if figures is not None:
            found |= _of_a_network(side, figures)
    if run.pruned is not None and run.pruned.metric is not None:
        found |= {"test_metric": run.pruned.metric, "test_looks": run.looks}
    return found | _span("test_difference", run.difference) | _span("speedup", run.speedup)


def _of_a_network(side: str, figures: Figures) -> dict[str, Any]:
    return {
        f"{side}_params": figures.params,
        f"{side}_nonzero": figures.nonzero,
        f"{side}_macs": figures.macs,
        f"{side}_bytes_raw": figures.raw_bytes,
        f"{side}_bytes_sparse": figures.sparse_bytes,
        f"{side}_ms": figures.milliseconds,
        f"{side}_ms_low": figures.milliseconds_low,
        f"{side}_ms_high": figures.milliseconds_high,
        f"test_{side}": figures.value,
        f"test_{side}_low": figures.low,
        f"test_{side}_high": figures.high,
    }


def _span(name: str, span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    low, middle, high = span
    return dict(zip((f"{name}{end}" for end in ENDS), (middle, low, high), strict=True))
