"""The trace of a network for inputs of another size, from the one that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.fx import Node
from torch.fx.node import map_arg

from pruning.graph.inputs import Inputs
from pruning.graph.ops import of
from pruning.graph.trace import Trace, TraceError, op_of, trace

PLACES = ("nn_module_stack", "stack_trace")
"""What a trace knows of where a call stands."""


def trace_again(model: nn.Module, inputs: Inputs, known: Trace, *, training: bool = False) -> Trace:
    """What `pruning.graph.trace.trace` gives. Where recording the network has the calls that are known, one by one,
    that is enough, and they stand where those do.

    Raises:
        TraceError: as there.
    """
    if not (known.steps or known.readings):
        try:
            found = _placed(known, trace(model, inputs, training=training, recorded=True))
        except TraceError:  # torch.export may be able to follow it, or says why not
            found = None
        if found is not None:
            return found
    return trace(model, inputs, training=training)


def _placed(known: Trace, recorded: Trace) -> Trace | None:
    """A recorded trace with the places of one that has the same calls; None where it has others."""
    (mine, written), (others, _) = _calls(known.nodes), _calls(recorded.nodes)
    if [op_of(node) for node in mine] != [op_of(node) for node in others]:
        return None
    twin: dict[Node, Node] = dict(zip(mine, others, strict=True))
    for node, other in twin.items():
        _place(other, node)
    by_name = {name: node for node in recorded.nodes if (name := recorded.tensors.get(node.name)) is not None}
    twin |= {node: by_name[known.tensors[node.name]] for node in known.nodes if node.name in known.tensors}
    parts = {node.args: node for node in recorded.nodes if _picks(node)}
    for node in known.nodes:
        if _picks(node) and (part := parts.get((twin.get(node.all_input_nodes[0]), node.args[1]))) is not None:
            twin[node] = part
            _place(part, node)
    twin |= dict(zip(_data(known), _data(recorded), strict=False))
    if not all(_same_operands(node, other, twin, known, recorded) for node, other in zip(mine, others, strict=True)):
        return None
    asked = {None, *known.tensors.values()}  # torch.export leaves out buffers that nothing reads
    *nodes, output = [node for node in recorded.nodes if recorded.tensors.get(node.name) in asked]
    for node in written:
        if any(source not in twin for source in node.all_input_nodes):
            return None
        nodes.append(_again(node, twin, output))
    return replace(recorded, nodes=(*nodes, output), asks_sizes=known.asks_sizes)


def _data(trace: Trace) -> list[Node]:
    """The inputs of a network that are tensors."""
    own = trace.tensors.keys() | trace.constants.keys()
    heads = (node for node in trace.nodes if node.op == "placeholder" and node.name not in own)
    return [node for node in heads if isinstance(node.meta.get("val"), Tensor)]


def _same_operands(node: Node, other: Node, twin: dict[Node, Node], known: Trace, recorded: Trace) -> bool:
    """Whether a call works on the same values as its twin. Constants that the code makes are met here first."""
    mine, others = node.all_input_nodes, other.all_input_nodes
    for source, its in zip(mine, others, strict=False):
        if source.name in known.constants and its.name in recorded.constants:
            twin.setdefault(source, its)
        if twin.get(source) is not its:
            return False
    return len(mine) == len(others)


def _place(node: Node, known: Node) -> None:
    node.meta.update({name: known.meta[name] for name in PLACES if name in known.meta})


def _calls(nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """The calls of a graph but for those that pick one of several results or state what holds, and apart from them
    those at its end that write buffers back."""
    calls = [node for node in nodes if node.op == "call_function" and not (_picks(node) or of(node).asserts)]
    count = len(calls)
    while count and op_of(calls[count - 1]) == "copy_" and calls[count - 1].all_input_nodes[0].op == "placeholder":
        count -= 1
    return calls[:count], calls[count:]


def _picks(node: Node) -> bool:
    return node.op == "call_function" and op_of(node) == "getitem"


def _again(node: Node, twin: dict[Node, Node], output: Node) -> Node:
    """The same call of the other graph, at its end."""
    args: Any = map_arg(node.args, lambda source: twin[source])
    with output.graph.inserting_before(output):
        made = output.graph.call_function(node.target, args)  # type: ignore[arg-type]
    made.meta.update(node.meta, val=made.all_input_nodes[-1].meta["val"])
    twin[node] = made
    return made
