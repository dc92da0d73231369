"""Schedules: in how many prune–fine-tune rounds the final sparsity is reached."""

from __future__ import annotations

from dataclasses import dataclass

from pruning.spec import PruneSpec


@dataclass(frozen=True, kw_only=True)
class Round:
    """One prune–fine-tune round."""

    spec: PruneSpec
    """What is gone when it is over. Sparsities are counted on the dense model, not on what is left."""
    steps: int
    """Optimiser steps of its fine-tuning."""


def rounds(spec: PruneSpec, count: int, steps: int) -> list[Round]:
    """`count` rounds to a spec; their steps add up to `steps` whatever the count.

    Iterative pruning leaves the same share in each round: after round i of n a fraction (1 − s)^(i/n) is kept
    (Han et al. 2015, arXiv 1506.02626; the geometric rate of Frankle and Carbin 2018, arXiv 1803.03635).
    """
    return [
        Round(spec=_partial(spec, i + 1, count), steps=steps * (i + 1) // count - steps * i // count)
        for i in range(count)
    ]


def _partial(spec: PruneSpec, done: int, count: int) -> PruneSpec:
    if done == count:
        return spec

    def part(sparsity: float) -> float:
        return 1 - (1 - sparsity) ** (done / count)

    return spec.replace(sparsity=part(spec.sparsity), layers=tuple((name, part(value)) for name, value in spec.layers))
