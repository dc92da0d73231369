"""Trials: units are taken out of some of the groups, and what is left is traced and compared with the labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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
    problem = attempt(model, graph, one_less(graph, [group.name for group in graph.groups]))
    if problem is not None:
        return problem
    trials = (attempt(model, graph, one_less(graph, names), number) for number, names in enumerate(_halves(graph), 1))
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


def attempt(model: nn.Module, graph: ModelGraph, kept: Mapping[str, tuple[int, ...]], trial: int = 0) -> Problem | None:
    """What goes wrong when only these units of some groups are kept."""
    check_time("trying what can be removed from it")
    gone = graph.removed(kept)
    recorded = [_can_be_recorded(model, graph, number) for number in range(len(graph.walks))]
    sizes_only = all(recorded) and not any(walk.trace.readings for walk in graph.walks)
    small = shrink(model, shrinkage(graph, keeping_units(kept)), values=not sizes_only)
    for number, walk in enumerate(graph.walks):
        smaller: Trace | TraceError
        try:
            smaller = trace(
                small,
                graph.inputs,
                training=number == 1,
                steps=walk.trace.steps,
                recorded=recorded[number],
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


def one_less(graph: ModelGraph, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """All units but the last of these groups."""
    return {name: tuple(range(graph.group(name).units - 1)) for name in names}


def failing(
    attempted: Callable[[Mapping[str, tuple[int, ...]]], Problem | None], kept: Mapping[str, tuple[int, ...]]
) -> dict[str, Problem]:
    """The groups of which it does not work to keep no more than these units, found by halving, each with what goes
    wrong."""
    problem = attempted(kept) if kept else None
    if problem is None:
        return {}
    names = list(kept)
    if len(names) == 1:
        return {names[0]: problem}
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    found: dict[str, Problem] = {}
    for half in halves:
        found |= failing(attempted, {name: kept[name] for name in half})
    return found or dict.fromkeys(names, problem)  # only together they fail
