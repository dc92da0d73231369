"""Costs as data: how parameters and MACs follow from how many units each channel group keeps, and nothing else.

The table is small and plain, so that a page can hand it to the browser and let costs follow a slider while it is
dragged. The whole arithmetic, for `kept` = the number of units that each group keeps:

    length of a dimension  = fixed + Σ kept[group] · positions          over the dimension's [group, positions] pairs
    size of a tensor       = product of the lengths of its dimensions
    parameters             = Σ size                                      over tensors with `parameter`
    MACs of a layer        = floor(size of its tensor · macs[0] / macs[1])
    MACs of a product      = floor(product of the lengths of its [tensor, dimension] pairs · macs[0] / macs[1])
    MACs of the network    = Σ layers + Σ products
    MACs of a group        = Σ MACs of its layers; a layer between two groups counts for both

Groups, tensors and layers refer to each other by their place in the lists. All numbers are whole, and every product
stays below 2**53 for networks of less than 10**15 MACs: JavaScript's numbers are exact there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from pruning.base.errors import InputError
from pruning.graph.model_graph import ModelGraph


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Parameters (not buffers), and MACs of one sample."""

    params: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class GroupEntry:
    """One channel group: what a slider controls."""

    name: str
    units: int
    layers: tuple[int, ...]
    """Layers whose weight shrinks with it, in network order: those that make its units, pass or read them."""
    producers: tuple[int, ...]
    """Those of them that make the units."""
    consumers: tuple[int, ...]
    """Those of them that read the units. A layer inside a residual sum may do both."""


@dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """One parameter, or a buffer that a layer's MACs depend on."""

    name: str
    dims: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    """Of each dimension: how many indices always stay, and (group, indices a unit of it has there) pairs."""
    parameter: bool


@dataclass(frozen=True, kw_only=True)
class LayerEntry:
    """One call of a convolution or linear layer."""

    name: str
    kind: str
    tensor: int
    macs: tuple[int, int]
    """MACs of one sample for each weight, as a fraction."""


@dataclass(frozen=True, kw_only=True)
class ProductEntry:
    """One product of two activations, as in attention."""

    name: str
    dims: tuple[tuple[int, int], ...]
    """(tensor, dimension) pairs whose lengths its MACs are proportional to."""
    macs: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """What parameters and MACs of one network depend on; see the top of this file for the arithmetic."""

    groups: tuple[GroupEntry, ...]
    tensors: tuple[TensorEntry, ...]
    layers: tuple[LayerEntry, ...]
    products: tuple[ProductEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """Lists, strings, whole numbers and booleans only; the same names as here."""
        return asdict(self)

    def shapes(self, kept: Mapping[str, int]) -> list[tuple[int, ...]]:
        """Shape of each of `tensors` when each group keeps so many units; a group that is not named keeps all.

        Raises:
            InputError: there is no such group, or it cannot keep so many.
        """
        units = {group.name: group.units for group in self.groups}
        for name, count in kept.items():
            if name not in units:
                raise InputError(f"This network has no channel group '{name}': its groups are {', '.join(units)}.")
            if not 1 <= count <= units[name]:
                raise InputError(f"Group {name} cannot keep {count} units: give a number from 1 to {units[name]}.")
        left = [kept.get(name, count) for name, count in units.items()]
        return [
            tuple(fixed + sum(left[group] * positions for group, positions in parts) for fixed, parts in tensor.dims)
            for tensor in self.tensors
        ]

    def count(self, kept: Mapping[str, int]) -> Counts:
        """Parameters and MACs when each group keeps so many units.

        Raises:
            InputError: as `shapes`.
        """
        shapes = self.shapes(kept)
        return Counts(
            params=sum(math.prod(s) for s, tensor in zip(shapes, self.tensors, strict=True) if tensor.parameter),
            macs=sum(self._layer_macs(shapes))
            + sum(_part(math.prod(shapes[t][d] for t, d in product.dims), product.macs) for product in self.products),
        )

    def layer_macs(self, kept: Mapping[str, int]) -> list[int]:
        """MACs of each of `layers`.

        Raises:
            InputError: as `shapes`.
        """
        return self._layer_macs(self.shapes(kept))

    def group_macs(self, kept: Mapping[str, int]) -> dict[str, int]:
        """MACs of the layers that each group's channels run through, by group.

        Raises:
            InputError: as `shapes`.
        """
        macs = self.layer_macs(kept)
        return {group.name: sum(macs[layer] for layer in group.layers) for group in self.groups}

    def _layer_macs(self, shapes: Sequence[tuple[int, ...]]) -> list[int]:
        return [_part(math.prod(shapes[layer.tensor]), layer.macs) for layer in self.layers]


def cost_table(graph: ModelGraph) -> CostTable:
    """The table of a network, from its channel groups and the calls of its layers."""
    parts: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for number, group in enumerate(graph.groups):
        for slot in group.slots:
            if slot.tensor in graph.shapes:  # a constant that the code makes has a slot, but is nobody's parameter
                parts.setdefault((slot.tensor, slot.dim), []).append((number, slot.index.shape[1]))
    used = {site.tensor for site in graph.contractions}
    used |= {name for product in graph.products for name, _ in product.scales}
    names = [name for name in graph.shapes if name in graph.parameters or name in used]
    place = {name: number for number, name in enumerate(names)}

    def dimension(name: str, dim: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        pairs = tuple(parts.get((name, dim), ()))
        shrinking = sum(graph.groups[group].units * positions for group, positions in pairs)
        return graph.shapes[name][dim] - shrinking, pairs

    return CostTable(
        groups=tuple(_group(graph, number) for number in range(len(graph.groups))),
        tensors=tuple(
            TensorEntry(
                name=name,
                dims=tuple(dimension(name, dim) for dim in range(len(graph.shapes[name]))),
                parameter=name in graph.parameters,
            )
            for name in names
        ),
        layers=tuple(
            LayerEntry(
                name=site.layer,
                kind=site.kind,
                tensor=place[site.tensor],
                macs=Fraction(site.macs_per_weight).as_integer_ratio(),
            )
            for site in graph.contractions
        ),
        products=tuple(
            ProductEntry(
                name=product.layer,
                dims=tuple((place[name], dim) for name, dim in product.scales),
                macs=Fraction(
                    product.macs, math.prod(graph.shapes[name][dim] for name, dim in product.scales)
                ).as_integer_ratio(),
            )
            for product in graph.products
        ),
    )


def _group(graph: ModelGraph, number: int) -> GroupEntry:
    group = graph.groups[number]

    def layers(*roles: str) -> tuple[int, ...]:
        tensors = {slot.tensor for slot in group.slots if slot.role in roles}
        return tuple(place for place, site in enumerate(graph.contractions) if site.tensor in tensors)

    return GroupEntry(
        name=group.name,
        units=group.units,
        layers=layers("producer", "consumer", "follower"),
        producers=layers("producer"),
        consumers=layers("consumer"),
    )


def _part(size: int, macs: tuple[int, int]) -> int:
    return size * macs[0] // macs[1]
