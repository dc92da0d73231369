"""Groups that cannot lose what a plan takes, though a try with other numbers found nothing: the code goes by numbers
of channels in a way of its own, as in `if x.shape[1] == 12`, or by what it keeps from call to call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, keeping_units
from pruning.removal.apply import named_tensors, shrink
from pruning.removal.compare import as_compared
from pruning.removal.drawn import draw_inputs
from pruning.removal.gains import exact_gains
from pruning.removal.mismatch import Problem
from pruning.removal.next_call import another_way
from pruning.removal.shrinkage import shrinkage
from pruning.removal.slim import prepared
from pruning.removal.trial import attempt, failing


def without_failing(model: nn.Module, graph: ModelGraph, plan: Plan) -> ModelGraph | None:
    """The graph with those groups locked whose channels the code cannot do without as the plan wants; None where
    there is no such group."""
    subject = prepared(model)
    losing = {name: kept for name, kept in plan.kept.items() if len(kept) < graph.group(name).units}

    def attempted(kept: Mapping[str, tuple[int, ...]]) -> Problem | None:
        return attempt(subject, graph, kept) or _at_the_next_call(model, graph, kept)

    found = failing(attempted, losing)
    if not found:
        return None
    held = tuple(replace(group, locked=found[group.name].words) for group in graph.groups if group.name in found)
    free = tuple(group for group in graph.groups if group.name not in found)
    return replace(graph, groups=free, locked=(*graph.locked, *held))


def _at_the_next_call(model: nn.Module, graph: ModelGraph, kept: Mapping[str, tuple[int, ...]]) -> Problem | None:
    plan = keeping_units(kept)
    what = shrinkage(graph, plan)
    small = as_compared(shrink(model, what), exact_gains(named_tensors(model), what))
    inputs = draw_inputs(model, graph.inputs, graph.trace.steps, 0)
    reason = another_way(model, small, graph, plan, inputs)
    return None if reason is None else Problem(line="", op="", reason=reason, place=(0, 0, 0))
