"""Where a smaller model is not what the labels say: its traced calls beside those of the full one.

In an exported graph `x.view(-1, 400)` and a size computed from `x.shape` look the same; only a smaller model tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.utils import _pytree as pytree

from pruning.graph.labels import Value, varying
from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import is_real, of
from pruning.graph.rules.call import Walk
from pruning.graph.trace import (
    Stop,
    Trace,
    TraceError,
    argument,
    by_name,
    line_of,
    module_path,
    op_of,
    place,
    shape_of,
)


@dataclass(frozen=True)
class Problem:
    """The first call of the smaller model that is not what the labels say."""

    line: str
    op: str
    reason: str
    place: tuple[int, int, int]
    """Number of the trial, of the walk, and of the call in it."""
    node: Node | None = None
    walk: Walk | None = None
    stop: Stop | None = None
    """Where the code itself stopped, before `node`."""

    @property
    def where(self) -> str:
        """In words; '' where nothing is known."""
        if self.stop is not None:
            return self.stop.place
        return "" if self.node is None else place(self.node)

    @property
    def module(self) -> str | None:
        """Path of the module in which the code stands."""
        if self.stop is not None:
            return self.stop.module
        return None if self.node is None else module_path(self.node)

    @property
    def words(self) -> str:
        """The reason, and where."""
        return f"{self.where}: {self.reason}" if self.where else self.reason


def suspicious(graph: ModelGraph, walk: Walk, model: nn.Module) -> bool:
    """Whether any call that channels reach might carry a size, or the code might check one."""
    if walk.trace.asks_sizes:
        return True
    modules = dict(model.named_modules())
    reached = graph.removed({group.name: () for group in graph.groups})
    settled = {site.module for site in graph.pads}
    for node in walk.trace.nodes:
        op = of(node)
        if is_real(node) and op.sized_freely:  # the size may come from channels that do not come here
            return True
        if not is_real(node) or not any(touched(walk, s, reached) for s in (node, *node.all_input_nodes)):
            continue
        if _elsewhere(walk, node, reached) or module_path(node) in settled:
            continue
        if op.sizeless is None:
            return True
        if op.sizeless == "between tensors" and any(not isinstance(given, Node) for given in node.args):
            return True
        in_groups = op.layer not in (None, "linear") and argument(node, 6, 1) != 1
        if in_groups and not isinstance(modules.get(module_path(node)), nn.modules.conv._ConvNd):
            return True
    return False


def _elsewhere(walk: Walk, node: Node, gone: Tensor) -> bool:
    """Whether a call takes a slice of a dimension without channels."""
    value = walk.values.get(argument(node, 0))
    if of(node).cuts != "slices" or not isinstance(value, Value):
        return False
    layer = value.layer(int(argument(node, 1, 0)))
    return layer is None or not bool(gone[layer].any())


def touched(walk: Walk, node: Node, gone: Tensor) -> bool:
    value = walk.values.get(node)
    return any(bool(gone[layer].any()) for v in each(value) for layer in v.layers)


def each(value: Any) -> list[Value]:
    if isinstance(value, Value):
        return [value]
    return [item for part in value for item in each(part)] if isinstance(value, tuple) else []


def left_of(value: Value, gone: Tensor) -> tuple[list[Tensor], tuple[int, ...]]:
    """Which indices of each dimension of a value are left, and the shape that makes."""
    stays = [torch.ones(size, dtype=torch.bool) for size in value.shape]
    for layer in value.layers:
        alive = ~gone[layer]
        for dim in varying(layer):
            others = [d for d in range(alive.dim()) if d != dim]
            stays[dim] &= alive.amax(others) if others else alive
    return stays, tuple(int(stay.sum()) for stay in stays)


COUNTS = "the code there computes with the number of channels"
FIXED = "the code there fixes a size that removal changes"
CHECKED = "the code there does not allow another size"
OTHER_WAY = "the code takes another way when sizes change"
DRAWN = "the code draws numbers with Python's random, which may choose another way at each call"


def compare(walk: Walk, smaller: Trace | TraceError, gone: Tensor, number: tuple[int, int]) -> Problem | None:
    """The first call of the smaller model that is not as the labels say; where tracing it failed, at the latest the
    call at which it did."""
    failed = isinstance(smaller, TraceError)
    constants = smaller.constants if isinstance(smaller, Trace) else {}
    mine, others = comparable(walk.trace.nodes), comparable(smaller.nodes)
    if failed and others and others[-1].meta.get("val") is None:
        others.pop()  # the call that failed
    if failed:
        others = _as_finished(mine, others)
    for index, (node, other) in enumerate(zip(mine, others, strict=False)):
        op = op_of(node)
        reason = None
        wanted = [left_of(value, gone)[1] for value in each(walk.values.get(node))]
        found = _shapes(other)
        if op != op_of(other):
            reason = OTHER_WAY
        elif node not in walk.alive:  # it runs, and nothing comes of it
            continue
        elif wanted and wanted != found:
            reason = FIXED
        elif op == "slice" and not _same_slice(walk, node, other, gone):
            reason = "the code there cuts at a fixed place"
        elif not (
            _same_numbers(node, other)
            and _same_groups(node, other)
            and _same_constants(walk.trace.constants, constants, node, other)
        ):
            reason = COUNTS
        if reason in (OTHER_WAY, FIXED) and walk.trace.draws:
            reason = DRAWN
        if reason is not None:
            return Problem(line_of(node), op, reason, (*number, index), node, walk)
    if isinstance(smaller, TraceError) and mine:
        index = min(len(others), len(mine) - 1)
        line, stop = line_of(mine[index]), smaller.stop
        if stop is not None and (stop.raised or line != smaller.lines[-1]):
            return Problem(stop.line, "", CHECKED, (*number, index), mine[index], walk, stop)
        reason = DRAWN if walk.trace.draws else FIXED
        return Problem(line, op_of(mine[index]), reason, (*number, index), mine[index], walk)
    if len(mine) != len(others):
        index = min(len(mine), len(others)) - 1
        return Problem(line_of(mine[index]), op_of(mine[index]), OTHER_WAY, (*number, index), mine[index], walk)
    return None


def comparable(nodes: Sequence[Node]) -> list[Node]:
    """The calls of a graph that another one has, too, whoever wrote it down: not those that pick one of several
    results, nor what writes buffers back at the end."""
    found = [node for node in nodes if is_real(node) and op_of(node) != "getitem"]
    while (
        found and op_of(found[-1]) == "copy_" and isinstance(to := found[-1].args[0], Node) and to.op == "placeholder"
    ):
        found.pop()
    return found


def _as_finished(mine: list[Node], others: list[Node]) -> list[Node]:
    """The calls of a trace that failed, without those that a finished one would have left out since nothing used them:
    where it has another call than `mine`, of which nothing has come by then."""
    known, used = set(others), set[Node]()
    for node in reversed(others):
        if any(user in used or user not in known for user in node.users):
            used.add(node)
    kept: list[Node] = []
    for node in others:
        same = len(kept) < len(mine) and op_of(mine[len(kept)]) == op_of(node)
        if same or node in used:
            kept.append(node)
    return kept


def _same_constants(mine: dict[str, Tensor], others: dict[str, Tensor], node: Node, other: Node) -> bool:
    """Whether constants that the code makes of numbers, as `torch.tensor(x.shape[1])`, are what they were."""
    for source, twin in zip(node.all_input_nodes, other.all_input_nodes, strict=False):
        first, second = mine.get(source.name), others.get(twin.name)
        if first is not None and second is not None and first.shape == second.shape and not torch.equal(first, second):
            return False
    return True


def _same_slice(walk: Walk, node: Node, other: Node, gone: Tensor) -> bool:
    value = walk.values.get(argument(node, 0))
    dim = int(argument(node, 1, 0))
    if not isinstance(value, Value):
        return True
    dim %= len(value.shape)
    starts = [argument(n, 2) or 0 for n in (node, other)]
    stay = left_of(value, gone)[0][dim]
    if not all(isinstance(start, int) for start in starts) or bool(stay.all()):
        return True
    first, second = starts
    wanted = int(stay[:first].sum()) if first >= 0 else -int(stay[first:].sum())
    return second in (wanted, wanted + int(stay.sum()), wanted - int(stay.sum()))


def same_calls(first: Trace, second: Trace) -> bool:
    """Whether two graphs of one network have the same calls with the same numbers and results."""
    mine, others = comparable(first.nodes), comparable(second.nodes)
    return len(mine) == len(others) and all(
        op_of(node) == op_of(other) and _numbers(node) == _numbers(other) and _shapes(node) == _shapes(other)
        for node, other in zip(mine, others, strict=True)
    )


def _shapes(node: Node) -> list[tuple[int, ...]]:
    value = node.meta.get("val")
    return [tuple(v.shape) for v in (value if isinstance(value, list | tuple) else [value]) if isinstance(v, Tensor)]


def _same_numbers(node: Node, other: Node) -> bool:
    """Whether the numbers in a call are the same, where they are no sizes."""
    return of(node).sizes or op_of(node) == "getitem" or _numbers(node) == _numbers(other)


def _same_groups(node: Node, other: Node) -> bool:
    """Whether a normalisation takes as many groups of channels as it did, or each channel by itself as it did."""
    if op_of(node) != "group_norm":
        return True
    first, second = (int(argument(call, 1)) for call in (node, other))
    channels = [shape_of(argument(call, 0))[1] for call in (node, other)]
    return first == second or (first, second) == tuple(channels)


def _numbers(node: Node) -> list[Any]:
    """All numbers among a call's arguments; not what is true or false, which counts nothing."""
    leaves = pytree.tree_leaves(by_name(node.target, node.args, node.kwargs))
    return [leaf for leaf in leaves if isinstance(leaf, int | float) and not isinstance(leaf, bool)]
