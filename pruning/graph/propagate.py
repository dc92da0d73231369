"""Walk the traced graph with labels, call by call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.fx import Node

from pruning.graph.computed import settle_sums
from pruning.graph.labels import Labels, Value, raw
from pruning.graph.means import settle_means
from pruning.graph.ops import of
from pruning.graph.rules.call import Call, Walk
from pruning.graph.trace import Trace, argument, shape_of

OUTPUTS_STAY = "the network's outputs stay"


def walk(trace: Trace, labels: Labels, locked_lines: Mapping[tuple[str, str], str]) -> Walk:
    """Run a traced graph on labels.

    `locked_lines` maps (source line, op) to why the calls there cannot take part.
    """
    state = Walk(trace, labels)
    state.alive = _alive(trace)
    readings = {reading.tensor: reading.line for reading in reversed(trace.readings)}
    memory: dict[Node, Node] = {}
    for node in trace.nodes:
        if node.op == "placeholder":
            if node.name in trace.tensors:
                state.values[node] = _own_tensor(labels, trace.tensors[node.name], shape_of(node), readings)
            elif node.name not in trace.constants:
                state.from_input.add(node)
            if node not in state.values and hasattr(node.meta.get("val"), "shape"):
                state.values[node] = raw(shape_of(node))
        elif node.op == "output":
            for source in node.all_input_nodes:
                _lock_all(labels, state.values.get(source))
        else:
            _remember(memory, node)
            if any(source in state.from_input for source in node.all_input_nodes):
                state.from_input.add(node)
                state.from_input.update(_written_to(memory, node))
            _step(state, node, locked_lines)
    settle_means(state)
    settle_sums(state)
    return state


def _remember(memory: dict[Node, Node], node: Node) -> None:
    """Note on the memory of which earlier result a call's result lies: of the first of all that do."""
    source, op = argument(node, 0), of(node)
    if isinstance(source, Node) and (op.shares_memory or op.in_place):
        memory[node] = memory.get(source, source)


def _written_to(memory: dict[Node, Node], node: Node) -> list[Node]:
    """Results on the memory that a call writes to; none for parameters and buffers, which are the network's own."""
    first = memory.get(node)
    if first is None or first.op != "call_function" or not of(node).in_place:
        return []
    return [first, *(other for other, lies_on in memory.items() if lies_on is first)]


def _own_tensor(labels: Labels, name: str, shape: tuple[int, ...], readings: Mapping[str, str]) -> Value:
    """A parameter or buffer. Where the code takes its values for a number, another network would have another one."""
    value = labels.tensor(name, shape)
    if name in readings:
        line = Path(readings[name]).name
        labels.lock_value(value, f"the code at {line} makes a number of the values of {name}")
    return value


def _alive(trace: Trace) -> set[Node]:
    """Calls whose result is used in the end, or that change a tensor in place."""
    alive: set[Node] = set()
    for node in reversed(trace.nodes):
        if node.op == "output" or of(node).in_place or any(user in alive for user in node.users):
            alive.add(node)
    return alive


def _step(state: Walk, node: Node, locked_lines: Mapping[tuple[str, str], str]) -> None:
    """A call whose result is not used still has to run: its shapes must fit, but its values do not matter."""
    locks, means = len(state.labels.locks), len(state.means)
    state.values[node] = _run(Call(state, node), locked_lines)
    if node not in state.alive:
        del state.labels.locks[locks:], state.means[means:]


def _run(call: Call, locked_lines: Mapping[tuple[str, str], str]) -> Any:
    op = of(call.node)
    if op.name == "getitem":
        source = call.walk.values.get(argument(call.node, 0))
        return source[argument(call.node, 1)] if isinstance(source, tuple) else source
    reason = locked_lines.get((call.line, call.op)) or locked_lines.get((call.line, ""))
    if reason is not None:
        if op.rule is not None:
            op.rule(call)  # for the multiply-accumulates it notes
        return call.unknown(reason, between=": ")
    if op.asserts:
        return None
    labelled = any(value.layers for value in call.operands())
    if not labelled and not op.asked_without_labels:
        return _plain(call.node)
    result = op.rule(call) if op.rule is not None else None
    return call.unknown() if result is None else result


def _plain(node: Node) -> Any:
    value = node.meta.get("val")
    if isinstance(value, list | tuple):
        return tuple(raw(item.shape) if hasattr(item, "shape") else None for item in value)
    return raw(value.shape) if isinstance(value, Tensor) else None


def _lock_all(labels: Labels, value: Any) -> None:
    if isinstance(value, Value):
        labels.lock_value(value, OUTPUTS_STAY)
    elif isinstance(value, tuple):
        for item in value:
            _lock_all(labels, item)
