"""The plan: exactly what goes. Preview, costs, masks, removal and recipes all read the same plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.criteria import Evidence, find_criterion
from pruning.granularity import Granularity
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.rules.contractions import layer_name
from pruning.planning.allocation import kept_units, per_target, prunable_weights


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


def make_plan(
    model: nn.Module,
    graph: ModelGraph,
    *,
    granularity: Granularity = "channel",
    criterion: str = "l2",
    sparsity: float = 0.0,
    layers: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Plan:
    """Decide what goes: in each group or layer the units with the lowest score, as many as its sparsity says.

    Raises:
        InputError: a sparsity, name or criterion that is not allowed, or weights that are NaN or infinite.
    """
    targets = per_target(graph, granularity, sparsity, layers or {})
    sizes = target_sizes(graph, granularity)
    keep = {name: kept_units(sizes[name], value) for name, value in targets.items()}
    return plan_keeping(
        model, graph, granularity=granularity, criterion=criterion, keep=keep, requested=targets, seed=seed
    )


def target_sizes(graph: ModelGraph, granularity: Granularity) -> dict[str, int]:
    """How many units (channel) or weights (weight) each group or parameter has."""
    if granularity == "weight":
        return {name: math.prod(graph.shapes[name]) for name in prunable_weights(graph)}
    return {group.name: group.units for group in graph.groups}


def plan_keeping(
    model: nn.Module,
    graph: ModelGraph,
    *,
    granularity: Granularity,
    criterion: str,
    keep: Mapping[str, int],
    requested: Mapping[str, float],
    after: Plan | None = None,
    seed: int = 0,
) -> Plan:
    """The plan that keeps so many units in each group, or weights in each parameter: those with the highest score.

    `requested` is what was asked for, to be shown beside what is achieved. What a plan `after` which this one comes
    has removed stays removed, whatever its score.
    """
    tensors = dict(model.named_parameters())
    kept: dict[str, tuple[int, ...]] = {}
    masks: dict[str, Tensor] = {}
    rows: list[LayerPlan] = []
    if granularity == "weight":
        for name in prunable_weights(graph):
            weight = tensors[name]
            scores = weight_scores(name, weight, criterion, seed)
            if after is not None:
                scores[~after.masks[name].reshape(-1)] = -torch.inf
            masks[name] = ~lowest(scores, weight.numel() - keep[name]).view(weight.shape)
            rows.append(_layer_plan(layer_name(name), None, requested[name], keep[name], weight.numel()))
    for group in graph.groups if granularity == "channel" else ():
        scores = unit_scores(group, tensors, criterion, seed)
        if after is not None:
            scores[sorted(set(range(group.units)) - set(after.kept[group.name]))] = -torch.inf
        order = scores.argsort(stable=True)
        kept[group.name] = tuple(sorted(order[group.units - keep[group.name] :].tolist()))
        rows += [
            _layer_plan(layer, group.name, requested[group.name], keep[group.name], group.units)
            for layer in group.producers
        ]
    place = {site.layer: i for i, site in enumerate(graph.contractions)}
    rows.sort(key=lambda row: place.get(row.name, len(place)))
    return Plan(granularity=granularity, kept=kept, masks=masks, layers=tuple(rows))


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


def unit_scores(group: ChannelGroup, tensors: Mapping[str, Tensor], criterion: str, seed: int = 0) -> Tensor:
    """Score of each unit of a group, float32, one a unit: the criterion over all weights that make the unit."""
    rows = []
    for slot in group.slots:
        if slot.role != "producer":
            continue
        weight = _finite(slot.tensor, tensors[slot.tensor]).detach().float()
        picked = weight.movedim(slot.dim, 0)[slot.index.reshape(-1)]
        rows.append(picked.reshape(group.units, -1))
    generator = torch.Generator().manual_seed(_seed_for(group.name, seed))
    return find_criterion(criterion).score(Evidence(given={"weights": torch.cat(rows, 1)}, generator=generator))


def weight_scores(name: str, weight: Tensor, criterion: str, seed: int = 0) -> Tensor:
    """Score of each single weight of a tensor, flat."""
    flat = _finite(name, weight).detach().float().reshape(-1, 1)
    generator = torch.Generator().manual_seed(_seed_for(name, seed))
    return find_criterion(criterion).score(Evidence(given={"weights": flat}, generator=generator))


def _layer_plan(layer: str, group: str | None, requested: float, keep: int, total: int) -> LayerPlan:
    emptied = requested * total > total - 1 + 1e-9  # rounding alone left the last one
    return LayerPlan(
        name=layer,
        group=group,
        requested=requested,
        achieved=(total - keep) / total,
        kept=keep,
        total=total,
        note="one is kept: a layer cannot be empty" if emptied else None,
    )


def _finite(name: str, weight: Tensor) -> Tensor:
    if not bool(weight.isfinite().all()):
        bad = int((~weight.isfinite()).sum())
        raise InputError(
            f"{bad:,} of the {weight.numel():,} weights of {name} are NaN or infinite, so they cannot be ranked: "
            "the network is damaged. Load it again from a good copy."
        )
    return weight


def _seed_for(name: str, seed: int) -> int:
    """A seed of its own for each tensor, so that random choices in one layer do not depend on other layers."""
    return (seed * 1_000_003 + sum((i + 1) * ord(char) for i, char in enumerate(name))) % 2**31
