"""A comparison on the clock as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.latency.clock import Comparison, Timing
from pruning.latency.noise import Noise

LONGEST = 1e12
"""Milliseconds, and times as fast."""


def comparison_values(found: Comparison) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "batch": found.batch,
        "dense": asdict(found.dense),
        "pruned": asdict(found.pruned),
        "speedup": list(found.speedup),
        "pairs": found.pairs,
        "threads": found.threads,
        "engine": found.engine,
        "quiet": found.quiet,
        **({} if found.noise is None else {"same": list(found.noise.same), "spread": found.noise.spread}),
        **({} if found.at is None else {"at": found.at.isoformat()}),
    }


def comparison_of(fields: Fields) -> Comparison:
    """The inverse of `comparison_values`. Whether it was quiet follows from the noise.

    Raises:
        StorageError: it is damaged, or contradicts itself.
    """
    noise = None
    if "same" in fields:
        noise = Noise(same=_span(fields, "same"), spread=fields.number("spread", 0, LONGEST))
    return Comparison(
        batch=fields.whole("batch", 1),
        dense=_timing(fields.part("dense")),
        pruned=_timing(fields.part("pruned")),
        speedup=_span(fields, "speedup"),
        pairs=fields.whole("pairs", 1),
        threads=fields.whole("threads", 1),
        engine=fields.text("engine"),
        noise=noise,
        at=fields.moment("at") if "at" in fields else None,
    )


def _timing(fields: Fields) -> Timing:
    found = Timing(median=fields.number("median"), low=fields.number("low"), high=fields.number("high"))
    _check(fields, (found.low, found.median, found.high))
    return found


def _span(fields: Fields, name: str) -> tuple[float, float, float]:
    low, middle, high = fields.numbers(name, 3)
    _check(fields, (low, middle, high))
    return low, middle, high


def _check(fields: Fields, ends: tuple[float, float, float]) -> None:
    if not 0 < ends[0] <= ends[1] <= ends[2] < LONGEST or not all(map(math.isfinite, ends)):
        raise StorageError(f"{fields.where} is damaged: {ends[0]:g}, {ends[1]:g}, {ends[2]:g} are no times.")
