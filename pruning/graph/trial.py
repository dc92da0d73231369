"""Sizes written into a model's code: found by removing a unit of every group and tracing what is left.

In an exported graph `x.view(-1, 400)` and a size computed from `x.shape` look the same. So the smaller model is
traced too, and its calls are compared with what the labels say should come out. Where they differ, first a number
kept in an attribute of the module is tried, then another way of cutting, and at last the line is locked.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.apply import shrink
from pruning.graph.inputs import Inputs
from pruning.graph.labels import Value, varying
from pruning.graph.model_graph import Lessons, ModelGraph, SizeRule, label_model, result_vector, trace_modes
from pruning.graph.refusals import check_inputs, check_model, check_outputs, check_time, explained
from pruning.graph.rules.call import Walk
from pruning.graph.rules.moves import RESHAPES
from pruning.graph.trace import Trace, TraceError, is_real, line_of, module_path, op_of, trace
from pruning.graph.trace import place as place_of
from pruning.plan import Plan
from pruning.shrinkage import shrinkage
from pruning.slim import prepared

SAFE = frozenset(
    "conv1d conv2d conv3d batch_norm instance_norm relu relu_ relu6 hardtanh hardtanh_ silu silu_ gelu sigmoid sigmoid_ "
    "hardswish hardswish_ hardsigmoid hardsigmoid_ leaky_relu leaky_relu_ elu tanh max_pool2d avg_pool2d "
    "adaptive_avg_pool2d mean flatten linear cat dropout dropout_ feature_dropout add add_ mul mul_ getitem softmax "
    "log_softmax max_pool2d_with_indices adaptive_max_pool2d upsample_bilinear2d upsample_nearest2d contiguous".split()
)
"""Calls that carry no size of their own, as long as a module of torch makes them or all their operands are tensors."""
SIZES = frozenset(
    "view reshape _unsafe_view expand repeat split split_with_sizes chunk slice narrow zeros ones full new_zeros new_full "
    "new_ones arange layer_norm group_norm rms_norm conv1d conv2d conv3d pad constant_pad_nd unflatten tile empty rand randn "
    "repeat_interleave pixel_shuffle conv_transpose1d conv_transpose2d conv_transpose3d affine_grid_generator".split()
)
"""Calls whose numbers are sizes: shapes tell whether they are right. Numbers in other calls must not change."""


def build_graph(
    model: nn.Module, example_inputs: Any, *, clock: dict[str, float] | None = None, limit_seconds: float = 300.0
) -> ModelGraph:
    """Trace a model and find its channel groups; the model is left as it was.

    `example_inputs`: a tensor, a tuple of arguments or a dict of keyword arguments, with a batch dimension first; or
    the shape of one sample, without the batch.
    `clock`: gets the seconds of 'trace' and of 'group' (labels and trials).

    Raises:
        InputError: the model cannot be traced, the inputs hold no tensor, or it takes more than `limit_seconds`.
    """
    check_model(model)
    inputs = Inputs.of(example_inputs, next((p.dtype for p in model.parameters()), torch.float32))
    check_inputs(inputs)
    started = time.perf_counter()
    with torch.no_grad():
        subject = prepared(model)
        try:
            traces, inputs = _traced(subject, inputs)
        except TraceError as error:
            raise explained(error, subject, inputs) from error
        check_outputs(traces[0])
        traced = time.perf_counter()
        graph = _grouped(subject, inputs, traces, started + limit_seconds, limit_seconds)
    if clock is not None:
        clock["trace"], clock["group"] = traced - started, time.perf_counter() - traced
    return graph


def _grouped(subject: nn.Module, inputs: Inputs, traces: list[Trace], deadline: float, limit: float) -> ModelGraph:
    lessons = _seen(subject, traces)
    modules = dict(subject.named_modules())
    graph = label_model(subject, inputs, traces, lessons)
    problem = _first_problem(subject, graph)
    trials = 0
    while problem is not None:
        for option in _options(problem, graph, modules):
            check_time(deadline, limit, trials)
            tried = _with(lessons, problem, option)
            again = label_model(subject, inputs, traces, tried)
            found = _first_problem(subject, again)
            trials += 1
            if found is None or found.place > problem.place:
                lessons, graph, problem = tried, again, found
                break
        else:
            check_time(deadline, limit, trials)
            lessons = _without(subject, graph, problem)
            graph = label_model(subject, inputs, traces, lessons)
            problem = _first_problem(subject, graph)
    return graph


def _traced(model: nn.Module, inputs: Inputs) -> tuple[list[Trace], Inputs]:
    if inputs.batch >= 2:
        return trace_modes(model, inputs), inputs
    pair = inputs.resized(2)
    try:
        return trace_modes(model, pair), pair
    except TraceError:  # a batch size written into the code
        return trace_modes(model, inputs), inputs


LAYERS = (nn.modules.conv._ConvNd, nn.Linear, nn.modules.batchnorm._NormBase)
"""Layers whose size attributes removal sets from their tensors."""
SPLITS = frozenset(("split", "split_with_sizes"))
SLICES = frozenset(("slice", "narrow"))
LITERAL = frozenset(("slice", "narrow", "pad", "constant_pad_nd"))


@dataclass(frozen=True)
class _Problem:
    """The first call of the smaller model that is not what the labels say."""

    line: str
    op: str
    reason: str
    place: tuple[int, int, int]
    """Number of the trial, of the walk, and of the call in it."""
    node: Node | None = None
    walk: Walk | None = None


@dataclass(frozen=True)
class _Option:
    """One way to deal with the calls of a line: numbers that follow, another way of cutting, or a lock."""

    key: tuple[str, str]
    """(source line, op)."""
    rules: tuple[SizeRule, ...] = ()
    apart: bool = False
    """The rules are for the parts of a split, one each."""
    turn: bool = False
    couple: bool = False
    """The channels must be as many as those that their layer read."""
    literal: bool = False
    """The call cuts or pads at numbers fixed in the code: only what they count stays."""


def _first_problem(model: nn.Module, graph: ModelGraph) -> _Problem | None:
    """What goes wrong when every group loses a unit, or when only some of the groups that meet a number in the code
    do: two groups must not follow the same number, nor one number two groups."""
    if not any(_suspect(graph, walk, model) for walk in graph.walks):
        return None
    for number, names in enumerate([[group.name for group in graph.groups], *_halves(graph)]):
        problem = _try(model, graph, names, number)
        if problem is not None:
            return problem
    return None


def _halves(graph: ModelGraph) -> list[list[str]]:
    """Sets of groups such that of two groups that touch calls with numbers of the same module one set has only one."""
    ruled = {rule.line for rule in graph.lessons.sizes} | {site.line for walk in graph.walks for site in walk.pads}
    if not ruled:
        return []
    places = {module_path(n) for walk in graph.walks for n in walk.trace.nodes if ruled and line_of(n) in ruled}
    owner = {unit: i for i, group in enumerate(graph.groups) for unit in group.components}
    meeting: dict[str, set[int]] = defaultdict(set)
    for walk in graph.walks:
        for node in walk.trace.nodes:
            if node.op == "call_function" and op_of(node) in SIZES and module_path(node) in places:
                for value in _each(walk.values.get(node)):
                    for layer in value.layers:
                        units = graph.component[layer].unique().tolist()
                        meeting[module_path(node)] |= {owner[unit] for unit in units if unit in owner}
    codes: dict[int, int] = {}
    for group in range(len(graph.groups)):
        others = {codes[o] for found in meeting.values() if group in found for o in found if o in codes}
        codes[group] = next(code for code in range(len(graph.groups)) if code not in others)
    bits = max(codes.values(), default=0).bit_length()
    return [[graph.groups[i].name for i, code in codes.items() if code >> bit & 1] for bit in range(bits)]


def _try(model: nn.Module, graph: ModelGraph, losing: list[str], trial: int) -> _Problem | None:
    kept = {group.name: tuple(range(group.units - 1)) for group in graph.groups if group.name in losing}
    plan = Plan(granularity="channel", kept=kept, layers=())
    gone = graph.removed(kept)
    small = shrink(model, shrinkage(graph, plan))
    for number, walk in enumerate(graph.walks):
        try:
            nodes, failed = trace(small, graph.inputs, training=number == 1).nodes, False
        except TraceError as error:
            nodes, failed = error.nodes, True
        problem = _compare(walk, nodes, gone, (trial, number), failed)
        if problem is not None:
            return problem
    return None


def _suspect(graph: ModelGraph, walk: Walk, model: nn.Module) -> bool:
    """Whether any call that channels reach might carry a size."""
    modules = dict(model.named_modules())
    reached = graph.removed({group.name: () for group in graph.groups})
    for node in walk.trace.nodes:
        if node.op != "call_function" or not any(_touched(walk, s, reached) for s in (node, *node.all_input_nodes)):
            continue
        op = op_of(node)
        if op not in SAFE:
            return True
        if op in ("add", "add_", "mul", "mul_") and any(not isinstance(argument, Node) for argument in node.args):
            return True
        if op.startswith("conv") and len(node.args) > 6 and node.args[6] != 1:
            stack = node.meta.get("nn_module_stack") or {}
            owner = str(next(reversed(stack.values()))[0]).partition("@")[0] if stack else ""
            if not isinstance(modules.get(owner), nn.modules.conv._ConvNd):
                return True
    return False


def _touched(walk: Walk, node: Node, gone: Tensor) -> bool:
    value = walk.values.get(node)
    return any(bool(gone[layer].any()) for v in _each(value) for layer in v.layers)


def _each(value: Any) -> list[Value]:
    if isinstance(value, Value):
        return [value]
    return [item for part in value for item in _each(part)] if isinstance(value, tuple) else []


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
OTHER_WAY = "the code takes another way when sizes change"


def _compare(
    walk: Walk, found_nodes: tuple[Node, ...], gone: Tensor, number: tuple[int, int], failed: bool
) -> _Problem | None:
    """The first call of the smaller model that is not as the labels say; where tracing it failed, at the latest the
    call at which it did."""
    mine = [node for node in walk.trace.nodes if is_real(node)]
    others = [node for node in found_nodes if is_real(node)]
    if failed and others and others[-1].meta.get("val") is None:
        others.pop()  # the call that failed
    for index, (node, other) in enumerate(zip(mine, others, strict=False)):
        op = op_of(node)
        reason = None
        wanted = [left_of(value, gone)[1] for value in _each(walk.values.get(node))]
        value = other.meta.get("val")
        found = [
            tuple(v.shape) for v in (value if isinstance(value, list | tuple) else [value]) if isinstance(v, Tensor)
        ]
        if op != op_of(other):
            reason = OTHER_WAY
        elif wanted and wanted != found:
            reason = FIXED
        elif op == "slice" and not _same_slice(walk, node, other, gone):
            reason = "the code there cuts at a fixed place"
        elif op not in SIZES and op != "getitem" and _numbers(node) != _numbers(other):
            reason = COUNTS
        if reason is not None:
            return _Problem(line_of(node), op, reason, (*number, index), node, walk)
    if failed and mine:
        index = min(len(others), len(mine) - 1)
        return _Problem(line_of(mine[index]), op_of(mine[index]), FIXED, (*number, index), mine[index], walk)
    if len(mine) != len(others):
        index = min(len(mine), len(others)) - 1
        return _Problem(line_of(mine[index]), op_of(mine[index]), OTHER_WAY, (*number, index), mine[index], walk)
    return None


def _same_slice(walk: Walk, node: Node, other: Node, gone: Tensor) -> bool:
    value = walk.values.get(node.args[0])  # type: ignore[call-overload]
    dim = int(node.args[1]) if len(node.args) > 1 else 0  # type: ignore[call-overload]
    if not isinstance(value, Value):
        return True
    dim %= len(value.shape)
    starts = [n.args[2] if len(n.args) > 2 and n.args[2] is not None else 0 for n in (node, other)]
    stay = left_of(value, gone)[0][dim]
    if not all(isinstance(start, int) for start in starts) or bool(stay.all()):
        return True
    first, second = (int(start) for start in starts)  # type: ignore[call-overload]
    wanted = int(stay[:first].sum()) if first >= 0 else -int(stay[first:].sum())
    return second in (wanted, wanted + int(stay.sum()), wanted - int(stay.sum()))


def _numbers(node: Node) -> list[Any]:
    found: list[Any] = []
    torch.fx.node.map_aggregate(
        (node.args, node.kwargs), lambda a: found.append(a) if isinstance(a, int | float) else None
    )
    return found


def _with(lessons: Lessons, problem: _Problem, option: _Option) -> Lessons:
    """What is known once a problem is dealt with in one way."""
    line = frozenset((option.key[0],))
    if option.couple:
        lessons = replace(lessons, coupled=lessons.coupled | {option.key})
    if option.rules:
        apart = lessons.apart | line if option.apart else lessons.apart
        return replace(lessons, sizes=(*lessons.sizes, *option.rules), apart=apart)
    if option.couple:
        return lessons
    if option.turn:
        return replace(lessons, turned=lessons.turned | line)
    if option.literal:
        sizes = tuple(rule for rule in lessons.sizes if rule.line not in line)
        return replace(lessons, literal=lessons.literal | line, apart=lessons.apart - line, sizes=sizes)
    return replace(lessons, locked={**lessons.locked, option.key: problem.reason})


def _without(model: nn.Module, graph: ModelGraph, problem: _Problem) -> Lessons:
    """Where nothing else helps: the groups stay that cannot lose a unit by themselves (or all, if any can)."""
    place = "" if problem.node is None else f"{place_of(problem.node)}: "
    stay = _failing(model, graph, [group.name for group in graph.groups])
    tensors = {name: (slot.tensor, slot.dim, slot.index.reshape(-1)) for name in stay
               for slot in graph.group(name).slots[:1]}  # fmt: skip
    return replace(graph.lessons, stays=(*graph.lessons.stays, *((*where, place + problem.reason) for where in tensors.values())))


def _failing(model: nn.Module, graph: ModelGraph, names: list[str]) -> list[str]:
    """The groups among these that cannot lose a unit, found by halving."""
    if _try(model, graph, names, 0) is None:
        return []
    if len(names) == 1:
        return names
    half = len(names) // 2
    found = [*_failing(model, graph, names[:half]), *_failing(model, graph, names[half:])]
    return found or names  # only together they fail


def _options(problem: _Problem, graph: ModelGraph, modules: dict[str, nn.Module]) -> list[_Option]:
    """Ways to deal with a problem, at the call where it showed and at calls with sizes that led there: numbers in
    attributes that might be the size used, those that equal it first; then other ways of cutting; at last locks."""
    if problem.node is None or problem.walk is None:
        return []
    rules: list[tuple[bool, int, _Option]] = []
    ways: list[_Option] = []
    locks: list[_Option] = []
    cut = {site.line for site in graph.labels.sites}
    for distance, node in enumerate(_culprits(problem)):
        key = (line_of(node), op_of(node))
        module = modules.get(module_path(node))
        numbers = [] if module is None or isinstance(module, LAYERS) else _numbers_of(module)
        values = _each(problem.walk.values.get(node))
        if key[1] in SPLITS and key[0] not in graph.lessons.apart:
            same = [n for n in problem.walk.trace.nodes if op_of(n) == key[1] and line_of(n) == key[0]]
            most = max(len(_each(problem.walk.values.get(n))) for n in same)
            ways += _parts(key, node, values, numbers, most)
        if key[1] in SLICES and key[0] not in graph.lessons.apart | graph.lessons.literal:
            ways += [_Option(key, rules=(rule,), apart=True) for rule in _border(node, numbers)]
        for dim, size in enumerate(values[0].shape if values else ()):
            if result_vector(problem.walk, node, dim) is None:
                continue
            for name, position, number in numbers:
                if number > 1 and (size % number == 0 or number % size == 0):
                    rule = SizeRule(line=key[0], op=key[1], dim=dim, attribute=name, position=position)
                    if rule not in graph.lessons.sizes:
                        rules.append((number != size, distance, _Option(key, rules=(rule,))))
        if key[0] in cut and key[0] not in graph.lessons.turned:
            ways.append(_Option(key, turn=True))
        if key[1] in RESHAPES and key not in graph.lessons.coupled:
            ways.append(_Option(key, couple=True))
        if key[1] in LITERAL and key[0] not in graph.lessons.literal:
            ways.append(_Option(key, literal=True))
        if key not in graph.lessons.locked:
            locks.append(_Option(key))
    rules.sort(key=lambda item: item[:2])
    chosen = dict.fromkeys(option for _, _, option in rules)
    couples = [replace(way, rules=option.rules) for way in ways if way.couple
               for option in (*list(chosen)[:2], _Option(way.key))]  # fmt: skip
    plain = [way for way in ways if not way.apart and not way.couple]
    return [*[way for way in ways if way.apart], *list(chosen)[:8], *plain, *couples, *locks]


def _seen(model: nn.Module, traces: list[Trace]) -> Lessons:
    """Slices that leave no common block, at a number which an attribute of the module has: taken to follow it."""
    modules = dict(model.named_modules())
    rules: dict[SizeRule, None] = {}
    for node in (node for traced in traces for node in traced.nodes):
        if node.op == "call_function" and op_of(node) in SLICES and module_path(node) in modules:
            source = node.args[0].meta["val"].shape  # type: ignore[union-attr]
            for rule in _border(node, _numbers_of(modules[module_path(node)])):
                if math.gcd(source[rule.dim], node.meta["val"].shape[rule.dim]) == 1:
                    rules[rule] = None
    return Lessons(sizes=tuple(rules), apart=frozenset(rule.line for rule in rules))


def _border(node: Node, numbers: list[tuple[str, int | None, int]]) -> list[SizeRule]:
    """Attributes that may say how many indices a slice takes, or leaves out."""
    dim = int(node.args[1]) if len(node.args) > 1 else 0  # type: ignore[call-overload]
    source, result = node.args[0].meta["val"].shape, node.meta["val"].shape  # type: ignore[union-attr]
    dim %= len(source)
    if dim == 0 or source[dim] == result[dim]:
        return []
    found = [(name, place) for name, place, number in numbers if number == result[dim]]
    return [SizeRule(line=line_of(node), op=op_of(node), dim=dim, attribute=name, position=place)
            for name, place in found[:1]]  # fmt: skip


def _parts(
    key: tuple[str, str], node: Node, values: list[Value], numbers: list[tuple[str, int | None, int]], most: int
) -> list[_Option]:
    """An attribute, or a place in one, for each part of a split; `most`: parts that any call of the line makes."""
    dim = int(node.args[2]) if len(node.args) > 2 else 0  # type: ignore[call-overload]
    sizes = [value.shape[dim] for value in values]
    for name in dict.fromkeys(name for name, position, _ in numbers if position is not None):
        if [number for other, position, number in numbers if other == name and position is not None] == sizes:
            rules = [SizeRule(line=key[0], op=key[1], dim=dim, attribute=name, position=i, part=i)
                     for i in range(most)]  # fmt: skip
            return [_Option(key, rules=tuple(rules), apart=True)]
    found = [next((n for n, position, number in numbers if position is None and number == size), None) for size in sizes]
    if None in found or not sizes:
        return []
    rules = [SizeRule(line=key[0], op=key[1], dim=dim, attribute=str(name), position=None, part=i)
             for i, name in enumerate(found)]  # fmt: skip
    return [_Option(key, rules=tuple(rules), apart=True)]


def _culprits(problem: _Problem) -> list[Node]:
    """Calls with sizes that may have caused what shows at a call: itself, and those before it, nearest first, up to
    the layers whose outputs are right. Where the code computes with a number of channels of which nothing is left
    at the call, the nearest calls before it that read channels."""
    start, walk = problem.node, problem.walk
    assert start is not None and walk is not None
    found: list[Node] = []
    todo, seen = [start], {start}
    while todo:
        now = todo.pop(0)
        op = op_of(now)
        if problem.reason == COUNTS:
            stop = any(value.layers for source in now.all_input_nodes for value in _each(walk.values.get(source)))
            take = stop and now.op == "call_function"
        else:
            contraction = op.startswith("conv") or op in ("linear", "matmul", "bmm", "einsum")
            stop = contraction and now is not start
            take = op in SIZES and not stop
        if take:
            found.append(now)
        if stop:
            continue
        for source in now.all_input_nodes:
            if source.op == "call_function" and source not in seen:
                seen.add(source)
                todo.append(source)
    return found[:6]


def _numbers_of(module: nn.Module) -> list[tuple[str, int | None, int]]:
    """Whole numbers among a module's attributes, also inside tuples and lists."""
    found: list[tuple[str, int | None, int]] = []
    for name, value in vars(module).items():
        if type(value) is int:
            found.append((name, None, value))
        elif isinstance(value, tuple | list):
            found += [(name, place, item) for place, item in enumerate(value) if type(item) is int]
    return found
