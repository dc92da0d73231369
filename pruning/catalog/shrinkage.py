"""How a network is smaller than the one it began as: enough to build the smaller one again, whatever its weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from pruning.base.held import Place


@dataclass(frozen=True, kw_only=True)
class Gain:
    """A weight of fixed norm, as `weight_norm` makes it: a direction, and the gain that is the norm of the weight."""

    direction: str
    gain: str
    dim: int
    """The weight has a norm for each index along it; -1: one norm of all."""


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """What removal does to a model, independent of its weights: enough to rebuild the smaller one."""

    kept: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    """Parameter or buffer → dimension → kept original indices, ascending; only what shrank."""
    pads: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Padding module → (dimension from the end, zero channels before, after)."""
    sizes: dict[tuple[str, str, Place], tuple[int, int]] = field(default_factory=dict)
    """(module, attribute, place in it) → the number there becomes so many of so many."""
    gains: tuple[Gain, ...] = ()
    """Weights of fixed norm whose direction shrank: their gain follows, so that what is left of them is what it was."""

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
        gains = tuple(dict.fromkeys((*self.gains, *later.gains)))
        return Shrinkage(kept=kept, pads={**self.pads, **later.pads}, sizes=sizes, gains=gains)
