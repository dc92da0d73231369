"""Means over channels: which of them normalise the channels that they are taken over."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Value
from pruning.graph.ops import of
from pruning.graph.rules.call import MeanSite, Walk


def settle_means(walk: Walk) -> None:
    """Means and variances over channels that normalise these channels are taken over the survivors; others would
    change, so their channels stay."""
    if not walk.means:
        return
    component = walk.labels.components()
    for site in walk.means:
        if not _normalises(walk, site, component):
            walk.labels.lock(site.layer, site.reason)


def _normalises(walk: Walk, site: MeanSite, component: Tensor) -> bool:
    """Whether all that becomes of a mean is subtracted from the channels it was taken over, or divides them."""
    own = component[site.layer].reshape(-1)
    todo: list[tuple[Node, Node, bool]] = [(user, site.node, False) for user in site.node.users]
    if not todo:
        return False
    while todo:
        node, source, inverse = todo.pop()
        if node.op != "call_function":
            return False
        op = of(node)
        value = walk.values.get(node)
        same = any(
            torch.equal(component[layer].reshape(-1), own)
            for layer in (value.layers if isinstance(value, Value) else ())
            if layer.numel() == len(own)
        )
        if same:
            divides = op.arithmetic == "divides" and node.args[1] is source
            if not (divides or op.arithmetic == "subtracts" or (op.arithmetic == "multiplies" and inverse)):
                return False
        elif op.leads_back:
            turned = op.arithmetic == "inverts" or (op.arithmetic == "raises" and _negative(node.args[1]))
            todo += [(user, node, inverse or turned) for user in node.users]
        else:
            return False
    return True


def _negative(number: object) -> bool:
    return isinstance(number, int | float) and number < 0
