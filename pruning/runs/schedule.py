"""Schedules: in how many prune–fine-tune rounds the final sparsity is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pruning.runs.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Round:
    """One prune–fine-tune round. Sparsities are counted on the dense model, not on what is left."""

    sparsity: float
    layers: dict[str, float]
    steps: int


def rounds(recipe: Recipe) -> list[Round]:
    """The rounds of a recipe; their steps add up to `finetune_steps` whatever the schedule.

    Iterative pruning leaves the same share in each round: after round i of n a fraction (1 − s)^(i/n) is kept
    (Han et al. 2015, arXiv 1506.02626; the geometric rate of Frankle and Carbin 2018, arXiv 1803.03635).
    """
    count = recipe.iterations
    steps = [recipe.finetune_steps * (i + 1) // count - recipe.finetune_steps * i // count for i in range(count)]
    return [
        Round(
            sparsity=_partial(recipe.sparsity, i + 1, count),
            layers=_each(recipe.layers, i + 1, count),
            steps=steps[i],
        )
        for i in range(count)
    ]


def _partial(sparsity: float, done: int, count: int) -> float:
    return sparsity if done == count else 1 - (1 - sparsity) ** (done / count)


def _each(layers: Mapping[str, float], done: int, count: int) -> dict[str, float]:
    return {name: _partial(value, done, count) for name, value in layers.items()}
