"""Refit: layer by layer, the weights that are left are fitted to give what the dense network gives, without labels.

In the order of the network each layer whose input changed gets the weights with which what it now reads, in the network
refitted so far, comes closest to what the dense layer gives (He 2017, arXiv 1707.06168). Where a layer ends a residual
block, and what it is added to is known, it makes up for what that has lost as well (He's multi-branch form).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.cut import Cut
from pruning.calls.program import Step
from pruning.calls.runner import Runner
from pruning.planning.plan import Plan
from pruning.repair.dual import Dual
from pruning.repair.layers import Layer, Unfit, rectifier
from pruning.repair.reference import Reference, Sample
from pruning.repair.ridge import STRENGTHS, Factors, Fit, Sums, fit, mean_missing
from pruning.repair.walk import Batch, Walk

COLUMNS = 6144
"""Of the widest layer whose weights are fitted by sums over columns, which grow with their square."""
HELD_BACK = 5
"""One batch of so many is held back: strengths are chosen by it."""
ROUNDS = 2
"""Times that a layer before a rectifier is fitted anew, to targets that let go of what the rectifier hides."""
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
    keys: Mapping[Node, tuple[object, ...]]
    """Of each call: what decides its value, and which channels are left of it."""


def refit(
    reference: Reference,
    plan: Plan,
    *,
    held: Mapping[str, Tensor] | None = None,
    bias_alone: bool = False,
    earlier: Refit | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> Refit:
    """Fit what a plan leaves of a network to its reference.

    `held`: masks (bool, of the smaller network's shapes) of what must stay zero, the plan's own where none are given.
    `bias_alone`: weights stay as they are, and each layer's mean output is made what it was (bias correction, Nagel
    2019, arXiv 1906.04721): for few images. `earlier`: of another plan, with the same reference and arguments: what it
    found up to the first call at which the plans differ is taken over. `go_on` is called before each call of a batch,
    and may raise.
    """
    parts = reference.parts
    cut = Cut(parts.graph, plan, parts.tensors)
    walk = Walk(parts.program, Runner(parts.program, cut, torch.float32), reference.images, budget=reference.budget)
    masks, strengths = plan.masks if held is None else held, () if bias_alone else STRENGTHS
    fitting = _Fitting(reference, walk, cut, masks, strengths, earlier)
    walk.run(go_on, before=fitting.look)
    return Refit(tensors=fitting.fitted, layers=tuple(fitting.layers), keys=fitting.keys)


@dataclass(kw_only=True, eq=False)
class _Rows:
    """Some rows of one layer."""

    held: bool
    """Whether they are held back."""
    x: Tensor
    """groups × rows × columns: what it reads"""
    wanted: Tensor
    """groups × rows × outputs: what it is to give"""
    scale: Tensor
    """groups × 1 × outputs"""
    shift: Tensor
    """groups × 1 or rows × outputs: what its step gives, and what is added to that, is scale · y + shift."""
    aim: Tensor | None = None
    """What it is fitted to in place of `wanted`."""

    @property
    def target(self) -> Tensor:
        return self.wanted if self.aim is None else self.aim

    def relax(self, found: Fit, low: float, high: float) -> None:
        """Aim at what `found` gives wherever that and what is wanted lie beyond the same bound of a rectifier, which
        makes them the same (the idea of Zhang 2016, arXiv 1505.06798, section 3.2)."""
        now = torch.baddbmm(found.intercept.float().unsqueeze(1), self.x, found.weight.float().mT)
        one, other = (self.scale * y + self.shift for y in (self.wanted, now))
        same = ((one <= low) & (other <= low)) | ((one >= high) & (other >= high))
        self.aim = torch.where(same, now, self.wanted)


def _solver(
    rows: Sequence[_Rows], before: Tensor, mask: Tensor | None, intercept: bool
) -> Callable[[Sequence[float]], Fit]:
    """What fits weights (groups × outputs × columns) to what rows aim at, by a choice of strengths."""
    if _by_rows(before, sum(some.x.shape[1] for some in rows), mask):
        held = torch.cat([torch.full((some.x.shape[1],), some.held) for some in rows])
        dual = Dual(torch.cat([some.x[0] for some in rows]), held, before[0], intercept=intercept)
        return lambda strengths: dual.fit(torch.cat([some.target[0] for some in rows]), strengths)
    parts = [[some for some in rows if some.held == held] for held in (False, True)]
    sums = [reduce(operator.add, (Sums.of(some.x, some.wanted) for some in part)) for part in parts]
    factors = Factors()

    def fitted(strengths: Sequence[float]) -> Fit:
        some, others = (
            one if part[0].aim is None else one.aimed_at((row.x, row.target) for row in part)
            for one, part in zip(sums, parts, strict=True)
        )
        return fit(some, others, before, mask, strengths=strengths, intercept=intercept, factors=factors)

    return fitted


def _by_rows(before: Tensor, rows: int, mask: Tensor | None) -> bool:
    """Whether products of rows with rows are the smaller ones."""
    groups, _, columns = before.shape
    return groups == 1 and mask is None and rows < columns


class _Fitting:
    def __init__(
        self,
        reference: Reference,
        walk: Walk,
        cut: Cut,
        masks: Mapping[str, Tensor],
        strengths: Sequence[float],
        earlier: Refit | None,
    ) -> None:
        self.reference, self.walk, self.cut = reference, walk, cut
        self.masks, self.strengths = masks, strengths
        self.earlier = earlier
        """As long as nothing differs from it."""
        self.fitted: dict[str, Tensor] = {}
        self.layers: list[LayerFit] = []
        self.keys: dict[Node, tuple[object, ...]] = {}

    def look(self, step: Step) -> None:
        """New weights for a layer whose input changed; other steps are passed over."""
        key = self.cut.key(step)
        left = tuple(None if index is None else tuple(index.tolist()) for index in self.cut.left(step.node))
        self.keys[step.node] = (key, left)
        if self.earlier is not None and self.earlier.keys[step.node] != (key, left):
            self.earlier = None
        layer = self.reference.layers.get(step.node)
        if layer is None or not key:
            return
        if self.earlier is not None:
            self._take_over(layer, self.earlier)
        elif isinstance(layer, Unfit):
            self._leave(layer.name, layer.why)
        else:
            self._fit(layer, self.reference.samples[step.node])

    def _take_over(self, layer: Layer | Unfit, earlier: Refit) -> None:
        """What was found before."""
        places = () if isinstance(layer, Unfit) else (layer.name, layer.intercept)
        new = {name: earlier.tensors[name] for name in places if name is not None and name in earlier.tensors}
        self.layers += [found for found in earlier.layers if found.layer == layer.name]
        self.fitted |= new
        self.cut.put(new)

    def _leave(self, name: str, why: str) -> None:
        self.layers.append(LayerFit(layer=name, left=why))

    def _fit(self, layer: Layer, sample: Sample) -> None:
        weight = self.cut.tensor(layer.name)
        groups = layer.groups(weight, self.walk.batches[0].values[layer.source])
        if layer.transposed and weight.shape[0] % groups:
            return self._leave(layer.name, "its groups are of different sizes by now")
        before = layer.matrix(weight, groups)
        mask = self.masks.get(layer.name)
        kept = None if mask is None else layer.matrix(mask, groups)
        columns, count = before.shape[2], sum(len(given) for given in sample.given)
        wide = columns > COLUMNS and not _by_rows(before, count, kept)
        if wide or not self.strengths:
            why = f"each of its outputs has {columns:,} weights, too many to fit" if wide else None
            if layer.intercept is not None:
                pairs = ((some.x, some.wanted) for some in self._rows(layer, sample, groups))
                self._write(layer, None, mean_missing(pairs, before).flatten())
            self.layers.append(LayerFit(layer=layer.name, left=why))
            return
        rows = list(self._rows(layer, sample, groups))
        if len({some.held for some in rows}) < 2:
            return self._leave(layer.name, "there are too few images to hold some back")
        solve = _solver(rows, before, kept, layer.intercept is not None)
        found = solve(self.strengths)
        bounds = rectifier(self.walk.program, layer.step)
        for _ in range(ROUNDS if bounds is not None and found.strength else 0):
            assert bounds is not None
            for some in rows:
                some.relax(found, *bounds)
            again = solve((found.strength,))
            if not again.strength:
                break
            found = again
        self._write(layer, layer.back(found.weight, weight), found.intercept.flatten())
        self.layers.append(
            LayerFit(layer=layer.name, rows=count, strength=found.strength,
                     error_before=found.error_before, error=found.error)
        )  # fmt: skip

    def _rows(self, layer: Layer, sample: Sample, groups: int) -> Iterator[_Rows]:
        """What the layer reads and what it is to give, some rows at a time."""
        left = self.cut.left(layer.step.node)
        stay = left[layer.channel_dim(sample.shape)] if left else None
        outputs = sample.given[0].shape[1] if stay is None else len(stay)
        scale, shift = self._normalised(layer, outputs)

        def apart(part: Tensor) -> Tensor:
            """groups × rows × columns or outputs"""
            return part.unflatten(1, (groups, -1)).transpose(0, 1)

        for number, batch in enumerate(self.walk.batches):
            wanted, beside = self._wanted(layer, sample, number, batch, stay)
            start = 0
            for x in layer.read(batch.values[layer.source], sample.places[number], sample.shape):
                some = slice(start, start + len(x))
                start += len(x)
                yield _Rows(
                    held=batch.number % HELD_BACK == 1,
                    x=apart(x),
                    wanted=apart((wanted[some] - shift) / scale),
                    scale=apart(scale[None]),
                    shift=apart(shift[None] if beside is None else shift + beside[some]),
                )

    def _wanted(
        self, layer: Layer, sample: Sample, number: int, batch: Batch, stay: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Rows of what a step is to give, of the channels that are left; and of what that is added to, if anything."""

        def narrowed(rows: Tensor) -> Tensor:
            return rows if stay is None else rows.index_select(1, stay)

        wanted = narrowed(sample.given[number])
        if sample.other is None:
            return wanted, None
        now = layer.given(batch.values[sample.other], sample.places[number])
        if now.shape != wanted.shape:
            return wanted, None
        return wanted + narrowed(sample.beside[number]) - now, now

    def _normalised(self, layer: Layer, outputs: int) -> tuple[Tensor, Tensor]:
        """Scale and shift of the batch normalisation that belongs to the layer's step, with no scale so near to 0 that
        it cannot be divided by."""
        if layer.step.conv is None:
            return torch.ones(outputs), torch.zeros(outputs)
        scale, shift = self.walk.runner.scale_and_shift(layer.step.node)
        least = max(FAINT * float(scale.abs().max()), 1e-12)
        return torch.where(scale.abs() < least, torch.full_like(scale, least), scale), shift

    def _write(self, layer: Layer, weight: Tensor | None, intercept: Tensor) -> None:
        """Put new weights in, and the intercept where there is a place for it."""
        new = {} if weight is None else {layer.name: weight.float().contiguous()}
        place = layer.intercept
        if place is not None:
            new[place] = intercept.float() if layer.bias else self.cut.tensor(place) - intercept.float()
        self.fitted |= new
        self.cut.put(new)
