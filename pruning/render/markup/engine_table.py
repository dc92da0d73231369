"""A run's networks on the engines that people deploy, as an HTML table: dense, pruned and in int8, and what of the
speed-up the engine gave and what pruning did."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import milliseconds, size, threads
from pruning.latency.clock import Comparison, Timing, shows
from pruning.latency.engines.table import ENGINES
from pruning.latency.noise import TOO_NOISY
from pruning.render.markup import badges, class_table
from pruning.runs.engine_words import KIND_WORDS

if TYPE_CHECKING:
    from pruning.latency.engines.matrix import Cell, Span
    from pruning.runs.abroad import Machine
    from pruning.runs.engine_times import EngineTimes, Variant
    from pruning.runs.result import Measurement

MEASURED = badges.badge("measured")
NONE = "–"
HEADS = ("engine", "batch", "dense", "pruned", "pruning gave", "the engine gave", "in int8", "int8 gave", "in all")
"""'in all': dense in PyTorch eager against pruned on the engine, both in float32."""


def html(found: EngineTimes) -> str:
    """Times and speed-ups, then sizes and accuracies."""
    rows = "".join(_row(cells(found, cell)) for cell in found.cells)
    times = class_table.table(list(HEADS), rows, "Dense and pruned on several engines")
    return (
        times
        + SPACE
        + class_table.table(list(SIZES), "".join(map(_row, map(sizes, found.variants))), "Sizes and accuracies")
    )


SPACE = '<div style="height:1.2rem"></div>'


def cells(found: EngineTimes, cell: Cell) -> list[str]:
    """A row's cells as HTML."""
    return [
        escape(f"{ENGINES[cell.engine].title} {found.versions[cell.engine].partition('+')[0]}"),
        f"{cell.batch:,}",
        *_pair(cell.pruning),
        _times(cell.by_pruning, cell.pruning),
        _times(cell.by_engine, cell.change),
        NONE if cell.int8 is None else _time(cell.int8.pruned, cell.int8),
        _times(cell.by_int8, cell.int8),
        _times(cell.together, cell.pruning, estimated=True) if cell.change is not None else NONE,
    ]


SIZES = ("network", "as ONNX", "on select images")


def sizes(variant: Variant) -> list[str]:
    """A network's row: what its file takes, and what it answers."""
    length = NONE if variant.bytes is None else f"{size(variant.bytes)}{MEASURED}"
    said = [f"{_accuracy(measured)} {escape(ENGINES[engine].title)}" for engine, measured in variant.accuracy.items()]
    return [escape(KIND_WORDS[variant.kind]), length, "; ".join(said) or NONE]


def setting(found: EngineTimes) -> str:
    """Under what all of it was measured, in a sentence."""
    how = "" if found.calibration is None else (
        f" int8: {found.calibration.method}, calibrated on {found.calibration.images:,} train images without labels."
    )  # fmt: skip
    return (
        f"On {found.cpu}, {threads(found.threads)} of every engine, {found.at:%d %B %Y}; float32 unless int8 is said. "
        f"Each pair took turns, beside the first against itself.{how}"
    )


def abroad(machines: Sequence[Machine]) -> str:
    """Times that were taken on other machines, a row a comparison."""
    rows = "".join(
        _row(
            [
                escape(machine.cpu),
                escape(one.engine),
                f"{one.batch:,}",
                f"{one.threads:,}",
                *_pair(one),
                _times(one.speedup if one.quiet else None, one),
            ]
        )
        for machine in machines
        for one in machine.comparisons
    )
    heads = ["processor", "engine", "batch", "threads", "dense", "pruned", "pruning gave"]
    return class_table.table(heads, rows, "Times on other machines")


def _row(row: list[str]) -> str:
    first, *others = row
    return f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{cell}</td>' for cell in others)}</tr>"


def _pair(found: Comparison) -> list[str]:
    if not found.quiet:
        return [TOO_NOISY, TOO_NOISY]
    return [_time(found.dense, found), _time(found.pruned, found)]


def _time(found: Timing, of: Comparison) -> str:
    if not of.quiet:
        return TOO_NOISY
    low, high = (milliseconds(end).removesuffix(" ms") for end in (found.low, found.high))
    return f"{milliseconds(found.median)}{MEASURED} <small>{low}–{high}</small>"


def _times(span: Span | None, of: Comparison | None, *, estimated: bool = False) -> str:
    """A speed-up with its interval. `estimated`: worked out from two that were measured."""
    if of is None:
        return NONE
    if span is None:
        return TOO_NOISY
    low, middle, high = span
    ends = f"<small>{low:.2f}–{high:.2f}</small>"
    if not shows(span):
        return f"≈ 1× {ends}"
    return f"{middle:.2f}×{badges.badge('estimated') if estimated else MEASURED} {ends}"


def _accuracy(found: Measurement) -> str:
    said = escape(f"{found.kind.title} {found.kind.words(found.value)}")
    return f"{said}{MEASURED} <small>{escape(found.kind.span(found.interval))}</small>"
