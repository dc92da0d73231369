"""Which layers a refit can fit, and how each is one matrix: rows of what it reads times that give what it gives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.parts import Parts
from pruning.calls.program import Program, Step, is_tensor
from pruning.graph.trace import argument
from pruning.repair.rows import Window, at, drawn

AT_ONCE = 8192
"""Rows that are made at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A call whose weight can be fitted."""

    step: Step
    call: Node
    """The layer's own call: a convolution may have its batch normalisation behind it in the step."""
    name: str
    """Of its weight."""
    bias: str | None
    """Name of its bias."""
    intercept: str | None
    """Where an intercept goes: its bias, or the mean of the batch normalisation behind it; None: there is no place."""
    window: Window | None
    """None of a linear layer."""
    transposed: bool

    @property
    def source(self) -> Node:
        """What it reads."""
        return argument(self.call, 0)

    def groups(self, weight: Tensor, read: Tensor) -> int:
        """In how many groups of channels it works, with this weight on what it reads."""
        if self.window is None:
            return 1
        if self.transposed:
            return int(argument(self.call, 6, 1))
        return read.shape[1] // weight.shape[1]

    def matrix(self, weight: Tensor, groups: int) -> Tensor:
        """A weight, or a mask of one, as groups × outputs × columns."""
        if self.window is None:
            return weight[None]
        if self.transposed:
            space = tuple(range(2, weight.dim()))
            return weight.flip(space).unflatten(0, (groups, -1)).transpose(1, 2).flatten(2)
        return weight.unflatten(0, (groups, -1)).flatten(2)

    def back(self, matrix: Tensor, like: Tensor) -> Tensor:
        """The inverse of `matrix`, for a weight of the shape of `like`."""
        if self.transposed:
            space = tuple(range(2, like.dim()))
            parts = matrix.unflatten(2, (-1, *like.shape[2:])).transpose(1, 2)
            return parts.flatten(0, 1).flip(space)
        return matrix.reshape(like.shape)

    def channel_dim(self, given: torch.Size) -> int:
        """Dimension of the channels in what it gives."""
        return len(given) - 1 if self.window is None else 1

    def outputs(self, given: Tensor) -> int:
        """How many channels it gives."""
        return int(given.shape[self.channel_dim(given.shape)])

    def positions(self, given: Tensor) -> int:
        """Of one image in what it gives; of a linear layer rows of the whole batch."""
        return math.prod(given.shape[2:]) if self.window is not None else given.numel() // given.shape[-1]

    def draw(self, given: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
        """Places of rows in a batch, at most `wanted` for each image: images × places, or of a linear layer rows."""
        if self.window is not None:
            return drawn(len(given), self.positions(given), wanted, generator)
        rows = self.positions(given)
        count = wanted * len(given)
        return torch.arange(rows) if count >= rows else torch.randperm(rows, generator=generator)[:count]

    def given(self, value: Tensor, places: Tensor) -> Tensor:
        """Rows of what it gives: rows × outputs."""
        return value.flatten(0, -2)[places] if self.window is None else at(value, places)

    def read(self, value: Tensor, places: Tensor, out: torch.Size) -> Iterator[Tensor]:
        """Rows of what it reads, rows × (all groups' columns), some at a time. `out`: shape of what it gives."""
        if self.window is None:
            yield from value.flatten(0, -2)[places].split(AT_ONCE)
            return
        most = max(1, AT_ONCE // max(1, places.shape[1]))
        for some, where in zip(value.split(most), places.split(most), strict=True):
            yield self.window.patches(some, where, out[2:]).flatten(1)


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A call that reads what a plan changes, and whose weight stays as it is."""

    name: str
    why: str


def find_layers(parts: Parts) -> dict[Node, Layer | Unfit]:
    """By the node of its step, what there is to fit in a network, and what of it is left alone."""
    trace, program = parts.graph.trace, parts.program
    readers = Counter(name for step in program.steps for name in step.tensors)
    found: dict[Node, Layer | Unfit] = {}
    for step in program.steps:
        call = step.conv or step.node
        kind = "plain convolution" if step.conv is not None else step.op.layer
        if kind is None and not (step.op.consumer and step.tensors):
            continue
        weight = argument(call, 1) if kind is not None else None
        name = trace.tensors.get(weight.name) if isinstance(weight, Node) else None
        if kind is None or kind == "either convolution":
            found[step.node] = Unfit(name=step.tensors[0], why=f"there is no refit for {step.op.name}")
        elif name is None:
            if step.tensors:
                found[step.node] = Unfit(name=step.tensors[0], why="the network's code computes its weight")
        elif readers[name] > 1:
            found[step.node] = Unfit(name=name, why="several calls share its weight")
        else:
            found[step.node] = _layer(parts, step, call, name, kind, readers)
    return found


def _layer(parts: Parts, step: Step, call: Node, name: str, kind: str, readers: Counter[str]) -> Layer | Unfit:
    names = parts.graph.trace.tensors
    bias = argument(call, 2)
    own = names.get(bias.name) if is_tensor(bias) else None
    if is_tensor(bias) and (own is None or readers[own] > 1):
        return Unfit(name=name, why="several calls share its bias" if own else "the network's code computes its bias")
    behind = names.get(argument(step.node, 3).name) if own is None and step.conv is not None else None
    transposed = kind == "transposed convolution"
    return Layer(
        step=step,
        call=call,
        name=name,
        bias=own,
        intercept=own or (behind if behind is not None and readers[behind] == 1 else None),
        window=None if kind == "linear" else Window.of(call, transposed),
        transposed=transposed,
    )


def added_to(program: Program, step: Step) -> Node | None:
    """What the result of a step is added to, where that sum is all that becomes of it."""
    node, users = step.node, _users(program, step.node)
    while len(users) == 1 and program.by_node[users[0]].op.dropout:
        node, users = users[0], _users(program, users[0])
    if len(users) != 1 or program.by_node[users[0]].op.name.rstrip("_") != "add":
        return None
    call = users[0]
    sides = [side for side in call.args[:2] if isinstance(side, Node)]
    if len(sides) != 2 or call.kwargs or len(call.args) != 2 or sides[0] is sides[1]:
        return None
    return sides[1] if sides[0] is node else sides[0]


def _users(program: Program, node: Node) -> list[Node]:
    return [user for user in node.users if user in program.by_node]


def rectifier(program: Program, step: Step) -> tuple[float, float] | None:
    """Bounds of the rectifier that is all that becomes of a step's result, or of the sum that it is part of: numbers
    beyond them come to the same; None where there is none."""
    node = step.node
    for _ in range(2):
        users = _users(program, node)
        if len(users) != 1:
            return None
        call, op = users[0], program.by_node[users[0]].op
        if op.cuts_off is not None:
            low, high = op.cuts_off
            return float(argument(call, 1, low)), float(argument(call, 2, high))
        if op.name.rstrip("_") != "add" or added_to(program, step) is None:
            return None
        node = call
    return None
