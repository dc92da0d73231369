"""Trials: units are taken out of some of the groups, and what is left is traced and compared with the labels."""

from __future__ import annotations

from collections import defaultdict
from weakref import WeakKeyDictionary

from torch import nn

from pruning.base.time_limit import check_time
from pruning.graph.model_graph import ModelGraph
from pruning.graph.ops import of
from pruning.graph.trace import Trace, TraceError, line_of, module_path, trace
from pruning.planning.plan import keeping_units
from pruning.removal.apply import shrink
from pruning.removal.mismatch import Problem, compare, each, same_calls, suspicious
from pruning.removal.shrinkage import shrinkage


def first_problem(model: nn.Module, graph: ModelGraph) -> Problem | None:
    """What goes wrong when every group loses a unit, or when only some of the groups that meet a number in the code
    do: two groups must not follow the same number, nor one number two groups."""
    if not any(suspicious(graph, walk, model) for walk in graph.walks):
        return None
    problem = attempt(model, graph, [group.name for group in graph.groups], 0)
    if problem is not None:
        return problem
    trials = (attempt(model, graph, names, number) for number, names in enumerate(_halves(graph), 1))
    return next((problem for problem in trials if problem is not None), None)


def _halves(graph: ModelGraph) -> list[list[str]]:
    """Sets of groups such that of two groups that touch calls with sizes in the same module one set has only one."""
    settled = {site.module for site in graph.pads}
    pads = {site.line for walk in graph.walks for site in walk.pads if site.module not in settled}
    ruled = {rule.line for rule in graph.lessons.sizes} | pads - graph.lessons.literal
    calls = [node for walk in graph.walks for node in walk.trace.nodes if node.op == "call_function"]
    places = {module_path(node) for node in calls if line_of(node) in ruled or of(node).reshapes}
    owner = {unit: i for i, group in enumerate(graph.groups) for unit in group.components}
    meeting: dict[str, set[int]] = defaultdict(set)
    for walk in graph.walks:
        for node in walk.trace.nodes:
            if of(node).sizes and module_path(node) in places:
                for value in each(walk.values.get(node)):
                    for layer in value.layers:
                        units = graph.component[layer].unique().tolist()
                        meeting[module_path(node)] |= {owner[unit] for unit in units if unit in owner}
    codes: dict[int, int] = {}
    for group in range(len(graph.groups)):
        others = {codes[o] for found in meeting.values() if group in found for o in found if o in codes}
        codes[group] = next(code for code in range(len(graph.groups)) if code not in others)
    bits = max(codes.values(), default=0).bit_length()
    return [[graph.groups[i].name for i, code in codes.items() if code >> bit & 1] for bit in range(bits)]


def attempt(model: nn.Module, graph: ModelGraph, losing: list[str], trial: int) -> Problem | None:
    check_time("trying what can be removed from it")
    kept = {group.name: tuple(range(group.units - 1)) for group in graph.groups if group.name in losing}
    plan = keeping_units(kept)
    gone = graph.removed(kept)
    small = shrink(model, shrinkage(graph, plan))
    for number, walk in enumerate(graph.walks):
        smaller: Trace | TraceError
        try:
            smaller = trace(
                small,
                graph.inputs,
                training=number == 1,
                steps=walk.trace.steps,
                recorded=_can_be_recorded(model, graph, number),
                disposable=number == len(graph.walks) - 1,
            )
        except TraceError as error:
            smaller = error
        problem = compare(walk, smaller, gone, (trial, number))
        if problem is not None:
            return problem
    return None


_RECORDED: WeakKeyDictionary[Trace, bool] = WeakKeyDictionary()


def _can_be_recorded(model: nn.Module, graph: ModelGraph, number: int) -> bool:
    """Whether recording the model gives the calls that torch.export found, so that trials need no more than that."""
    known = graph.walks[number].trace
    if known not in _RECORDED:
        try:
            again = trace(model, graph.inputs, training=number == 1, steps=known.steps, recorded=True)
            _RECORDED[known] = same_calls(known, again)
        except TraceError:
            _RECORDED[known] = False
    return _RECORDED[known]


def failing(model: nn.Module, graph: ModelGraph, names: list[str]) -> dict[str, Problem]:
    """The groups among these that cannot lose a unit, found by halving, each with what goes wrong."""
    problem = attempt(model, graph, names, 0) if names else None
    if problem is None:
        return {}
    if len(names) == 1:
        return {names[0]: problem}
    half = len(names) // 2
    found = failing(model, graph, names[:half]) | failing(model, graph, names[half:])
    return found or dict.fromkeys(names, problem)  # only together they fail
