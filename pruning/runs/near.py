"""Runs that removed nearly the same: what they reached says what a cut may come to after fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pruning.base.errors import InputError
from pruning.graph.model_graph import ModelGraph
from pruning.planning.allocation import Granularity, kept_units, per_target
from pruning.planning.plan import target_sizes
from pruning.runs.run import Run

NEAR = 0.05
"""Two cuts are near when the shares they keep differ by so much at most, on average over the parameters."""


def kept_shares(
    graph: ModelGraph, granularity: Granularity, sparsity: float, layers: Mapping[str, float]
) -> dict[str, float]:
    """Share of its units or weights that each channel group or parameter keeps.

    Raises:
        InputError: as `pruning.planning.allocation.per_target`.
    """
    sizes = target_sizes(graph, granularity)
    asked = per_target(graph, granularity, sparsity, layers)
    return {name: kept_units(sizes[name], value) / sizes[name] for name, value in asked.items()}


def distance(
    graph: ModelGraph, granularity: Granularity, first: Mapping[str, float], second: Mapping[str, float]
) -> float:
    """Mean absolute difference of two sets of kept shares, weighted by the parameters that each group touches."""
    sizes = _parameters(graph, granularity)
    return sum(size * abs(first[name] - second[name]) for name, size in sizes.items()) / max(1, sum(sizes.values()))


def near_runs(
    runs: Iterable[Run],
    graph: ModelGraph,
    *,
    model: str,
    data: str,
    granularity: Granularity,
    sparsity: float,
    layers: Mapping[str, float],
    within: float = NEAR,
) -> list[Run]:
    """Finished and fine-tuned runs of the same network, data set and granularity that removed nearly the same.

    The nearest first. A cut that removes nothing has none: dense needs no fine-tuning.

    Raises:
        InputError: the sparsities do not fit the network.
    """
    wanted = kept_shares(graph, granularity, sparsity, layers)
    if all(share == 1 for share in wanted.values()):
        return []
    found = []
    for run in runs:
        recipe = run.recipe
        if (recipe.model, recipe.data, recipe.granularity) != (model, data, granularity):
            continue
        if run.result is None or not run.result.tuned:
            continue
        try:
            theirs = kept_shares(graph, granularity, recipe.sparsity, recipe.layers)
        except InputError:  # of a network that has changed since
            continue
        apart = distance(graph, granularity, wanted, theirs)
        if apart <= within:
            found.append((apart, run.name, run))
    return [run for *_, run in sorted(found, key=lambda entry: entry[:2])]


def _parameters(graph: ModelGraph, granularity: Granularity) -> dict[str, int]:
    if granularity == "weight":
        return target_sizes(graph, granularity)
    return {
        group.name: sum(
            math.prod(graph.shapes[name])
            for name in dict.fromkeys(slot.tensor for slot in group.slots)
            if name in graph.parameters
        )
        for group in graph.groups
    }
