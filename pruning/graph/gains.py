"""Weight norm written out in a network's code: which gain scales which direction.

The same weight g · v / ‖v‖ (Salimans 2016, arXiv 1602.07868) comes in many spellings, such as `F.normalize(v) * g` and
`v * (g / v.norm(dim=1, keepdim=True))`: a norm, a division by it, and a product with a gain, of which nothing else
makes use.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from torch.fx import Node

from pruning.catalog.shrinkage import Gain
from pruning.graph.ops import of
from pruning.graph.rules.call import Call, Walk
from pruning.graph.trace import argument, shape_of


@dataclass(frozen=True, kw_only=True)
class _Use:
    gain: Gain
    reader: Node
    """The call that reads the gain."""


def written_out(walk: Walk) -> dict[Node, Gain]:
    """Norms of directions whose gain can follow what goes of them, with that gain."""
    uses = {site.node: _use(walk, site.node) for site in walk.sums if of(site.node).norm}
    readers: dict[str, set[Node]] = defaultdict(set)
    for use in uses.values():
        if use is not None:
            readers[use.gain.gain].add(use.reader)
    tensors = walk.trace.tensors
    others = {
        tensors[node.name]
        for node in walk.trace.nodes
        if node.name in tensors and not readers[tensors[node.name]].issuperset(node.users)
    }
    scaled = {(use.gain.gain, use.gain.direction, use.gain.dim) for use in uses.values() if use is not None}
    several = {gain for gain, *_ in scaled if sum(other == gain for other, *_ in scaled) > 1}
    found = {node: use.gain for node, use in uses.items() if use is not None}
    return {node: gain for node, gain in found.items() if gain.gain not in others | several}


def _use(walk: Walk, norm: Node) -> _Use | None:
    call = Call(walk, norm)
    source = norm.all_input_nodes[0]
    direction = walk.trace.tensors.get(source.name)
    order = next((call[name] for name in ("ord", "p") if call[name] is not None), 2)
    if direction is None or order != 2:
        return None
    shape = shape_of(source)
    dims = range(len(shape)) if call["dim"] in (None, []) else call["dim"]
    reduced = {dim % len(shape) for dim in ([dims] if isinstance(dims, int) else dims)}
    left = [dim for dim, size in enumerate(shape) if dim not in reduced and size > 1]
    gain = _factor(walk, norm, source)
    if len(left) > 1 or gain is None:
        return None
    scale, reader = gain
    name = walk.trace.tensors[scale.name]
    if math.prod(shape_of(scale)) != (shape[left[0]] if left else 1):
        return None
    return _Use(gain=Gain(direction=direction, gain=name, dim=left[0] if left else -1), reader=reader)


def _factor(walk: Walk, norm: Node, direction: Node) -> tuple[Node, Node] | None:
    """The gain with which a direction over its norm is multiplied, and the call that reads it."""
    factors: list[tuple[Node, Node]] = []
    now, divided = norm, False
    while len(now.users) == 1:
        (user,) = now.users
        kind = of(user).arithmetic
        if of(user).same_numbers and argument(user, 0) is now:
            now = user
            continue
        if kind not in ("divides", "multiplies") or (kind == "divides") == divided or len(user.all_input_nodes) != 2:
            break
        if kind == "divides" and argument(user, 1) is not now:
            break
        divided = True
        (other,) = (source for source in user.all_input_nodes if source is not now)
        factors += _factors(other, user)
        now = user
    gains = [(factor, reader) for factor, reader in factors if factor is not direction]
    known = all(factor.name in walk.trace.tensors for factor, _ in factors)
    return gains[0] if divided and known and len(gains) == 1 and len(factors) == 2 else None


def _factors(node: Node, reader: Node) -> list[tuple[Node, Node]]:
    """What a value is the product of, each factor with the call that reads it."""
    if of(node).same_numbers:
        return _factors(argument(node, 0), node)
    if of(node).arithmetic == "multiplies" and len(node.all_input_nodes) == 2 and len(node.users) == 1:
        return [factor for source in node.all_input_nodes for factor in _factors(source, node)]
    return [(node, reader)]
