"""The ledger of a finished run: what it saved in each currency."""

from __future__ import annotations

from pruning.cost.ledger import Clock, Ledger, Side
from pruning.latency.clock import Timing
from pruning.runs import result


def ledger_of_result(found: result.Result) -> Ledger:
    """Dense beside pruned in every currency that the run measured."""
    kept: dict[str, int] = {}
    total: dict[str, int] = {}
    if found.recipe.prune.info.shrinks:
        for layer in found.layers:  # a layer whose channels belong to two groups stands there twice
            kept[layer.name] = kept.get(layer.name, 0) + layer.kept
            total[layer.name] = total.get(layer.name, 0) + layer.total
    return Ledger(
        dense=_side(found.dense),
        pruned=_side(found.pruned),
        clocks=tuple(
            Clock(
                batch=speedup.batch,
                dense=_span(found.dense.latency[speedup.batch]),
                pruned=_span(found.pruned.latency[speedup.batch]),
                speedup=speedup.span,
            )
            for speedup in found.speedups
        ),
        untimed=found.untimed,
        widths=tuple((name, count) for name, count in kept.items() if count < total[name]),
    )


def _side(side: result.Side) -> Side:
    return Side(
        params=side.params,
        nonzero=side.nonzero,
        macs=side.macs,
        raw=side.bytes.raw,
        deflate=side.bytes.deflate,
        sparse=side.bytes.sparse,
        activation=side.activation_bytes,
        activation_place=side.activation_place,
    )


def _span(timing: Timing) -> tuple[float, float, float]:
    return timing.low, timing.median, timing.high
