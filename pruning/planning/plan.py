"""The plan: exactly what goes. Preview, costs, masks, removal and recipes all read the same plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from pruning.granularity import Granularity
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import Target, free_targets
from pruning.planning.allocation import kept_per_target, per_target
from pruning.planning.ranking import Ranking
from pruning.spec import PruneSpec
from pruning.statistics.gather import Statistics


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """What happens to one layer (and one group of its channels): asked for, and done."""

    name: str
    group: str | None
    """Channel group; a layer whose channels belong to two groups stands here twice. None for weight pruning."""
    requested: float
    achieved: float
    kept: int
    total: int
    note: str | None = None
    """Why `achieved` is not what was asked, where it is not mere rounding."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which units or weights go; immutable."""

    granularity: Granularity
    kept: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Channel pruning: group name → kept units, ascending."""
    masks: dict[str, Tensor] = field(default_factory=dict, repr=False)
    """Weight pruning: parameter name → bool of its shape, False where the weight becomes zero."""
    layers: tuple[LayerPlan, ...]

    @property
    def removes_nothing(self) -> bool:
        return all(layer.kept == layer.total for layer in self.layers)

    @property
    def counts(self) -> dict[str, int]:
        """Target's key → how many of its units or weights stay."""
        return {
            **{name: len(units) for name, units in self.kept.items()},
            **{name: int(mask.count_nonzero()) for name, mask in self.masks.items()},
        }

    @property
    def shares(self) -> dict[str, float]:
        """Target's key → share of its units or weights that goes."""
        totals = {row.group: row.total for row in self.layers} | {name: m.numel() for name, m in self.masks.items()}
        return {name: 1 - count / totals[name] for name, count in self.counts.items()}

    @property
    def kept_by_layer(self) -> dict[str, float]:
        """Layer → share of its channels, or of its weights, that stays."""
        kept: dict[str, int] = {}
        total: dict[str, int] = {}
        for row in self.layers:  # a layer whose channels belong to two groups stands there twice
            kept[row.name] = kept.get(row.name, 0) + row.kept
            total[row.name] = total.get(row.name, 0) + row.total
        return {name: kept[name] / total[name] for name in kept}


def keeping_units(kept: Mapping[str, tuple[int, ...]], layers: tuple[LayerPlan, ...] = ()) -> Plan:
    """The plan that keeps just these units of the groups that it names, and all of the others."""
    return Plan(granularity="channel", kept=dict(kept), layers=layers)


def nothing() -> Plan:
    """The plan of the dense network, which speaks of no layer."""
    return keeping_units({})


def make_plan(
    model: nn.Module,
    graph: ModelGraph,
    spec: PruneSpec,
    statistics: Statistics | None = None,
    *,
    after: Plan | None = None,
) -> Plan:
    """Decide what goes: in each group or layer the units with the lowest score, as many as its sparsity says.

    `statistics`: for a criterion that needs data (`pruning.statistics.cache.statistics_for`). `after`: as in
    `plan_keeping`.

    Raises:
        InputError: a layer or criterion that does not fit the network, weights that are NaN or infinite, or a
            criterion that needs statistics where none are given.
    """
    keep, requested = kept_per_target(graph, spec), per_target(graph, spec)
    return plan_keeping(model, graph, spec, statistics, keep=keep, requested=requested, after=after)


def plan_keeping(
    model: nn.Module,
    graph: ModelGraph,
    spec: PruneSpec,
    statistics: Statistics | None = None,
    *,
    keep: Mapping[str, int],
    requested: Mapping[str, float],
    after: Plan | None = None,
) -> Plan:
    """The plan that keeps so many units of each group, or weights of each tensor: those with the highest score.

    `keep`, `requested`: by target key; `requested` is what was asked for, to be shown beside what is achieved. Of the
    spec only what ranks counts, not its amounts. What a plan `after` which this one comes has removed stays removed,
    whatever its score. A target that loses nothing is not ranked.

    Raises:
        InputError: as `make_plan`.
    """
    ranking = Ranking(model, graph, spec, statistics)
    kept: dict[str, tuple[int, ...]] = {}
    masks: dict[str, Tensor] = {}
    rows: list[LayerPlan] = []
    for target in free_targets(graph, spec.granularity):
        stays = ~_lost(target, ranking, keep[target.key], after)
        if target.group is None:
            masks[target.key] = stays.view(graph.shapes[target.key])
        else:
            kept[target.key] = tuple(stays.nonzero().reshape(-1).tolist())
        rows += [_layer_plan(layer, target, requested[target.key], keep[target.key]) for layer in target.layers]
    place = {site.layer: i for i, site in enumerate(graph.contractions)}
    rows.sort(key=lambda row: place.get(row.name, len(place)))
    return Plan(granularity=spec.granularity, kept=kept, masks=masks, layers=tuple(rows))


def _lost(target: Target, ranking: Ranking, keep: int, after: Plan | None) -> Tensor:
    """bool, one a unit: whether it goes."""
    if keep == target.units:
        return torch.zeros(target.units, dtype=torch.bool)
    scores = ranking.scores(target)
    if after is not None:
        scores = scores.clone()
        if target.group is None:
            scores[~after.masks[target.key].reshape(-1)] = -torch.inf
        else:
            scores[sorted(set(range(target.units)) - set(after.kept[target.key]))] = -torch.inf
    return lowest(scores, target.units - keep)


def lowest(scores: Tensor, count: int) -> Tensor:
    """bool for each score: whether it is among the `count` lowest, of equal ones the first.

    What a stable sort would choose, in linear time: a large layer has millions of weights.

    >>> lowest(torch.tensor([2.0, 1.0, 1.0, 3.0, 1.0]), 2)
    tensor([False,  True,  True, False, False])
    """
    if count == 0:
        return torch.zeros(len(scores), dtype=torch.bool)
    edge = float(np.partition(scores.numpy(), count - 1)[count - 1])
    below = scores < edge
    ties = (scores == edge).nonzero().reshape(-1)
    below[ties[: count - int(below.count_nonzero())]] = True
    return below


def _layer_plan(layer: str, target: Target, requested: float, keep: int) -> LayerPlan:
    total = target.units
    note = None
    if requested * total > total - target.least + 1e-9:  # rounding alone left the last ones
        why = target.group.why_least if target.group is not None else None
        note = f"{target.least} are kept: {why}" if why else "one is kept: a layer cannot be empty"
    return LayerPlan(
        name=layer,
        group=None if target.group is None else target.key,
        requested=requested,
        achieved=(total - keep) / total,
        kept=keep,
        total=total,
        note=note,
    )
