"""What can be done about a size in a model's code: a number that follows, another way of cutting, a lock."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import nn
from torch.fx import Node

from pruning.base.held import numbers_of
from pruning.graph.model_graph import Followed, Lessons, ModelGraph, SizeRule
from pruning.graph.ops import of
from pruning.graph.trace import Trace, argument, line_of, module_path, op_of
from pruning.removal.attributes import states_its_sizes
from pruning.removal.checks import follows_tried
from pruning.removal.followers import border, of_parts, several, single
from pruning.removal.made import sized_elsewhere
from pruning.removal.mismatch import COUNTS, OTHER_WAY, Problem, each


@dataclass(frozen=True)
class Remedy:
    """One way to deal with the calls of a line: numbers that follow, another way of cutting, or a lock."""

    key: tuple[str, str]
    """(source line, op)."""
    rules: tuple[SizeRule, ...] = ()
    apart: bool = False
    """The rules are for the parts of a split, one each."""
    turn: bool = False
    couple: bool = False
    """The channels must be as many as those that their layer read."""
    follows: tuple[Followed, ...] = ()
    """Numbers in attributes that follow tensors."""
    literal: bool = False
    """The call cuts or pads at numbers fixed in the code: only what they count stays."""

    @property
    def locks(self) -> bool:
        """Whether all that reaches the calls of the line stays."""
        return not (self.rules or self.turn or self.couple or self.follows or self.literal)


def learned(lessons: Lessons, problem: Problem, remedy: Remedy) -> Lessons:
    """What is known once a problem is dealt with in one way."""
    line = frozenset((remedy.key[0],))
    if remedy.follows:
        return replace(lessons, follows=(*lessons.follows, *remedy.follows))
    if remedy.couple:
        lessons = replace(lessons, coupled=lessons.coupled | {remedy.key})
    if remedy.turn:
        lessons = replace(lessons, turned=lessons.turned | line)
    if remedy.rules:
        apart = lessons.apart | line if remedy.apart else lessons.apart
        return replace(lessons, sizes=(*lessons.sizes, *remedy.rules), apart=apart)
    if remedy.couple or remedy.turn:
        return lessons
    if remedy.literal:
        sizes = tuple(rule for rule in lessons.sizes if rule.line not in line)
        return replace(lessons, literal=lessons.literal | line, apart=lessons.apart - line, sizes=sizes)
    return replace(lessons, locked={**lessons.locked, remedy.key: problem.reason})


def remedies(problem: Problem, graph: ModelGraph, modules: dict[str, nn.Module]) -> list[Remedy]:
    """Ways to deal with a problem, at the call where it showed and at calls with sizes that led there: numbers in
    attributes that might be the size used, those that equal it first; then other ways of cutting; at last locks."""
    if problem.node is None or problem.walk is None:
        return []
    ways = _ways(problem, graph, modules)
    if problem.stop is None and not problem.walk.trace.asks_sizes:
        return ways
    follows = [Remedy((problem.line, ""), follows=way) for way in follows_tried(problem, graph, modules)]
    mending = [way for way in ways if not way.locks]
    if problem.stop is None:
        locks = [way for way in ways if way.locks]
        return [*mending, *follows, *([] if problem.reason == OTHER_WAY else locks)]
    return [*follows, *(mending if module_path(problem.node) == problem.stop.module else [])]


def _ways(problem: Problem, graph: ModelGraph, modules: dict[str, nn.Module]) -> list[Remedy]:
    """The same for sizes that calls have."""
    assert problem.walk is not None
    walk, lessons = problem.walk, graph.lessons
    rules: list[tuple[bool, bool, int, Remedy]] = []
    ways: list[Remedy] = []
    others: list[Remedy] = []
    joint: list[Remedy] = []
    locks: list[Remedy] = []
    cut = {site.line for site in graph.labels.sites}
    for distance, node in enumerate(_culprits(problem)):
        key, op = (line_of(node), op_of(node)), of(node)
        module = modules.get(module_path(node))
        numbers = [] if module is None or states_its_sizes(module) else numbers_of(module)
        if op.cuts == "splits" and key[0] not in lessons.apart:
            same = [n for n in walk.trace.nodes if op_of(n) == key[1] and line_of(n) == key[0]]
            most = max(len(each(walk.values.get(n))) for n in same)
            parts = of_parts(node, each(walk.values.get(node)), numbers, most)
            ways += [Remedy(key, rules=parts, apart=True)] if parts else []
        if op.cuts == "slices" and key[0] not in lessons.apart | lessons.literal:
            ways += [Remedy(key, rules=(rule,), apart=True) for rule in border(node, numbers)]
        rules += [(deep, part, distance, Remedy(key, rules=(rule,)))
                  for deep, part, rule in single(walk, node, numbers) if rule not in lessons.sizes]  # fmt: skip
        others += [Remedy(key, follows=(found,)) for found in sized_elsewhere(walk, node, graph, modules)]
        joint += [Remedy(key, rules=found) for found in several(walk, node, numbers)]
        if key[0] in cut and key[0] not in lessons.turned:
            ways.append(Remedy(key, turn=True))
        if op.reshapes and key not in lessons.coupled:
            ways.append(Remedy(key, couple=True))
        if op.cuts in ("slices", "pads") and key[0] not in lessons.literal:
            ways.append(Remedy(key, literal=True))
        if key not in lessons.locked and not (module is not None and states_its_sizes(module)):
            locks.append(Remedy(key))
    rules.sort(key=lambda item: item[:3])
    near, deep = (list(dict.fromkeys(rule for far, *_, rule in rules if far == which))[:8] for which in (False, True))
    couples = [replace(way, rules=remedy.rules) for way in ways if way.couple
               for remedy in (*near[:2], Remedy(way.key))]  # fmt: skip
    plain = [way for way in ways if not way.apart and not way.couple]
    joint = joint[:8]
    turned = [replace(way, turn=True) for way in joint if Remedy(way.key, turn=True) in ways]
    return [*[way for way in ways if way.apart], *near, *deep, *others, *plain, *couples, *joint, *turned, *locks]


def first_lessons(model: nn.Module, traces: list[Trace]) -> Lessons:
    """Slices that leave no common block, at a number which an attribute of the module has: taken to follow it."""
    modules = dict(model.named_modules())
    rules: dict[SizeRule, None] = {}
    for node in (node for traced in traces for node in traced.nodes):
        if of(node).cuts == "slices" and module_path(node) in modules:
            source = argument(node, 0).meta["val"].shape
            for rule in border(node, numbers_of(modules[module_path(node)])):
                if math.gcd(source[rule.dim], node.meta["val"].shape[rule.dim]) == 1:
                    rules[rule] = None
    return Lessons(sizes=tuple(rules), apart=frozenset(rule.line for rule in rules))


def _culprits(problem: Problem) -> list[Node]:
    """Calls with sizes that may have caused what shows at a call: itself, and those before it, nearest first, up to
    the layers whose outputs are right. Where the code computes with a number of channels of which nothing is left
    at the call, the nearest calls before it that read channels."""
    start, walk = problem.node, problem.walk
    assert start is not None and walk is not None
    found: list[Node] = []
    todo, seen = [start], {start}
    while todo:
        now = todo.pop(0)
        if problem.reason == COUNTS:
            stop = any(value.layers for source in now.all_input_nodes for value in each(walk.values.get(source)))
            take = stop and now.op == "call_function"
        else:
            stop = of(now).ends_search and now is not start
            take = of(now).sizes and not stop
        if take:
            found.append(now)
        if stop:
            continue
        for source in now.all_input_nodes:
            if source.op == "call_function" and source not in seen:
                seen.add(source)
                todo.append(source)
    return found[:6]
