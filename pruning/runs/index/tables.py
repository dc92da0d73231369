"""The tables of the index, and how a summary becomes a row and a row a summary."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from pruning.runs.labels import Label
from pruning.runs.recipe import VERSION as RECIPE_VERSION
from pruning.runs.result_json import SCHEMA_VERSION, STAGES
from pruning.runs.summary import Figures, Span, Summary
from pruning.runs.words import describe

VERSION = 4
"""Of the tables: raise it with every change of what stands in them."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPANS, ENDS = (*STAGES, "dense_select", "difference", "speedup"), ("low", "middle", "high")
"""Fields of a summary that are estimates with their interval, and the columns of each."""
SEPARATOR = "\x1f"
"""Before and after each tag."""

TABLES = MetaData()
ABOUT = Table("about", TABLES, Column("name", String, primary_key=True), Column("value", Text, nullable=False))
"""`identity`: what the index was made by. `folder`: of the runs. `generation`: counts changes."""

_OF_A_NETWORK: tuple[Column[Any], ...] = (
    Column("params", Integer),
    Column("nonzero", Integer),
    Column("macs", Integer),
    Column("raw_bytes", Integer),
    Column("sparse_bytes", Integer),
    Column("milliseconds", Float),
    Column("milliseconds_low", Float),
    Column("milliseconds_high", Float),
    Column("metric", String),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
)
_NAMES = tuple(column.name for column in _OF_A_NETWORK)
_SHOWN: tuple[Column[Any], ...] = (
    Column("folder", LargeBinary, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("message", Text),
    Column("created", Integer),
    Column("model", Text),
    Column("data", Text),
    Column("preprocess", Text),
    Column("origin", Text),
    Column("root", Text),
    Column("granularity", String),
    Column("criterion", String),
    Column("seed", Integer),
    Column("least", Float),
    Column("most", Float),
    Column("removes_nothing", Boolean),
    Column("schedule", String),
    Column("iterations", Integer),
    Column("finetune_steps", Integer),
    Column("repair", String),
    Column("family", String),
    Column("settings", Text),
    Column("epochs", Float),
    *(Column(f"dense_{column.name}", column.type) for column in _OF_A_NETWORK),
    *(Column(f"pruned_{column.name}", column.type) for column in _OF_A_NETWORK),
    Column("tuned", Boolean),
    Column("select_metric", String),
    Column("images_digest", String),
    Column("weights_digest", String),
    Column("looks", Integer),
    *(Column(f"{span}_{end}", Float) for span in SPANS for end in ENDS),
)
"""What a summary is made of, in the order in which `to_summary` takes it."""
RUNS = Table(
    "runs",
    TABLES,
    Column("id", Integer, primary_key=True),
    *_SHOWN,
    Column("reason", Text),  # why the folder cannot be read
    Column("network", String),
    Column("images", String),
    Column("search", Text),  # what a text is looked for in, in lower case
    Column("kept", Text),  # shares of channel groups or weight tensors, as JSON
    Column("bytes", Integer),  # on disk
    Column("stamp", LargeBinary, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),  # digest of all that stands here, to tell a change
    Index("runs_by_time", "created"),
    Index("runs_by_state", "state"),
    Index("runs_by_network", "model", "data"),
)
"""A row for each folder; `state` is 'unreadable' for those that hold no readable run."""
LABELS = Table(
    "labels",
    TABLES,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("visitor", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("note", Text, nullable=False),
)
WISHES = Table(
    "wishes",
    TABLES,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("visitor", String, primary_key=True),
)
"""Who asked for it; in a folder without wishes the owner of the machine."""

UNREADABLE = "unreadable"
SHOWN = tuple(RUNS.c[column.name] for column in _SHOWN)
WIDTH, EACH = len(SHOWN), len(_OF_A_NETWORK)
BEFORE = [column.name for column in SHOWN].index("epochs") + 1
"""Columns before those of the two networks."""


def identity() -> str:
    """What an index must have been made by to be read: versions of its tables and of all that they are filled from."""
    try:
        version = metadata.version("pruning-explorer")
    except metadata.PackageNotFoundError:
        version = "?"
    return f"tables {VERSION}, recipes {RECIPE_VERSION}, results {SCHEMA_VERSION}, explorer {version}"


def to_row(summary: Summary) -> dict[str, Any]:
    """The columns of a summary, by name, and those that only searching and sorting need."""
    words = (summary.name, describe(summary), summary.network, summary.images, summary.criterion, summary.message or "")
    return {
        "folder": os.fsencode(summary.path.name),
        "state": summary.state,
        "message": summary.message,
        "created": (summary.created - EPOCH) // timedelta(microseconds=1),
        **{
            name: getattr(summary, name)
            for name in (
                "model", "data", "preprocess", "origin", "root", "granularity", "criterion", "seed", "least", "most",
                "removes_nothing", "schedule", "iterations", "finetune_steps", "repair", "family", "settings", "epochs",
                "tuned", "select_metric", "images_digest", "weights_digest", "looks", "network", "images",
            )
        },
        **_figures("dense", summary.dense),
        **_figures("pruned", summary.pruned),
        **{column: value for span in SPANS for column, value in _span(span, getattr(summary, span)).items()},
        "search": "\n".join(words).lower(),
    }  # fmt: skip


def to_summary(folder: Path, row: Sequence[Any], label: Label) -> Summary:
    """The summary in a row that begins with `SHOWN`."""
    plain, of_dense, of_pruned = row[:BEFORE], row[BEFORE : BEFORE + EACH], row[BEFORE + EACH : BEFORE + 2 * EACH]
    name, state, message, created, model, data, preprocess, origin, root, granularity, criterion, seed, *rest = plain
    least, most, removes_nothing, schedule, iterations, finetune_steps, repair, family, settings, epochs = rest
    tuned, metric, digest, weights, looks, *ends = row[BEFORE + 2 * EACH : WIDTH]
    spans = {name: _span_of(ends[len(ENDS) * place :][: len(ENDS)]) for place, name in enumerate(SPANS)}
    return Summary(
        path=folder / os.fsdecode(name),
        state=state,
        message=message,
        created=EPOCH + timedelta(microseconds=created),
        model=model,
        data=data,
        preprocess=preprocess,
        origin=origin,
        root=root,
        granularity=granularity,
        criterion=criterion,
        seed=seed,
        least=least,
        most=most,
        removes_nothing=bool(removes_nothing),
        schedule=schedule,
        iterations=iterations,
        finetune_steps=finetune_steps,
        repair=repair,
        family=family,
        settings=settings,
        epochs=epochs,
        dense=_of_a_network(of_dense),
        pruned=_of_a_network(of_pruned),
        tuned=bool(tuned),
        select_metric=metric,
        images_digest=digest,
        weights_digest=weights,
        looks=looks,
        label=label,
        **spans,
    )


def tags_text(tags: Sequence[str]) -> str:
    """Tags as a column holds them, so that one of them is found with what stands before and after it."""
    return SEPARATOR + SEPARATOR.join(tags) + SEPARATOR if tags else ""


def tags_of(text: str) -> tuple[str, ...]:
    """The inverse of `tags_text`."""
    return tuple(tag for tag in text.split(SEPARATOR) if tag)


def _of_a_network(row: Sequence[Any]) -> Figures | None:
    if row[0] is None:
        return None
    return Figures(**dict(zip(_NAMES, row, strict=True)))


def _figures(name: str, figures: Figures | None) -> dict[str, Any]:
    return {f"{name}_{column.name}": getattr(figures, column.name, None) for column in _OF_A_NETWORK}


def _span(name: str, span: Span | None) -> dict[str, Any]:
    values = (None,) * len(ENDS) if span is None else span
    return {f"{name}_{end}": value for end, value in zip(ENDS, values, strict=True)}


def _span_of(values: Sequence[float | None]) -> Span | None:
    low, middle, high = values
    return None if low is None or middle is None or high is None else (low, middle, high)
