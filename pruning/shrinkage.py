"""Which indices of which tensors a channel plan leaves: all that removal, costs and saved runs need to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from pruning.graph.groups import ModelGraph
from pruning.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """What removal does to a model, independent of its weights: enough to rebuild the smaller one."""

    kept: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    """Parameter or buffer → dimension → kept original indices, ascending; only what shrank."""
    pads: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Padding module → (dimension from the end, zero channels before, after)."""

    def then(self, later: Shrinkage) -> Shrinkage:
        """Both, one after the other: `later` counts in the already smaller model."""
        kept = {name: dict(dims) for name, dims in self.kept.items()}
        for name, dims in later.kept.items():
            for dim, index in dims.items():
                first = kept.setdefault(name, {}).get(dim)
                kept[name][dim] = index if first is None else [first[i] for i in index]
        return Shrinkage(kept=kept, pads={**self.pads, **later.pads})


def shrinkage(graph: ModelGraph, plan: Plan) -> Shrinkage:
    """Which indices of which tensors stay under a channel plan."""
    gone: dict[str, dict[int, set[int]]] = {}
    pads = {module: list(amounts) for module, amounts in graph.pad_sites.items()}
    for group in graph.groups:
        removed = sorted(set(range(group.units)) - set(plan.kept.get(group.name, range(group.units))))
        if not removed:
            continue
        for slot in group.slots:
            gone.setdefault(slot.tensor, {}).setdefault(slot.dim, set()).update(
                slot.index[removed].reshape(-1).tolist()
            )
        for pad in group.pads:
            pads[pad.module][1] -= len(set(pad.before) & set(removed))
            pads[pad.module][2] -= len(set(pad.after) & set(removed))
    kept = {
        tensor: {dim: [i for i in range(graph.shapes[tensor][dim]) if i not in lost] for dim, lost in dims.items()}
        for tensor, dims in gone.items()
    }
    changed = {m: (a[0], a[1], a[2]) for m, a in pads.items() if tuple(a) != graph.pad_sites[m]}
    return Shrinkage(kept=kept, pads=changed)
