"""What a plan leaves of every value and every tensor of a program."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.program import Step
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.reference import Masking

Left = tuple[Tensor | None, ...]
"""For each dimension the indices that stay, ascending; None where all do. Empty: all, in every dimension."""
Statistics = Mapping[Node, tuple[Tensor, Tensor]]
"""Batch normalisation → mean and variance of the channels that are left, float32."""


class Cut:
    """A plan, as the steps of a program see it. Parameters and buffers stay as they are: what is left is a copy."""

    def __init__(self, graph: ModelGraph, plan: Plan, tensors: Mapping[str, Tensor]) -> None:
        """`tensors`: all parameters and buffers of the dense network, float32."""
        self.graph, self.plan, self.tensors = graph, plan, tensors
        self._gone = graph.removed(plan.kept)
        self._masking = Masking(graph.walks[0], self._gone)
        self._left: dict[tuple[Node, int | None], Left] = {}
        self._kept: dict[str, Tensor] = {}
        self._put: set[str] = set()
        self._keys: dict[frozenset[str], tuple[object, ...]] = {}

    @cached_property
    def _state(self) -> dict[str, object]:
        """What stays of each group, or a digest of what stays of each tensor, where something goes."""
        whole = {group.name: group.units for group in self.graph.groups}
        kept = {name: units for name, units in self.plan.kept.items() if len(units) < whole[name]}
        masks = {name: mask for name, mask in self.plan.masks.items() if not bool(mask.all())}
        return {**kept, **{name: hashlib.blake2b(mask.numpy().tobytes()).digest() for name, mask in masks.items()}}

    def key(self, step: Step) -> tuple[object, ...]:
        """Two cuts with the same key have the same value here, but for channels that are cut out of it."""
        if step.computed_anew not in self._keys:
            names = sorted(step.computed_anew & self._state.keys())
            self._keys[step.computed_anew] = tuple((name, self._state[name]) for name in names)
        return self._keys[step.computed_anew]

    def left(self, node: Node, item: int | None = None) -> Left:
        """What is left of a value (of the item-th result of a call that gives several)."""
        if (node, item) not in self._left:
            found = () if not self.plan.kept else tuple(self._masking.left(node, item))
            self._left[node, item] = () if all(index is None for index in found) else found
        return self._left[node, item]

    def tensor(self, name: str) -> Tensor:
        """What is left of a parameter or buffer."""
        if name not in self._kept:
            tensor = self.tensors[name]
            for dim, stay in enumerate(self._stay(name)):
                if stay is not None:
                    tensor = tensor.index_select(dim, stay)
            self._kept[name] = self.whole(name) if tensor is self.tensors[name] else tensor
        return self._kept[name]

    def put(self, values: Mapping[str, Tensor]) -> None:
        """Have other values in place of what is left of some tensors."""
        self._kept |= values
        self._put |= values.keys()

    def whole(self, name: str) -> Tensor:
        """A parameter or buffer with its shape as it is, zero where single weights go."""
        tensor, mask = self.tensors[name], self.plan.masks.get(name)
        if name in self._put:
            return scattered(self._kept[name], self._stay(name), tensor.shape)
        return tensor if mask is None else tensor * mask

    def _stay(self, name: str) -> Left:
        """Of a parameter or buffer, as `left` of a value."""
        found: list[Tensor | None] = []
        for dim in range(self.tensors[name].dim()):
            own = self.graph.labels.own.get((name, dim))
            gone = None if own is None or not self.plan.kept else self._gone[own]
            found.append(None if gone is None or not bool(gone.any()) else (~gone).nonzero().reshape(-1))
        return () if all(index is None for index in found) else tuple(found)


def narrowed(value: Tensor, have: Left, want: Left) -> Tensor | None:
    """Of a value that has the indices `have` those in `want`; None where some are missing."""
    if have is want:
        return value
    for dim in range(value.dim()):
        there = have[dim] if have else None
        wanted = want[dim] if want else None
        if there is None and wanted is None:
            continue
        if wanted is None:  # all, of which some are missing
            return None
        if there is None:
            value = value.index_select(dim, wanted)
        elif not (len(there) == len(wanted) and bool((there == wanted).all())):
            places = torch.searchsorted(there, wanted).clamp_(max=len(there) - 1)
            if not bool((there[places] == wanted).all()):
                return None
            value = value.index_select(dim, places)
    return value


def scattered(value: Tensor, have: Left, shape: tuple[int, ...]) -> Tensor:
    """A value in its full shape, zeros where it is cut; dimensions without a cut keep their size."""
    if not have:
        return value
    sizes = [shape[dim] if index is not None else value.shape[dim] for dim, index in enumerate(have)]
    full = value.new_zeros(sizes)
    places = [torch.arange(size) if have[dim] is None else have[dim] for dim, size in enumerate(value.shape)]
    full[torch.meshgrid(*places, indexing="ij")] = value  # type: ignore[arg-type]
    return full
