"""`runs list`, `runs show` and `runs reindex`: what is among the runs."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import suppress
from typing import Any

from pruning.base.errors import InputError, StorageError
from pruning.base.words import percent, ratio, size
from pruning.cli.output import exactly, field, say, span
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, wishes
from pruning.runs import default_runs_dir, read_run
from pruning.runs.index.folders import bytes_of
from pruning.runs.index.index import Index, looked
from pruning.runs.index.query import Query
from pruning.runs.labels import Label, read_labels
from pruning.runs.repair_words import ASKED
from pruning.runs.resolve import find_run_folder
from pruning.runs.summary import Figures, Summary
from pruning.runs.trash import trashed
from pruning.runs.words import STAGE_WORDS, describe
from pruning.tasks.table import find_metric

Answer = tuple[dict[str, Any], list[str]]


def index() -> Index:
    """The index of the usual folder, with all that has changed in it.

    Raises:
        StorageError: the folder cannot be read.
    """
    found = looked(everything=True)
    for remark in found.take_remarks():
        say(remark)
    return found


def list_runs(args: argparse.Namespace) -> Answer:
    """Runs, filtered and sorted.

    Raises:
        InputError: no such state or order.
        StorageError: the folder cannot be read.
    """
    if args.limit < 0:
        raise InputError(f"--limit is a number of runs, or 0 for all of them, not {args.limit}.")
    query = Query(
        text=" ".join(args.words),
        network=args.network,
        images=args.images,
        states=tuple(args.state),
        tags=tuple(args.tag),
        owner=args.owner,
        sort=args.sort,
        reverse=args.reverse,
        limit=args.limit or None,
    )
    here = index()
    found, counts = here.find(query), here.counts()
    result = {
        "folder": str(here.runs),
        "total": found.total,
        "unreadable": counts.unreadable,
        "runs": [values(run) for run in found.runs],
    }
    lines = [_line(run) for run in found.runs]
    if len(lines) < found.total:
        lines.append(f"{len(lines):,} of {found.total:,} runs; --limit 0 lists all")
    if counts.unreadable:
        lines.append(f"{counts.unreadable:,} folders cannot be read: runs list --unreadable")
    return result, lines or [f"no run in {here.runs}"]


def list_deleted() -> Answer:
    """Deleted runs that can be brought back. Errors as `index`."""
    found = trashed(default_runs_dir())
    result = {"deleted": [{"run": one.name, "at": one.at.isoformat(), "bytes": bytes_of(one.path)} for one in found]}
    return result, [f"{one.name}  deleted {one.at:%Y-%m-%d %H:%M} UTC" for one in found] or ["no deleted run"]


def list_unreadable() -> Answer:
    """Folders among the runs that hold no readable one. Errors as `index`."""
    found = index().unreadable()
    result = {"unreadable": {one.name: one.reason for one in found}}
    return result, [f"{one.name}  {one.reason}" for one in found] or ["every folder can be read"]


def show(text: str) -> Answer:
    """What is known of a run.

    Raises:
        InputError: there is none of that id or path.
        StorageError: it cannot be read.
    """
    run = read_run(find_run_folder(text).resolve())
    store, summary = LocalStore.at(run.path), run.summary
    labels, asked = read_labels(store), [one.visitor or "owner" for one in wishes(store)]
    others = []
    with suppress(StorageError):
        others = [one.name for one in looked(run.path.parent).find(Query(model=run.ref)).runs]
    result = {
        **values(summary),
        "labels": {visitor or "owner": _label(label) for visitor, label in labels.items()},
        "asked_by": asked or ["owner"],
        "bytes": bytes_of(run.path),
        "continued_by": others,
        "recipe": run.recipe.to_values(),
    }
    mine = labels.get(OWNER, Label())
    lines = [
        *field("run", run.name),
        *([] if not mine.title else field("name", mine.title)),
        *([] if not mine.tags else field("tags", " ".join(mine.tags))),
        *([] if not mine.note else field("note", " ".join(mine.note.split()))),
        *field("state", f"{run.state}{'' if run.message is None else f': {run.message}'}"),
        *field("made", f"{summary.created:%Y-%m-%d %H:%M} UTC"),
        *field("network", run.recipe.model),
        *field("images", run.recipe.data),
        *field("what", describe(run)),
        *field("repair", ASKED[summary.repair]),
        *_on_the_way(summary),
        *_figures(summary),
        *([] if not others else field("continued by", ", ".join(others), 14)),
        *field("folder", f"{run.path} ({size(bytes_of(run.path))})"),
    ]
    return result, lines


def reindex() -> Answer:
    """Make the index anew. Errors as `index`."""
    from pruning.runs.index.index import index_of

    here, began = index_of(), time.monotonic()
    here.rebuild()
    here.take_remarks()
    counts, seconds = here.counts(), time.monotonic() - began
    result = {
        "folder": str(here.runs), "runs": counts.runs, "unreadable": counts.unreadable, "seconds": round(seconds, 3),
        "index": str(here.path), "index_bytes": os.path.getsize(here.path) if here.path.exists() else 0,
    }  # fmt: skip
    unreadable = f", {counts.unreadable:,} folders cannot be read" if counts.unreadable else ""
    return result, [f"{counts.runs:,} runs{unreadable}; read in {seconds:.1f} s into {here.path}"]


def values(run: Summary) -> dict[str, Any]:
    """A summary as JSON."""
    return {
        "run": run.name,
        "path": str(run.path),
        "state": run.state,
        "message": run.message,
        "created": run.created.isoformat(),
        "label": _label(run.label),
        "model": run.model,
        "network": run.network,
        "data": run.data,
        "granularity": run.granularity,
        "criterion": run.criterion,
        "sparsity": [run.least, run.most],
        "what": describe(run),
        "repair": run.repair,
        "stages": {
            "metric": run.select_metric,
            **{name: None if found is None else found[1] for name, found in run.stages.items()},
            "intervals": {name: None if found is None else (found[0], found[2]) for name, found in run.stages.items()},
        },
        "tuned": run.tuned,
        "dense": None if run.dense is None else vars(run.dense),
        "pruned": None if run.pruned is None else vars(run.pruned),
        "difference": run.difference,
        "speedup": run.speedup,
    }


def _label(label: Label) -> dict[str, Any]:
    return {"name": label.title, "tags": list(label.tags), "note": label.note}


def _line(run: Summary) -> str:
    called = f"{run.label.title}: " if run.label.title else ""
    tags = f" [{' '.join(run.label.tags)}]" if run.label.tags else ""
    figures = ""
    if run.pruned is not None and run.dense is not None:
        found = run.pruned
        measured = "" if found.metric is None or found.value is None else _measured(found)
        figures = f", {measured}MACs {ratio(run.dense.macs, max(1, found.macs))}"
    state = run.state if run.message is None else f"{run.state} ({run.message})"
    return f"{run.name}  {run.network}  {called}{describe(run)}{figures}  {state}{tags}"


def _measured(found: Figures) -> str:
    assert found.metric is not None and found.value is not None
    metric = find_metric(found.metric)
    return f"{metric.title} {exactly(metric, found.value)}, "


def _on_the_way(run: Summary) -> list[str]:
    """The metric on select images at each stage that the run has."""
    if run.select_metric is None:
        return []
    metric = find_metric(run.select_metric)
    said = ", ".join(
        f"{exactly(metric, found[1])} ({span(metric, (found[0], found[2]))}) {STAGE_WORDS[name]}"
        for name, found in run.stages.items()
        if found is not None
    )
    return field(metric.title, f"{said} on select images")


def _figures(run: Summary) -> list[str]:
    dense, pruned = run.dense, run.pruned
    if dense is None or pruned is None:
        return []
    found = []
    if dense.metric is not None and dense.value is not None and pruned.value is not None:
        metric = find_metric(dense.metric)
        found += field(metric.title, f"{exactly(metric, dense.value)} → {exactly(metric, pruned.value)} on test images")
    found += field("parameters", f"{dense.params:,} → {pruned.params:,}, {pruned.nonzero:,} of them not zero")
    found += field("MACs", f"{dense.macs:,} → {pruned.macs:,} ({percent(pruned.macs / max(1, dense.macs))} left)")
    if run.speedup is not None:
        low, middle, high = run.speedup
        found += field("time", f"{middle:.2f}× as fast ({low:.2f}–{high:.2f}), one image at once")
    return found
