"""Which batch norms a channel group's units run through, and their scales."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.fx import Node

from pruning.base.errors import InputError
from pruning.base.once import once_each
from pruning.criteria import CRITERIA
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import of
from pruning.graph.rules.contractions import layer_name
from pruning.graph.trace import Trace, argument


def scales_of(graph: ModelGraph, group: ChannelGroup, tensors: Mapping[str, Tensor]) -> Tensor:
    """The scales (γ) of all batch norms that a group's units run through: units × scales.

    Raises:
        InputError: what a producer of the group makes meets no batch norm with scales before another layer reads it.
    """
    reached = _scales_reached(graph)
    scales = frozenset().union(*reached.values())
    columns = [slot for slot in group.slots if slot.role == "follower" and slot.tensor in scales]
    known = {slot.tensor for slot in columns}
    for slot in group.slots:
        if slot.role == "producer" and not reached[slot.tensor] & known:
            without = ", ".join(name for name, entry in CRITERIA.items() if "batch_norm" not in entry.needs)
            raise InputError(
                f"The channels of {group.name} cannot be ranked by batch norm: none scales what "
                f"{layer_name(slot.tensor)} makes. Let them all stay (sparsity 0 for {group.name}), or choose another "
                f"criterion ({without})."
            )
    rows = [tensors[slot.tensor].detach().float()[slot.index.reshape(-1)].reshape(group.units, -1) for slot in columns]
    return torch.cat(rows, 1)


@once_each
def _scales_reached(graph: ModelGraph) -> Mapping[str, frozenset[str]]:
    """Layer's weight → scales of the batch norms that what it makes runs into before another layer reads it."""
    walk, tensors = graph.walks[0], graph.trace.tensors
    weights = {site.tensor for site in graph.contractions}
    makers: dict[Node, str] = {}
    for node in graph.trace.nodes:
        name = tensors.get(node.name)
        if name in weights:
            makers |= dict.fromkeys(_first_from_input(node, walk.from_input), name)
    found: dict[str, set[str]] = defaultdict(set)
    for maker, name in makers.items():
        found[name] |= _scales_after(maker, makers, graph.trace)
    return defaultdict(frozenset, {name: frozenset(scales) for name, scales in found.items()})


def _first_from_input(weight: Node, from_input: set[Node]) -> Iterable[Node]:
    """The calls in which a weight, or what is computed from weights alone, first meets the network's input."""
    todo, seen = [weight], {weight}
    while todo:
        for reader in todo.pop().users:
            if reader in from_input:
                yield reader
            elif reader not in seen:
                seen.add(reader)
                todo.append(reader)


def _scales_after(maker: Node, makers: Mapping[Node, str], trace: Trace) -> set[str]:
    found: set[str] = set()
    todo, seen = [maker], {maker}
    while todo:
        node = todo.pop()
        for reader in node.users:
            if reader in makers or reader in seen:
                continue
            seen.add(reader)
            todo.append(reader)
            scale = argument(reader, 1) if of(reader).batch_norm and argument(reader, 0) is node else None
            if isinstance(scale, Node) and scale.name in trace.tensors:
                found.add(trace.tensors[scale.name])
    return found
