"""Refit: layer by layer, the weights that are left are fitted to give what the dense network gives, without labels.

In the order of the network each layer whose input changed gets the weights with which what it now reads, in the network
refitted so far, comes closest to what the dense layer gives (He 2017, arXiv 1707.06168). Where a layer ends a residual
block, and what it is added to is known, it makes up for what that has lost as well (He's multi-branch form).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.calls.cut import Cut
from pruning.calls.program import Step
from pruning.calls.runner import Runner
from pruning.planning.plan import Plan
from pruning.repair.layers import Layer, Unfit
from pruning.repair.reference import Reference, Sample
from pruning.repair.ridge import STRENGTHS, Sums, fit, mean_missing
from pruning.repair.walk import Batch, Walk

COLUMNS = 6144
"""Of the widest layer whose weights are fitted: sums and their solution grow with the square and the third power."""
HELD_BACK = 5
"""One batch of so many is held back: strengths are chosen by it."""
FAINT = 1e-3
"""A batch normalisation's scale, relative to its largest, below which a channel is left as it is: it says nothing."""


@dataclass(frozen=True, kw_only=True)
class LayerFit:
    """What became of one layer."""

    layer: str
    """Its weight's name."""
    rows: int = 0
    strength: float = 0.0
    error_before: float = math.nan
    error: float = math.nan
    """As of `pruning.repair.ridge.Fit`."""
    left: str | None = None
    """Why its weights were left as they were, where they were."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Refit:
    """New values of what a plan leaves."""

    tensors: Mapping[str, Tensor]
    """Parameters and buffers by name, float32, of the smaller network's shapes."""
    layers: tuple[LayerFit, ...]
    """Those whose input changed, in the network's order."""


def refit(
    reference: Reference,
    plan: Plan,
    *,
    held: Mapping[str, Tensor] | None = None,
    bias_alone: bool = False,
    go_on: Callable[[], None] = lambda: None,
) -> Refit:
    """Fit what a plan leaves of a network to its reference.

    `held`: masks (bool, of the smaller network's shapes) of what must stay zero, the plan's own where none are given.
    `bias_alone`: weights stay as they are, and each layer's mean output is made what it was (bias correction, Nagel
    2019, arXiv 1906.04721): for few images. `go_on` is called before each call of a batch, and may raise.
    """
    parts = reference.parts
    cut = Cut(parts.graph, plan, parts.tensors)
    walk = Walk(parts.program, Runner(parts.program, cut, torch.float32), reference.images)
    fitting = _Fitting(reference, walk, cut, plan.masks if held is None else held, () if bias_alone else STRENGTHS)
    walk.run(go_on, before=fitting.look)
    return Refit(tensors=fitting.fitted, layers=tuple(fitting.layers))


class _Fitting:
    def __init__(
        self, reference: Reference, walk: Walk, cut: Cut, masks: Mapping[str, Tensor], strengths: Sequence[float]
    ) -> None:
        self.reference, self.walk, self.cut = reference, walk, cut
        self.masks, self.strengths = masks, strengths
        self.fitted: dict[str, Tensor] = {}
        self.layers: list[LayerFit] = []

    def look(self, step: Step) -> None:
        """New weights for a layer whose input changed; other steps are passed over."""
        layer = self.reference.layers.get(step.node)
        if layer is None or not self.cut.key(step):
            return
        if isinstance(layer, Unfit):
            self._leave(layer.name, layer.why)
        else:
            self._fit(layer, self.reference.samples[step.node])

    def _leave(self, name: str, why: str) -> None:
        self.layers.append(LayerFit(layer=name, left=why))

    def _fit(self, layer: Layer, sample: Sample) -> None:
        weight = self.cut.tensor(layer.name)
        groups = layer.groups(weight, self.walk.batches[0].values[layer.source])
        if layer.transposed and weight.shape[0] % groups:
            return self._leave(layer.name, "its groups are of different sizes by now")
        before = layer.matrix(weight, groups)
        columns = before.shape[2]
        if columns > COLUMNS or not self.strengths:
            wide = f"each of its outputs has {columns:,} weights, too many to fit" if columns > COLUMNS else None
            if layer.intercept is not None:
                pairs = ((x, y) for _, x, y in self._rows(layer, sample, groups))
                self._write(layer, None, mean_missing(pairs, before).flatten())
            self.layers.append(LayerFit(layer=layer.name, left=wide))
            return
        sums: list[Sums | None] = [None, None]
        for batch, x, y in self._rows(layer, sample, groups):
            these, part = Sums.of(x, y), int(batch.number % HELD_BACK == 1)
            sums[part] = these if (earlier := sums[part]) is None else earlier + these
        fitted, held = sums
        if fitted is None or held is None:
            return self._leave(layer.name, "there are too few images to hold some back")
        mask = self.masks.get(layer.name)
        found = fit(
            fitted, held, before, None if mask is None else layer.matrix(mask, groups),
            strengths=self.strengths, intercept=layer.intercept is not None,
        )  # fmt: skip
        self._write(layer, layer.back(found.weight, weight), found.intercept.flatten())
        self.layers.append(
            LayerFit(layer=layer.name, rows=fitted.rows + held.rows, strength=found.strength,
                     error_before=found.error_before, error=found.error)
        )  # fmt: skip

    def _rows(self, layer: Layer, sample: Sample, groups: int) -> Iterator[tuple[Batch, Tensor, Tensor]]:
        """What the layer reads and what it is to give, groups × rows × columns or outputs, some at a time."""
        left = self.cut.left(layer.step.node)
        stay = left[layer.channel_dim(sample.shape)] if left else None
        for number, batch in enumerate(self.walk.batches):
            wanted = self._wanted(layer, sample, number, batch, stay)
            start = 0
            for x in layer.read(batch.values[layer.source], sample.places[number], sample.shape):
                y = wanted[start : start + len(x)]
                start += len(x)
                yield batch, *(part.unflatten(1, (groups, -1)).transpose(0, 1) for part in (x, y))

    def _wanted(self, layer: Layer, sample: Sample, number: int, batch: Batch, stay: Tensor | None) -> Tensor:
        """Rows of what the layer is to give, of the channels that are left; before the batch normalisation that may
        belong to its step."""

        def narrowed(rows: Tensor) -> Tensor:
            return rows if stay is None else rows.index_select(1, stay)

        wanted = narrowed(sample.given[number])
        if sample.other is not None:
            now = layer.given(batch.values[sample.other], sample.places[number])
            if now.shape == wanted.shape:
                wanted = wanted + narrowed(sample.beside[number]) - now
        if layer.step.conv is None:
            return wanted
        scale, shift = self.walk.runner.scale_and_shift(layer.step.node)
        least = max(FAINT * float(scale.abs().max()), 1e-12)
        return (wanted - shift) / torch.where(scale.abs() < least, torch.full_like(scale, least), scale)

    def _write(self, layer: Layer, weight: Tensor | None, intercept: Tensor) -> None:
        """Put new weights in, and the intercept where there is a place for it."""
        new = {} if weight is None else {layer.name: weight.float().contiguous()}
        place = layer.intercept
        if place is not None:
            new[place] = intercept.float() if layer.bias else self.cut.tensor(place) - intercept.float()
        self.fitted |= new
        self.cut.put(new)
