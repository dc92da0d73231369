"""What a run's networks take on several engines, in words that claim no more than was measured."""

from __future__ import annotations

from pruning.base.words import milliseconds, size, threads
from pruning.latency.clock import Comparison, Timing, shows, verdict
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.matrix import Cell, Span, shrunk
from pruning.latency.engines.table import ENGINES
from pruning.latency.noise import TOO_NOISY
from pruning.runs.engine_times import EngineTimes, Variant
from pruning.runs.result import Measurement

KIND_WORDS = {"dense": "dense", "pruned": "pruned", "int8": "pruned, int8"}


def heading(found: EngineTimes, cell: Cell) -> str:
    """'ONNX Runtime 1.31.1, batch 1, 1 thread'."""
    name = ENGINES[cell.engine].title
    return f"{name} {found.versions[cell.engine]}, batch {cell.batch}, {threads(found.threads)}"


def pruning_words(cell: Cell) -> str:
    """'1.24 ms (1.20–1.27) dense, 0.70 ms (0.68–0.72) pruned: 1.77× as fast (1.70–1.83)'."""
    return _pair_words(cell.pruning, "dense", "pruned")


def int8_words(cell: Cell) -> str | None:
    """The same of the pruned network in float32 and in int8; None where that was not timed."""
    if cell.int8 is None:
        return None
    words = _pair_words(cell.int8, "pruned", "in int8")
    return f"{words}; int8 costs time on this processor" if _is_slower(cell.by_int8) else words


def split_words(cell: Cell) -> str | None:
    """What the engine gave and what pruning gave; None in PyTorch eager, which is what others are compared with."""
    if cell.change is None:
        return None
    if cell.together is None:
        return TOO_NOISY
    parts = f"{_times(cell.by_engine)} from the engine and {_times(cell.by_pruning)} from pruning"
    low, middle, high = cell.together
    return f"{parts}: together {middle:.2f}× ({low:.2f}–{high:.2f}) against dense in {EAGER.title}"


def shrink_words(found: EngineTimes) -> list[str]:
    """Where pruning gains less on an engine than in PyTorch eager, each a sentence."""
    return [
        f"Pruning gains less on {ENGINES[cell.engine].title} than in {EAGER.title} at batch {cell.batch}: "
        f"{_times(cell.by_pruning)} against {_times(eager.by_pruning)}."
        for cell, eager in shrunk(found.cells)
    ]


def variant_words(variant: Variant) -> str:
    """'pruned, int8: 110 kB; 97.1 % (96.0–98.0 %) on ONNX Runtime, of 1,000 select images'."""
    parts = [] if variant.bytes is None else [f"{size(variant.bytes)} as ONNX"]
    for engine, measured in variant.accuracy.items():
        where = f" on {ENGINES[engine].title}" if variant.kind == "int8" else ""
        parts.append(f"{_accuracy(measured)}{where}, of {measured.images:,} {measured.role} images, measured")
    return f"{KIND_WORDS[variant.kind]}: {'; '.join(parts) or 'neither size nor accuracy is known'}"


def remarks(found: EngineTimes) -> list[str]:
    """What is missing, and why, each a sentence."""
    absent = [f"{ENGINES[name].title} is left out: {why}" for name, why in found.absent.items()]
    return [*shrink_words(found), *([] if found.no_int8 is None else [found.no_int8]), *absent]


def _pair_words(found: Comparison, before: str, after: str) -> str:
    if not found.quiet:
        return TOO_NOISY
    return f"{_timing(found.dense)} {before}, {_timing(found.pruned)} {after}: {verdict(found.speedup)}"


def _timing(found: Timing) -> str:
    ends = (milliseconds(end).removesuffix(" ms") for end in (found.low, found.high))
    return f"{milliseconds(found.median)} ({'–'.join(ends)})"


def _times(span: Span | None) -> str:
    assert span is not None, "only what was measured is spoken of"
    low, middle, high = span
    return f"{middle:.2f}× ({low:.2f}–{high:.2f})"


def _is_slower(span: Span | None) -> bool:
    return span is not None and shows(span) and span[1] < 1


def _accuracy(found: Measurement) -> str:
    return f"{found.kind.title} {found.kind.words(found.value)} ({found.kind.span(found.interval)})"
