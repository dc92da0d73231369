"""Walk the traced graph with labels, call by call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Labels, Value, along, raw
from pruning.graph.rules import RULES
from pruning.graph.rules.call import Call, Walk
from pruning.graph.rules.norms import settle_means
from pruning.graph.trace import Trace, argument, op_of, shape_of

OUTPUTS_STAY = "the network's outputs stay"
FACTORIES = frozenset("zeros ones full empty rand randn new_zeros new_ones new_full new_empty".split())


def walk(trace: Trace, labels: Labels, locked_lines: Mapping[tuple[str, str], str]) -> Walk:
    """Run a traced graph on labels.

    `locked_lines` maps (source line, op) to why the calls there cannot take part.
    """
    state = Walk(trace, labels)
    state.alive = _alive(trace)
    for node in trace.nodes:
        if node.op == "placeholder":
            if node.name in trace.tensors:
                state.values[node] = labels.tensor(trace.tensors[node.name], shape_of(node))
            elif node.name not in trace.constants:
                state.from_input.add(node)
            if node not in state.values and hasattr(node.meta.get("val"), "shape"):
                state.values[node] = raw(shape_of(node))
        elif node.op == "output":
            for source in node.all_input_nodes:
                _lock_all(labels, state.values.get(source))
        else:
            if any(source in state.from_input for source in node.all_input_nodes):
                state.from_input.add(node)
            _step(state, node, locked_lines)
    settle_means(state)
    return state


def _alive(trace: Trace) -> set[Node]:
    """Calls whose result is used in the end, or that change a tensor in place."""
    alive: set[Node] = set()
    for node in reversed(trace.nodes):
        in_place = node.op == "call_function" and op_of(node).endswith("_")
        if node.op == "output" or in_place or any(user in alive for user in node.users):
            alive.add(node)
    return alive


def _step(state: Walk, node: Node, locked_lines: Mapping[tuple[str, str], str]) -> None:
    """A call whose result is not used still has to run: its shapes must fit, but its values do not matter."""
    locks, means = len(state.labels.locks), len(state.means)
    state.values[node] = _run(Call(state, node), locked_lines)
    if node not in state.alive:
        del state.labels.locks[locks:], state.means[means:]


def _run(call: Call, locked_lines: Mapping[tuple[str, str], str]) -> Any:
    if call.op == "getitem":
        source = call.walk.values.get(argument(call.node, 0))
        return source[argument(call.node, 1)] if isinstance(source, tuple) else source
    reason = locked_lines.get((call.line, call.op)) or locked_lines.get((call.line, ""))
    if reason is not None:
        if call.op in RULES:
            RULES[call.op](call)  # for the multiply-accumulates it notes
        return call.unknown(reason, between=": ")
    if call.op.startswith(("_assert", "sym_")):
        return None
    if call.op in FACTORIES and isinstance(call.node.meta.get("val"), Tensor):
        return _made(call)
    rule = RULES.get(call.op)
    labelled = any(value.layers for value in call.operands())
    if not labelled and call.op not in LABELS_MATTER:
        return _plain(call.node)
    result = rule(call) if rule is not None else None
    return call.unknown() if result is None else result


def _made(call: Call) -> Value:
    """A constant that the code makes: its sizes may follow those of others, which a trial shows."""
    shape = call.shape
    wide = [dim for dim, size in enumerate(shape) if size > 1 and not (dim == 0 and size == call.walk.trace.batch)]
    return Value(shape, tuple(along(call.labels.fresh(shape[dim]), dim, len(shape)) for dim in wide))


LABELS_MATTER = frozenset(("linear", "embedding", "expand", "expand_as", "broadcast_to", "repeat", "tile"))
"""Calls whose rule is asked even if nothing that comes in has labels."""


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
