"""Runs that removed nearly the same: what they reached says what a cut may come to after fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pruning.base.errors import InputError
from pruning.data.preprocess import Preprocess
from pruning.granularity import Granularity
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import Target, free_targets
from pruning.planning.allocation import kept_per_target
from pruning.runs.run import Run
from pruning.spec import PruneSpec

SIMILAR = 0.05
"""Two cuts are similar when the shares they keep differ by so much at most, on average over the parameters."""


def kept_shares(graph: ModelGraph, spec: PruneSpec) -> dict[str, float]:
    """Share of its units or weights that each channel group or parameter keeps.

    Raises:
        InputError: as `pruning.planning.allocation.per_target`.
    """
    kept = kept_per_target(graph, spec)
    return {target.key: kept[target.key] / target.units for target in free_targets(graph, spec.granularity)}


def distance(
    graph: ModelGraph, granularity: Granularity, first: Mapping[str, float], second: Mapping[str, float]
) -> float:
    """Mean absolute difference of two sets of kept shares, weighted by the parameters that each target touches."""
    sizes = sizes_of(graph, granularity)
    return sum(size * abs(first[name] - second[name]) for name, size in sizes.items()) / max(1, sum(sizes.values()))


def sizes_of(graph: ModelGraph, granularity: Granularity) -> dict[str, int]:
    """What each channel group or parameter weighs in a distance: all parameters that lose something with its units."""
    return {target.key: _parameters(graph, target) for target in free_targets(graph, granularity)}


def similar_runs(
    runs: Iterable[Run],
    graph: ModelGraph,
    spec: PruneSpec,
    *,
    model: str,
    data: str,
    preprocess: Preprocess | None = None,
    within: float = SIMILAR,
) -> list[Run]:
    """Finished and fine-tuned runs of the same network, data set and granularity that removed nearly the same.

    The nearest first. A cut that removes nothing has none: dense needs no fine-tuning.

    Raises:
        InputError: the sparsities do not fit the network.
    """
    wanted = kept_shares(graph, spec)
    if all(share == 1 for share in wanted.values()):
        return []
    found = []
    for run in runs:
        recipe = run.recipe
        asked = (model, data, preprocess, spec.granularity)
        if (recipe.model, recipe.data, recipe.preprocess, recipe.prune.granularity) != asked:
            continue
        if run.result is None or not run.result.tuned:
            continue
        try:
            theirs = kept_shares(graph, recipe.prune)
        except InputError:  # of a network that has changed since
            continue
        apart = distance(graph, spec.granularity, wanted, theirs)
        if apart <= within:
            found.append((apart, run.name, run))
    return [run for *_, run in sorted(found, key=lambda entry: entry[:2])]


def _parameters(graph: ModelGraph, target: Target) -> int:
    """All parameters that lose something with a target's units."""
    if target.group is None:
        return target.units
    touched = dict.fromkeys(slot.tensor for slot in target.group.slots)
    return sum(math.prod(graph.shapes[name]) for name in touched if name in graph.parameters)
