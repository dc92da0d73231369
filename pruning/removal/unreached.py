"""Parts of a network that no call with the example inputs reaches: they keep their width."""

from __future__ import annotations

from torch import nn

from pruning.base.clone import named_tensors
from pruning.catalog.shrinkage import Shrinkage
from pruning.graph.model_graph import ModelGraph


def unreached(model: nn.Module, graph: ModelGraph, what: Shrinkage) -> tuple[str, ...]:
    """Names of modules and parameters that no trace reads though they are as wide as channels that shrink, the whole
    modules of which nothing is read in place of their parts. Other inputs or another method may need them, and then
    meet fewer channels."""
    named = {name: tensor for name, tensor in named_tensors(model).items() if tensor.is_floating_point()}
    traced = {walk.trace.tensors.get(node.name) for walk in graph.walks for node in walk.trace.nodes if node.users}
    read = {id(named[name]) for name in traced if name in named}
    reached = {path for name, tensor in named.items() if id(tensor) in read for path in _around(name)}
    widths = {graph.shapes[name][dim] for name, dims in what.kept.items() for dim in dims}
    found = (name for name, tensor in named.items() if id(tensor) not in read and not widths.isdisjoint(tensor.shape))
    return tuple(dict.fromkeys(next((path for path in _around(name) if path not in reached), name) for name in found))


def _around(name: str) -> list[str]:
    """Paths of the modules that hold a tensor, the outermost first."""
    parts = name.split(".")[:-1]
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
