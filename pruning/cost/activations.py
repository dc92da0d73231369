"""Activation memory: the most bytes of intermediate results that are alive at once. Arithmetic on the traced graph."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from torch import Tensor
from torch.fx import Node

from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import of
from pruning.graph.trace import module_path
from pruning.planning.plan import Plan
from pruning.removal.reference import Masking

FLOAT32 = 4


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Where a network needs the most memory for intermediate results."""

    bytes: int
    """Of one sample, in float32."""
    place: str
    """The module whose call is then running, '' for the network's own code."""


def activation_peak(graph: ModelGraph, plan: Plan | None = None) -> Peak:
    """The largest sum of intermediate results alive at once while the calls run in order.

    A result lives from its call to its last use; views and calls that write into their input share its memory; the
    input counts. `plan`: as it will be once a channel plan is carried out, without tracing the smaller network.
    """
    trace = graph.trace
    masking = Masking(graph.walks[0], graph.removed(plan.kept)) if plan is not None and plan.kept else None
    owner: dict[Node, Node] = {}
    size: dict[Node, int] = {}
    born: dict[Node, int] = {}
    last_use: dict[Node, int] = {}
    for step, node in enumerate(trace.nodes):
        if node.op == "placeholder" and node.name in trace.tensors:
            continue
        sources = [source for source in node.all_input_nodes if source in owner]
        shared = bool(sources) and (of(node).shares_memory or of(node).in_place)
        owner[node] = owner[sources[0]] if shared else node
        value = node.meta.get("val")
        if isinstance(value, Tensor) and not shared:
            size[node], born[node] = _numbers(node, value, masking) * FLOAT32 // trace.batch, step
        for source in (*sources, node):
            last_use[owner[source]] = step
    change = [0] * (len(trace.nodes) + 1)
    for node, amount in size.items():
        change[born[node]] += amount
        change[last_use[node] + 1] -= amount
    alive = list(itertools.accumulate(change))
    most = max(alive)
    return Peak(bytes=most, place=module_path(trace.nodes[alive.index(most)]))


def _numbers(node: Node, value: Tensor, masking: Masking | None) -> int:
    """How many numbers a result has, of which a plan may leave fewer."""
    left = masking.left(node) if masking is not None else []
    sizes = [int(size) for size in value.shape]
    return math.prod(
        size if index is None else len(index) for size, index in zip(sizes, left or [None] * len(sizes), strict=True)
    )
