"""Labels on channels: which indices of which tensors must be removed together.

Every index of every dimension of every parameter has a label of its own. A value that flows through the network
carries labels in *layers*: a layer says, for the dimensions along which it varies, which label each index stands
for. Rules (`pruning.graph.rules`) join the labels that meet; the connected sets that remain are the removable units.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

RAW = 0
"""Label of what no layer makes: input data, constants. Never removed."""
MEETS_RAW = "meets values that no layer makes, such as the input itself or a constant"
RAW_REASON = f"it {MEETS_RAW}"


@dataclass(frozen=True, eq=False)
class Value:
    """What is known of a tensor: its shape, and its layers of labels.

    Each layer is an int64 tensor with as many dimensions as the value, of size 1 where it does not vary. Two layers
    never vary along the same dimension. An index is removed when its label is.
    """

    shape: tuple[int, ...]
    layers: tuple[Tensor, ...] = ()

    def layer(self, dim: int) -> Tensor | None:
        """The layer that varies along a dimension."""
        return next((layer for layer in self.layers if layer.shape[dim] > 1), None)


def raw(shape: Sequence[int]) -> Value:
    """A value without labels: none of its indices is ever removed."""
    return Value(tuple(shape))


def varying(layer: Tensor) -> tuple[int, ...]:
    """Dimensions along which a layer varies."""
    return tuple(dim for dim, size in enumerate(layer.shape) if size > 1)


def compact(full: Tensor) -> Tensor:
    """A layer from a full label tensor: dimensions in which nothing varies shrink to size 1."""
    data = full
    for dim in range(full.dim()):
        if data.shape[dim] > 1:
            first = data.narrow(dim, 0, 1)
            if data.stride(dim) == 0 or bool((data == first).all()):
                data = first
    return data


def along(vector: Tensor, dim: int, rank: int) -> Tensor:
    """A layer of `rank` dimensions that varies along `dim` as `vector` does."""
    return vector.reshape([-1 if d == dim else 1 for d in range(rank)])


@dataclass(frozen=True, eq=False)
class Site:
    """A layer along several dimensions, as a reshape makes it. What is left of the value must be a block again, so
    units are whole slabs along one of the dimensions; which one is decided when everything else is known."""

    layer: Tensor
    line: str
    """Source line that made it."""


@dataclass(frozen=True, eq=False)
class Attachment:
    """A vector that runs along one dimension of a layer of several: it goes with the units if they are slabs along
    that dimension, else it must stay whole."""

    layer: Tensor
    dim: int
    vector: Tensor
    reason: str


@dataclass
class Labels:
    """All labels of a model and what joins them."""

    count: int = 1
    own: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    """(parameter or buffer, dimension) → label of each index."""
    produced: list[Tensor] = field(default_factory=list)
    """Labels of what layers make: the output dimension of weights."""
    consumed: list[Tensor] = field(default_factory=list)
    """Labels of the input dimension of weights."""
    locks: list[tuple[Tensor, str]] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    pairs: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    turned: frozenset[str] = frozenset()
    """Source lines at which an undecided site takes its first dimension for the units, not its last."""
    literal: frozenset[str] = frozenset()
    """Source lines that cut or pad at numbers fixed in the code."""
    apart: frozenset[str] = frozenset()
    """Source lines that split at numbers each of which follows its part."""
    spread: frozenset[str] = frozenset()
    """Source lines that put channels among places: channels that differ by their place alone go together."""
    spreading: dict[str, None] = field(default_factory=dict)
    """Source lines that might be among these."""

    def fresh(self, count: int) -> Tensor:
        start = self.count
        self.count += count
        return torch.arange(start, start + count)

    def tensor(self, name: str, shape: Sequence[int]) -> Value:
        """The value of a parameter or buffer: a layer for each dimension."""
        layers = []
        for dim, size in enumerate(shape):
            if size > 1:
                if (name, dim) not in self.own:
                    self.own[name, dim] = self.fresh(size)
                layers.append(along(self.own[name, dim], dim, len(shape)))
        return Value(tuple(shape), tuple(layers))

    def join(self, first: Tensor, second: Tensor) -> None:
        """Labels at the same place (after broadcasting) are removed together."""
        a, b = torch.broadcast_tensors(first, second)
        left, right = a.reshape(-1).numpy(), b.reshape(-1).numpy()
        different = left != right
        if different.any():
            self.pairs.append((left[different], right[different]))

    def tie(self, layer: Tensor, dims: Iterable[int]) -> Tensor:
        """Join labels along some dimensions; the layer that is left does not vary along them."""
        left = layer
        for dim in dims:
            left = left.narrow(dim, 0, 1)
        self.join(layer, left)
        return left

    def slab(self, layer: Tensor, dim: int) -> Tensor:
        """The vector along `dim` of a layer, after labels along its other dimensions are joined."""
        return self.tie(layer, [d for d in varying(layer) if d != dim]).reshape(-1)

    def tie_blocks(self, layer: Tensor, dim: int, block: int) -> None:
        """Join the blocks of `block` indices each along a dimension, place by place, so that all lose as many."""
        moved = layer.movedim(dim, 0)
        blocks = moved.reshape(moved.shape[0] // block, block, *moved.shape[1:])
        self.join(blocks, blocks[:1])

    def tie_runs(self, layer: Tensor, dim: int, length: int) -> Tensor:
        """Join the labels within each run of `length` indices along a dimension; the layer with one label a run."""
        moved = layer.movedim(dim, 0)
        runs = moved.reshape(moved.shape[0] // length, length, *moved.shape[1:])
        self.join(runs, runs[:, :1])
        return runs[:, :1].expand_as(runs).reshape(moved.shape).movedim(0, dim)

    def lock(self, labels: Tensor, reason: str) -> None:
        self.locks.append((labels.reshape(-1), reason))

    def lock_value(self, value: Value, reason: str) -> None:
        for layer in value.layers:
            self.lock(layer, reason)

    def components(self) -> Tensor:
        """Number of the connected set that each label belongs to."""
        if not self.pairs:
            return torch.arange(self.count)
        left, right = (np.concatenate(side) for side in zip(*self.pairs, strict=True))
        self.pairs = [(left, right)]
        graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(self.count, self.count))
        return torch.from_numpy(connected_components(graph, directed=False)[1].astype(np.int64))

    def resolve(self) -> Tensor:
        """Decide every site, then give `components()`."""
        sites, attachments = list(self.sites), list(self.attachments)
        while True:
            component = self.components()
            undecided = [site for site in sites if _slab_dim(component[site.layer]) is None]
            decided = [a for a in attachments if _slab_dim(component[a.layer]) is not None]
            attachments = [a for a in attachments if _slab_dim(component[a.layer]) is None]
            for attachment in decided:
                dim = _slab_dim(component[attachment.layer])
                if dim == attachment.dim or not varying(component_layer(component, attachment.layer)):
                    self.join(self.slab(attachment.layer, attachment.dim), attachment.vector)
                else:
                    self.lock(attachment.vector, attachment.reason)
            if undecided:
                site = undecided[0]
                dims = varying(site.layer)
                self.slab(site.layer, dims[0] if site.line in self.turned else dims[-1])
            elif attachments and not decided:
                self.slab(attachments[0].layer, attachments[0].dim)
            elif not decided:
                return component
            sites = undecided


def component_layer(component: Tensor, layer: Tensor) -> Tensor:
    """The components of a layer, compact."""
    return compact(component[layer])


def _slab_dim(components: Tensor) -> int | None:
    """The dimension along which alone a layer of components varies; None where it varies along several."""
    dims = varying(compact(components))
    if len(dims) > 1:
        return None
    return dims[0] if dims else varying(components)[0] if varying(components) else 0


def common_block(size: int, boundaries: Iterable[int]) -> int:
    """Largest block length of which `size` and all boundaries are multiples."""
    return math.gcd(size, *boundaries)
