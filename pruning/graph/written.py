"""Parameters into which forward itself writes what it finds in the data, as layers do that set themselves up by their
first batch."""

from __future__ import annotations

from collections.abc import Container

from torch.fx import Node

from pruning.graph.ops import of
from pruning.graph.trace import Trace, argument


def written_from_data(trace: Trace, parameters: Container[str]) -> tuple[str, Node] | None:
    """The first such parameter, and the call that writes to it through `.data`; None where there is none."""
    known = trace.tensors.keys() | trace.constants.keys()
    data: set[Node] = set()
    memory: dict[Node, Node] = {}
    for node in trace.nodes:
        if node.op == "placeholder" and node.name not in known:
            data.add(node)
        if node.op != "call_function":
            continue
        first, op = argument(node, 0), of(node)
        if isinstance(first, Node) and (op.shares_memory or op.in_place):
            memory[node] = memory.get(first, first)
        if data.isdisjoint(node.all_input_nodes):
            continue
        data.add(node)
        name = trace.tensors.get(memory[node].name) if op.in_place and node in memory else None
        given = (source.meta["val"] for source in node.all_input_nodes[1:] if source in data)
        if name in parameters and memory[node] is not first and any(value.is_floating_point() for value in given):
            assert name is not None
            return name, node
    return None
