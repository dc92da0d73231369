"""What one sparsity is of: a channel group, or a weight tensor whose single weights go."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pruning.base.once import once_each
from pruning.granularity import Granularity, find_granularity
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.rules.contractions import layer_name


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """One of the things that a plan decides on."""

    key: str
    """Its name in a plan: the group's, or the parameter's."""
    name: str
    """Its name in a spec, a recipe and on the board: the group's, or the weight's layer (which may have several)."""
    units: int
    """Channels of the group, or weights."""
    layers: tuple[str, ...]
    """Layers that lose the same units; the weight's layer."""
    locked: str | None
    """Why nothing of it can go, or None."""
    group: ChannelGroup | None
    """None for a weight tensor."""
    heads: bool = False
    """Whether its units are attention heads."""

    @property
    def least(self) -> int:
        """Units or weights that have to stay."""
        return 1 if self.group is None else self.group.least

    @property
    def touched(self) -> tuple[str, ...]:
        """Layers that its units run through: those that make them and those that read them; the weight's layer."""
        return self.layers if self.group is None else tuple(dict.fromkeys((*self.layers, *self.group.consumers)))


@once_each
def all_targets(graph: ModelGraph, granularity: Granularity) -> tuple[Target, ...]:
    """Every target of a network in network order, locked ones too.

    Raises:
        InputError: there is no such granularity.
    """
    return _weights(graph) if find_granularity(granularity).name == "weight" else _groups(graph)


def free_targets(graph: ModelGraph, granularity: Granularity) -> tuple[Target, ...]:
    """The targets that can lose something.

    Raises:
        InputError: there is no such granularity.
    """
    return tuple(target for target in all_targets(graph, granularity) if target.locked is None)


def _groups(graph: ModelGraph) -> tuple[Target, ...]:
    place = {site.layer: number for number, site in reversed(list(enumerate(graph.contractions)))}
    found = [
        Target(
            key=group.name,
            name=group.name,
            units=group.units,
            layers=group.producers,
            locked=group.locked,
            group=group,
            heads=group.name in graph.heads,
        )
        for group in (*graph.groups, *graph.locked)
    ]
    return tuple(sorted(found, key=lambda t: min((place.get(layer, len(place)) for layer in t.layers), default=0)))


def _weights(graph: ModelGraph) -> tuple[Target, ...]:
    """Weights of two or more dimensions: those that the network's layers use in their order, then the others."""
    used = dict.fromkeys(site.tensor for site in graph.contractions)
    others = sorted(name for name in graph.parameters if len(graph.shapes[name]) >= 2 and name not in used)
    return tuple(
        Target(
            key=name,
            name=layer_name(name),
            units=math.prod(graph.shapes[name]),
            layers=(layer_name(name),),
            locked=None,
            group=None,
        )
        for name in (*used, *others)
    )
