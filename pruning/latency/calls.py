"""The calls of layers in a traced network that can be timed alone, and how to make such a call at another width."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.fx import Node

from pruning.cost.table import CostTable
from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import of
from pruning.graph.rules import call as rules
from pruning.graph.rules.contractions import layer_name, parameter_behind
from pruning.graph.trace import shape_of
from pruning.latency.steps import Call


@dataclass(frozen=True, kw_only=True)
class LayerKind:
    """Everything that the time of a call depends on; calls of one kind are timed once."""

    target: Callable[..., object]
    """The call as the trace has it, such as torch.ops.aten.conv2d.default."""
    source: tuple[int, ...]
    """Shape of the dense input, for the whole batch."""
    channel: int
    """Dimension of the input that its channels run along."""
    weight: tuple[int, ...]
    bias: bool
    groups: int
    whole: bool
    """Whether channels go in whole groups, as of a depthwise convolution; else the same place goes in every group."""
    transposed: bool
    others: tuple[tuple[str, Any], ...]
    """The call's other arguments by name: stride, padding, ..."""
    shrinks: tuple[bool, bool]
    """Whether the first two dimensions of the weight can shrink."""

    @property
    def output(self) -> int:
        """Dimension of the weight that the output channels run along."""
        return 1 if self.transposed and not self.whole else 0

    @property
    def units(self) -> tuple[int, int]:
        """Lengths of the weight's first two dimensions are multiples of these."""
        return (self.weight[0] // self.groups if self.whole else self.groups if self.output == 0 else 1), 1

    def benches(self) -> Callable[[int, int], Callable[[], object]]:
        """A function that gives the call for so many rows and columns of the weight; random values, shared memory."""
        generator = torch.Generator().manual_seed(0)
        flat_source = torch.randn(math.prod(self.source), generator=generator)
        flat_weight = torch.randn(math.prod(self.weight), generator=generator) * 0.01

        def bench(rows: int, columns: int) -> Callable[[], object]:
            weight = (rows, columns, *self.weight[2:])
            groups = self.groups * rows // self.weight[0] if self.whole else self.groups
            if self.whole:
                reads = self.source[self.channel] * rows // self.weight[0]
            else:
                reads = rows if self.transposed else columns * groups
            source = tuple(reads if dim == self.channel else size for dim, size in enumerate(self.source))
            makes = columns * groups if self.transposed else rows
            arguments: dict[str, Any] = dict(self.others)
            if "groups" in arguments:
                arguments["groups"] = groups
            arguments["input"] = flat_source[: math.prod(source)].view(source)
            arguments["weight"] = flat_weight[: math.prod(weight)].view(weight)
            arguments["bias"] = flat_weight.new_zeros(makes) if self.bias else None
            return partial(self.target, **arguments)

        return bench


@dataclass(frozen=True, kw_only=True)
class TimedCall:
    """One call of a layer in the network."""

    layer: str
    tensor: str
    parts: tuple[int, int]
    elements: int
    """Values that the call makes, dense, for the whole batch."""
    kind: LayerKind

    def timed(self, grid: int) -> Call:
        """As `pruning.latency.steps` has it, with the place of its grid."""
        output = self.kind.output
        return Call(
            layer=self.layer,
            tensor=self.tensor,
            grid=grid,
            parts=self.parts,
            output=output,
            elements=self.elements // self.kind.weight[output],
        )


def timed_calls(graph: ModelGraph, table: CostTable, batch: int) -> list[TimedCall]:
    """Convolutions and linear layers in the order they run; what is left out counts as the rest of the network.

    Left out are products of activations, recurrent layers, and weights that are no plain part of a parameter.
    """
    shrinking = {tensor.name: tuple(bool(groups) for _, groups in tensor.dims) for tensor in table.tensors}
    calls = []
    for node in graph.trace.nodes:
        if of(node).layer is not None:
            found = _timed_call(graph, node, shrinking, batch)
            if found is not None:
                calls.append(found)
    return _with_joint_kinds(calls)


def _timed_call(graph: ModelGraph, node: Node, shrinking: dict[str, tuple[bool, ...]], batch: int) -> TimedCall | None:
    walk = graph.walks[0]
    arguments = dict(rules.Call(walk, node).arguments)
    source, weight, bias = (arguments.pop(name, None) for name in ("input", "weight", "bias"))
    tensor = parameter_behind(walk, weight)
    if tensor is None or tensor not in shrinking or not isinstance(source, Node):
        return None
    shape, whole_shape = shape_of(weight), graph.shapes[tensor]
    if shape[2:] != whole_shape[2:] or any(whole_shape[dim] % shape[dim] for dim in (0, 1)):
        return None
    groups = int(arguments.get("groups") or 1)
    transposed = bool(arguments.get("transposed")) or of(node).layer == "transposed convolution"
    per_group = (shape[0] // groups, shape[1])
    reads = shape_of(source)
    channel = len(reads) - 1 if of(node).layer == "linear" else len(reads) - len(shape) + 1
    resized = _for_batch(reads, channel, graph.trace.batch, batch)
    if resized is None or any(isinstance(value, Node) for value in arguments.values()):
        return None
    dense = shrinking[tensor]
    whole = groups > 1 and 1 in per_group
    return TimedCall(
        layer=layer_name(tensor),
        tensor=tensor,
        parts=(whole_shape[0] // shape[0], whole_shape[1] // shape[1]),
        elements=math.prod(shape_of(node)) * batch // graph.trace.batch,
        kind=LayerKind(
            target=node.target,  # type: ignore[arg-type]
            source=resized,
            channel=channel,
            weight=shape,
            bias=bias is not None,
            groups=groups,
            whole=whole,
            transposed=transposed,
            others=tuple((name, _hashable(value)) for name, value in sorted(arguments.items())),
            shrinks=(dense[0], dense[1] and not whole),
        ),
    )


def _for_batch(shape: tuple[int, ...], channel: int, traced: int, batch: int) -> tuple[int, ...] | None:
    """The shape for another batch size; None where no single dimension holds the batch."""
    for dim, size in enumerate(shape[:channel]):
        if size % traced == 0:
            return (*shape[:dim], size // traced * batch, *shape[dim + 1 :])
    return None


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _with_joint_kinds(calls: list[TimedCall]) -> list[TimedCall]:
    """Calls that differ only in which dimensions can shrink become one kind, in which all of these can."""
    joint: dict[LayerKind, tuple[bool, bool]] = {}
    for call in calls:
        plain = replace(call.kind, shrinks=(False, False))
        rows, columns = joint.get(plain, (False, False))
        joint[plain] = (rows or call.kind.shrinks[0], columns or call.kind.shrinks[1])
    return [
        replace(call, kind=replace(call.kind, shrinks=joint[replace(call.kind, shrinks=(False, False))]))
        for call in calls
    ]
