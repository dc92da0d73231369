"""Which indices of which tensors a channel plan leaves: all that removal, costs and saved runs need to know."""

from __future__ import annotations

from torch import Tensor

from pruning.catalog.shrinkage import Shrinkage
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan


def shrinkage(graph: ModelGraph, plan: Plan) -> Shrinkage:
    """Which indices of which tensors stay under a channel plan."""
    gone = graph.removed(plan.kept)
    if not bool(gone.any()):
        return Shrinkage()

    def left(vector: Tensor) -> int:
        return int((~gone[vector]).sum())

    kept: dict[str, dict[int, list[int]]] = {}
    for (name, dim), own in graph.labels.own.items():
        stay = ~gone[own]
        if name in graph.shapes and not bool(stay.all()):
            kept.setdefault(name, {})[dim] = stay.nonzero().reshape(-1).tolist()
    pads = {
        site.module: (site.dim, left(site.before), left(site.after))
        for site in graph.pads
        if bool(gone[site.before].any()) or bool(gone[site.after].any())
    }
    sizes = {
        (site.module, site.attribute, site.place): (left(site.vector), len(site.vector))
        for site in graph.sizes
        if bool(gone[site.vector].any()) and left(site.vector)  # 0: a whole head that goes makes the others no smaller
    }
    for statement in graph.statements:
        amounts = statement.left(gone)
        if amounts is not None:
            sizes[statement.module, statement.attribute, statement.place] = amounts
    gains = tuple(gain for gain in graph.gains if gain.direction in kept)
    return Shrinkage(kept=kept, pads=pads, sizes=sizes, gains=gains)
