"""A network as a list of calls, with what each call's result depends on: the ground for computing only what changed.

Names: a *value* is the result of a call. What a plan removes is cut out of every value, so a value is that of the
smaller network. Of a group's units that are cut out of a value, two things can be true: other channels of the value
do not depend on them (the value is the dense one without some channels), or they do, because a layer has read them.
Only in the second case the value must be computed anew when the group changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Value
from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import Op, of
from pruning.graph.trace import argument, place, shape_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One call, or a convolution with the batch normalisation of its result."""

    node: Node
    """Whose result it gives."""
    op: Op
    conv: Node | None
    """The convolution, where `node` is the batch normalisation of its result."""
    sources: tuple[Node, ...]
    """Values it reads that depend on the images."""
    tensors: tuple[str, ...]
    """Parameters and buffers it reads."""
    computed_anew: frozenset[str]
    """Groups (weight pruning: parameters) whose change asks for computing it again."""
    macs: int
    """Of one image; other calls than layers count one for each number they make."""
    numbers: int
    """That its result holds for one image, dense."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """All calls from the images to the output."""

    steps: tuple[Step, ...]
    by_node: dict[Node, Step]
    source: Node
    """The images."""
    output: Node
    batch: int
    """Images in the traced call: sizes written into it count on so many."""
    norms: tuple[Step, ...]
    """Batch normalisations with statistics of their own."""

    @property
    def largest(self) -> int:
        """Numbers in the largest value of one image."""
        return max(step.numbers for step in self.steps)

    def needed(self, goals: Iterable[Node], known: Callable[[Node], bool]) -> list[Step]:
        """Steps to run, in order, for the values of `goals`, of which those that are `known` are not computed."""
        found: set[Node] = set()
        todo = [goal for goal in goals if not known(goal)]
        while todo:
            node = todo.pop()
            if node not in found and node in self.by_node:
                found.add(node)
                todo += [source for source in self.by_node[node].sources if source not in found and not known(source)]
        return [step for step in self.steps if step.node in found]


def make_program(graph: ModelGraph) -> Program:
    """The program of a traced network in eval mode.

    Raises:
        LookupError: it takes several inputs, gives several outputs, or has a call that cannot be run on another number
            of images; says which.
    """
    walk, trace = graph.walks[0], graph.trace
    images = [
        node
        for node in trace.nodes
        if node.op == "placeholder"
        and node.name not in trace.tensors
        and node.name not in trace.constants
        and isinstance(node.meta.get("val"), Tensor)
    ]
    output = trace.nodes[-1].all_input_nodes
    if len(images) != 1 or len(output) != 1 or output[0].op != "call_function" or len(shape_of(output[0])) != 2:
        raise LookupError("it does not take one batch of images and give one row of outputs for each")
    alive = _alive(output[0])
    unchecked = next((node for node in trace.nodes if node in alive and of(node).unchecked), None)
    if unchecked is not None:
        raise LookupError(f"its {place(unchecked)} counts on the number of images it was traced with")
    groups = _groups_of_units(graph)
    anew: dict[Node, frozenset[str]] = {}
    steps: list[Step] = []
    merged = {node: _normalised(node, alive) for node in alive if of(node).name == "batch_norm"}
    inside = {conv for conv in merged.values() if conv is not None}
    for node in trace.nodes:
        if node not in alive or node.op != "call_function":
            continue
        reads = [n for n in node.all_input_nodes if n.op != "get_attr"]
        own = frozenset(trace.tensors[n.name] for n in reads if n.name in trace.tensors)
        mixed = groups_read(graph, walk.values, groups, node) if _mixes(graph, node) else frozenset()
        earlier = [anew.get(n, frozenset()) for n in reads]
        anew[node] = frozenset().union(own & graph.parameters, mixed, *earlier)
        if node in inside:
            continue
        conv = merged.get(node)
        calls = [node] if conv is None else [conv, node]
        nodes = [n for call in calls for n in call.all_input_nodes if n is not conv]
        steps.append(
            Step(
                node=node,
                op=of(node),
                conv=conv,
                sources=tuple(dict.fromkeys(n for n in nodes if n in alive and n.name not in trace.tensors)),
                tensors=tuple(dict.fromkeys(trace.tensors[n.name] for n in nodes if n.name in trace.tensors)),
                computed_anew=anew[node],
                macs=sum(_macs(call, trace.batch) for call in calls),
                numbers=_numbers(node) // trace.batch,
            )
        )
    return Program(
        steps=tuple(steps),
        by_node={step.node: step for step in steps},
        source=images[0],
        output=output[0],
        batch=trace.batch,
        norms=tuple(step for step in steps if step.op.name == "batch_norm" and is_tensor(argument(step.node, 3))),
    )


def is_tensor(value: Any) -> bool:
    """Whether an argument of a call is a value or a parameter."""
    return isinstance(value, Node)


def _alive(output: Node) -> set[Node]:
    todo, found = [output], set[Node]()
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += node.all_input_nodes
    return found


def _normalised(norm: Node, alive: set[Node]) -> Node | None:
    """The convolution whose result only this batch normalisation reads."""
    conv = argument(norm, 0)
    users = [user for user in conv.users if user in alive]
    return conv if of(conv).layer == "plain convolution" and users == [norm] and is_tensor(argument(norm, 3)) else None


def _mixes(graph: ModelGraph, node: Node) -> bool:
    """Whether one channel of a call's result depends on several channels of what it reads."""
    op = of(node)
    if op.layer == "plain convolution" and argument(node, 6, 1) > 1:
        weight = argument(node, 1)
        return not (shape_of(weight)[1] == 1 and shape_of(weight)[0] == shape_of(argument(node, 0))[1])
    return op.consumer or op.normalises or any(site.node is node for site in graph.walks[0].means)


def _groups_of_units(graph: ModelGraph) -> Tensor:
    """For each label the number of its group, −1 where it can never go."""
    number = torch.full((int(graph.component.max()) + 1,), -1)
    for i, group in enumerate(graph.groups):
        number[list(group.components)] = i
    return number[graph.component]


def groups_read(graph: ModelGraph, values: dict[Node, Any], groups: Tensor, node: Node) -> frozenset[str]:
    """Names of the groups whose units are among the channels that a call reads."""
    found: set[int] = set()
    for source in node.all_input_nodes:
        value = values.get(source)
        if isinstance(value, Value) and source in graph.walks[0].from_input:
            for layer in value.layers:
                found |= set(groups[layer].unique().tolist())
    return frozenset(graph.groups[i].name for i in found if i >= 0)


def _macs(node: Node, batch: int) -> int:
    numbers = _numbers(node) // batch
    if of(node).layer not in ("linear", "plain convolution"):
        return numbers
    weight = shape_of(argument(node, 1))
    return numbers * int(torch.Size(weight).numel() // weight[0])


def _numbers(node: Node) -> int:
    value = node.meta.get("val")
    if isinstance(value, list | tuple):
        return sum(item.numel() for item in value if isinstance(item, Tensor))
    return value.numel() if isinstance(value, Tensor) else 0
