"""Code that checks a size and stops: which attribute it compares with, and which channels it concerns."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.base.held import is_near, number_at, numbers_of
from pruning.graph.labels import Value, varying
from pruning.graph.model_graph import Followed, ModelGraph
from pruning.graph.rules.call import Walk
from pruning.graph.trace import module_path
from pruning.removal.attributes import states_its_sizes
from pruning.removal.mismatch import Problem
from pruning.removal.mismatch import each as each_value

NEAR = 12
"""Calls before a check whose results it may have looked at."""
GUESSES = 8
"""Attributes that are tried for one check."""


def follows_tried(problem: Problem, graph: ModelGraph, modules: dict[str, nn.Module]) -> list[tuple[Followed, ...]]:
    """Attributes that may follow channels which the code looks at where it stops, or goes another way: those of just
    that number first. All modules of a class learn it at once."""
    paths = [problem.stop.module] if problem.stop is not None else _inside_out(problem)
    found = [way for path in paths for way in _follows(problem, graph, modules, path)]
    near, deep = ([each for each in found if is_near(each[1][0].place) == which] for which in (True, False))
    return [way for some in (near, deep) for _, way in sorted(some, key=lambda item: item[0])[:GUESSES]]


def _inside_out(problem: Problem) -> list[str]:
    """The modules that a call is in."""
    path = "" if problem.node is None else module_path(problem.node)
    return [*(path.rsplit(".", cut)[0] for cut in range(path.count(".") + 1)), ""] if path else [""]


def _follows(
    problem: Problem, graph: ModelGraph, modules: dict[str, nn.Module], path: str
) -> list[tuple[bool, tuple[Followed, ...]]]:
    """For one module, each with whether its number is only a part of the channels'."""
    module = modules.get(path)  # a shared one goes by the first of its paths
    numbers = [] if module is None or states_its_sizes(module) else numbers_of(module)
    ways: dict[tuple[Followed, ...], bool] = {}
    for vector in _vectors(problem, path) if numbers else ():
        key = _named(graph, vector, path)
        for name, place, number in numbers if key is not None else ():
            if number > 1 and len(vector) % number == 0:
                assert key is not None
                found = _alike(graph, modules, path, Followed(path, name, place, *key), number)
                if found[0] not in graph.lessons.follows:
                    ways.setdefault(found, number != len(vector))
    return [(part, way) for way, part in ways.items()]


def concerned(problem: Problem, graph: ModelGraph) -> list[str]:
    """Groups that a problem may be about, or all where nothing is known: for a check those near it, else those that
    reach a call in its module."""
    every = [group.name for group in graph.groups]
    if problem.walk is None or (problem.stop is None and problem.node is None):
        return every
    if problem.stop is not None:
        layers = _vectors(problem, problem.stop.module)
    else:
        inside = [node for node in problem.walk.trace.nodes if module_path(node) == problem.module]
        reached = dict.fromkeys(source for node in inside for source in (node, *node.all_input_nodes))
        values = (value for node in reached for value in each_value(problem.walk.values.get(node)))
        layers = [layer for value in values for layer in value.layers]
    units = {unit for layer in layers for unit in graph.component[layer].unique().tolist()}
    near = [group.name for group in graph.groups if not units.isdisjoint(group.components)]
    return near or every


def _vectors(problem: Problem, path: str) -> list[Tensor]:
    """Labels along the dimensions of what a check in a module may look at, nearest first."""
    assert problem.walk is not None
    found = []
    for node in _looked_at(problem.walk, path, problem.node):
        for value in each_value(problem.walk.values.get(node)):
            found += [vector for dim in range(len(value.shape)) for vector in _along(value, dim)]
    return found


def _looked_at(walk: Walk, module: str, node: Node | None) -> list[Node]:
    """The last results before a check, nearest first, and what the calls of its module take from outside."""
    calls = [each for each in walk.trace.nodes if each.op == "call_function"]
    inside = dict.fromkeys(each for each in calls if f"{module_path(each)}.".startswith(f"{module}.") and module)
    given = [source for each in inside for source in each.all_input_nodes if source not in inside]
    before = calls[: calls.index(node)][-NEAR:] if node in calls else []
    tensors = walk.trace.tensors
    return [each for each in dict.fromkeys((*reversed(before), *given)) if each.name not in tensors]


def _along(value: Value, dim: int) -> Iterator[Tensor]:
    layer = value.layer(dim)
    if layer is not None:
        for other in (d for d in varying(layer) if d != dim):
            layer = layer.narrow(other, 0, 1)
        yield layer.reshape(-1)


def _named(graph: ModelGraph, vector: Tensor, path: str) -> tuple[str, int] | None:
    """A dimension of a parameter or buffer with just these channels, one of the module's own first."""
    wanted = graph.component[vector]
    same = [
        key
        for key, own in graph.labels.own.items()
        if len(own) == len(vector) and torch.equal(graph.component[own], wanted)
    ]
    return next((key for key in same if key[0].startswith(f"{path}.")), same[0] if same else None)


def _alike(
    graph: ModelGraph, modules: dict[str, nn.Module], path: str, first: Followed, number: int
) -> tuple[Followed, ...]:
    """What follows in one module, and the same in others of its class that have such a tensor and number."""
    found = [first]
    if first.tensor.startswith(f"{path}.") and path:
        for other, module in modules.items():
            key = (other + first.tensor.removeprefix(path), first.dim)
            if other == path or type(module) is not type(modules[path]) or key not in graph.labels.own:
                continue
            value = number_at(module, first.attribute, first.place)
            before, now = len(graph.labels.own[first.tensor, first.dim]), len(graph.labels.own[key])
            if value is not None and value * before == number * now:
                found.append(Followed(other, first.attribute, first.place, *key))
    return tuple(found)
