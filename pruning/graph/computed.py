"""Weights that the network's code computes from others: which of their channels can go."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.gains import written_out
from pruning.graph.labels import Value
from pruning.graph.ops import of
from pruning.graph.rules.call import SumSite, Walk
from pruning.graph.trace import argument


def settle_sums(walk: Walk) -> None:
    """Lock the channels of a weight that are summed over to compute it, as spectral norm does (Miyato 2018, arXiv
    1802.05957): without one of them all the others would change. Not so where a gain follows."""
    if not walk.sums:
        return
    walk.followed = written_out(walk)
    walk.gains += walk.followed.values()
    component = walk.labels.components()
    sites: dict[Node, list[SumSite]] = defaultdict(list)
    for site in walk.sums:
        if site.node not in walk.followed:
            sites[site.node].append(site)
    for weight in _computed_weights(walk):
        own = _components(component, walk.values.get(weight))
        for source in _behind(weight):
            for site in sites.get(source, ()):
                walk.labels.lock(site.labels[torch.isin(component[site.labels], own)], site.reason)


def _computed_weights(walk: Walk) -> list[Node]:
    """What layers and products read beside the data: no parameters, but computed from parameters alone."""
    read: list[Node] = []
    for node in walk.trace.nodes:
        if of(node).consumer and node in walk.from_input:
            read += node.all_input_nodes if of(node).layer is None else [argument(node, 1)]
    computed = (source for source in read if source.op == "call_function" and source not in walk.from_input)
    return list(dict.fromkeys(computed))


def _components(component: Tensor, value: object) -> Tensor:
    layers = value.layers if isinstance(value, Value) else ()
    return torch.cat([component[layer].reshape(-1) for layer in layers] or [component[:0]]).unique()


def _behind(weight: Node) -> list[Node]:
    """All calls that a weight is computed with, its own first."""
    found = {weight: None}
    todo = [weight]
    while todo:
        for source in todo.pop().all_input_nodes:
            if source not in found:
                found[source] = None
                todo.append(source)
    return list(found)
