"""The table of runs on a page: few columns, in words. Files for other programs are `pruning.export.runs_table`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pruning.latency.clock import shows, verdict
from pruning.render.markup import badges
from pruning.runs.summary import Summary
from pruning.runs.words import data_title, describe, network_title
from pruning.tasks.table import find_metric

COLUMNS = (
    "label", "what", "network", "select", "params", "nonzero", "macs", "speed", "state", "tags", "created",
)  # fmt: skip
"""In their order. A row also has `name`, that of its folder."""
NO_SPEEDUP = "no measurable speed-up"


def table_rows(runs: Sequence[Summary]) -> list[dict[str, Any]]:
    """One row a run, in any state: texts, ratios of dense to pruned, and when it was made; None where nothing was
    measured."""
    several, data = len({run.select_metric for run in runs} - {None}) > 1, len({run.data for run in runs}) > 1
    return [
        {
            "label": run.label.title,
            "what": describe(run),
            "network": network_title(run) + (f" · {data_title(run)}" if data else ""),
            "select": _select(run, several),
            **_ratios(run),
            "speed": _speed(run),
            "state": run.state if run.message is None else f"{run.state}: {run.message}",
            "tags": " ".join(run.label.tags),
            "created": run.created,
            "name": run.name,
        }
        for run in runs
    ]


def shown_columns(runs: Sequence[Summary]) -> list[str]:
    """Those that tell something: names and tags where somebody gave some, networks and images where there are several,
    states where a run is not done, times where one was taken; non-zero parameters in place of all where weights were
    pruned."""
    weights = any(run.granularity == "weight" for run in runs)
    tells = {
        "label": any(run.label.title for run in runs),
        "tags": any(run.label.tags for run in runs),
        "network": len({(run.origin, run.data) for run in runs}) > 1,
        "params": not weights,
        "nonzero": weights,
        "speed": any(run.speedup is not None for run in runs),
        "state": any(run.state != "done" for run in runs),
    }
    return [name for name in COLUMNS if tells.get(name, True)]


def select_title(runs: Sequence[Summary]) -> str:
    """The title of the column `select`: 'Accuracy, select images'; of several metrics the cells name theirs."""
    metrics = list(dict.fromkeys(run.select_metric for run in runs if run.select_metric is not None))
    title = find_metric(metrics[0]).title if len(metrics) == 1 else "measured" if metrics else "accuracy"
    return f"{title.capitalize()}, select images"


def _select(run: Summary, several: bool) -> str | None:
    """'96.5 % (95.2–97.5) ◆': the furthest stage, after fine-tuning or before."""
    if run.select_metric is None or run.furthest is None:
        return None
    span = run.stages[run.furthest]
    assert span is not None, "the furthest stage has a figure"
    metric, (low, middle, high) = find_metric(run.select_metric), span
    named = f"{metric.title} " if several else ""
    return (
        f"{named}{metric.words(middle)} ({metric.bare_span((low, high))}) {badges.SYMBOLS[badges.of_metric(run.tuned)]}"
    )


def _ratios(run: Summary) -> dict[str, float | None]:
    dense, pruned = run.dense, run.pruned
    if dense is None or pruned is None:
        return dict.fromkeys(("params", "nonzero", "macs"))
    return {
        "params": dense.params / pruned.params,
        "nonzero": dense.nonzero / max(1, pruned.nonzero),
        "macs": dense.macs / max(1, pruned.macs),
    }


def _speed(run: Summary) -> str | None:
    """As the details say it, but for the interval where there is nothing to claim."""
    if run.speedup is None:
        return None
    return verdict(run.speedup) if shows(run.speedup) else NO_SPEEDUP
