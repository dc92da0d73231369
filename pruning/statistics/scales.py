"""Which batch norms a channel group's units run through, and their scales."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import torch
from torch import Tensor
from torch.fx import Node

from pruning.base.errors import InputError
from pruning.criteria import CRITERIA
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.trace import Trace, argument, op_of

BATCH_NORMS = frozenset(("batch_norm", "_native_batch_norm_legit_no_training"))


def scales_of(graph: ModelGraph, group: ChannelGroup, tensors: Mapping[str, Tensor]) -> Tensor:
    """The scales (γ) of all batch norms that a group's units run through: units × scales.

    Raises:
        InputError: what a producer of the group makes meets no batch norm with scales before another layer reads it.
    """
    reached = _scales_reached(graph)
    columns = [
        slot for slot in group.slots if slot.role == "follower" and slot.tensor in set().union(*reached.values())
    ]
    known = {slot.tensor for slot in columns}
    for slot in group.slots:
        if slot.role == "producer" and not reached.get(slot.tensor, frozenset()) & known:
            without = ", ".join(name for name, entry in CRITERIA.items() if "batch_norm" not in entry.needs)
            raise InputError(
                f"No batch norm scales the channels of {group.name} as {slot.tensor.rpartition('.')[0] or slot.tensor} "
                f"makes them, so they have no BN scale: let them all stay (sparsity 0 for {group.name}), or choose "
                f"another criterion ({without})."
            )
    rows = [tensors[slot.tensor].detach().float()[slot.index.reshape(-1)].reshape(group.units, -1) for slot in columns]
    return torch.cat(rows, 1)


@lru_cache(maxsize=8)
def _scales_reached(graph: ModelGraph) -> Mapping[str, frozenset[str]]:
    """Layer's weight → scales of the batch norms that what it makes runs into before another layer reads it."""
    walk, tensors = graph.walks[0], graph.trace.tensors
    weights = {site.tensor for site in graph.contractions}
    makers: dict[Node, str] = {}
    for node in graph.trace.nodes:
        name = tensors.get(node.name)
        if name in weights:
            makers |= dict.fromkeys(_first_from_input(node, walk.from_input), name)
    found: dict[str, set[str]] = {name: set() for name in weights}
    for maker, name in makers.items():
        found[name] |= _scales_after(maker, makers, graph.trace)
    return {name: frozenset(scales) for name, scales in found.items()}


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
            scale = argument(reader, 1) if op_of(reader) in BATCH_NORMS and argument(reader, 0) is node else None
            if isinstance(scale, Node) and scale.name in trace.tensors:
                found.add(trace.tensors[scale.name])
    return found
