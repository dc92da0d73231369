"""Weights that the network's code computes from others: which of their channels can go."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Value
from pruning.graph.ops import of
from pruning.graph.rules.call import SumSite, Walk
from pruning.graph.trace import argument


def settle_sums(walk: Walk) -> None:
    """Lock the channels of a weight that are summed over to compute it, as spectral norm does (Miyato 2018, arXiv
    1802.05957): without one of them all the others would change."""
    if not walk.sums:
        return
    component = walk.labels.components()
    sites: dict[Node, list[SumSite]] = defaultdict(list)
    for site in walk.sums:
        sites[site.node].append(site)
    for weight in _computed_weights(walk):
        own = _components(component, walk.values.get(weight))
        for source in _behind(weight):
            for site in sites.get(source, ()):
                walk.labels.lock(site.labels[torch.isin(component[site.labels], own)], site.reason)


def _computed_weights(walk: Walk) -> list[Node]:
    """The weights of layers that are no parameters, and do not depend on the network's input."""
    weights = [argument(node, 1) for node in walk.trace.nodes if of(node).layer is not None and node in walk.from_input]
    computed = (w for w in weights if isinstance(w, Node) and w.op == "call_function" and w not in walk.from_input)
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
