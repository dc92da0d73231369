"""Groups that cannot lose what a plan takes, though a try with other numbers found nothing: the code goes by numbers
of channels in a way of its own, as in `if x.shape[1] == 12`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.slim import prepared
from pruning.removal.trial import attempt, failing


def without_failing(model: nn.Module, graph: ModelGraph, plan: Plan) -> ModelGraph | None:
    """The graph with those groups locked whose channels the code cannot do without as the plan wants; None where
    there is no such group."""
    subject = prepared(model)
    losing = {name: kept for name, kept in plan.kept.items() if len(kept) < graph.group(name).units}
    problem = attempt(subject, graph, losing)
    if problem is None:
        return None

    def works(kept: Mapping[str, tuple[int, ...]]) -> bool:
        return attempt(subject, graph, kept) is None

    names = failing(works, losing)
    reason = f"{problem.where}: {problem.reason}"
    held = tuple(replace(group, locked=reason) for group in graph.groups if group.name in names)
    free = tuple(group for group in graph.groups if group.name not in names)
    return replace(graph, groups=free, locked=(*graph.locked, *held))
