"""Which indices of which tensors a channel plan leaves: all that removal, costs and saved runs need to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """What removal does to a model, independent of its weights: enough to rebuild the smaller one."""

    kept: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    """Parameter or buffer → dimension → kept original indices, ascending; only what shrank."""
    pads: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Padding module → (dimension from the end, zero channels before, after)."""
    sizes: dict[tuple[str, str, int | None], tuple[int, int]] = field(default_factory=dict)
    """(module, attribute, place in a tuple) → the number there becomes so many of so many."""

    def then(self, later: Shrinkage) -> Shrinkage:
        """Both, one after the other: `later` counts in the already smaller model."""
        kept = {name: dict(dims) for name, dims in self.kept.items()}
        for name, dims in later.kept.items():
            for dim, index in dims.items():
                first = kept.setdefault(name, {}).get(dim)
                kept[name][dim] = index if first is None else [first[i] for i in index]
        sizes = dict(self.sizes)
        for place, (count, total) in later.sizes.items():
            sizes[place] = (count, sizes[place][1] if place in sizes else total)
        return Shrinkage(kept=kept, pads={**self.pads, **later.pads}, sizes=sizes)


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
        (site.module, site.attribute, site.position): (left(site.vector), len(site.vector))
        for site in graph.sizes
        if bool(gone[site.vector].any())
    }
    return Shrinkage(kept=kept, pads=pads, sizes=sizes)
