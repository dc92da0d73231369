"""Refit: layer by layer, the weights that are left are fitted to give what the dense network gives, without labels.

In the order of the network each layer whose input changed gets the weights with which what it now reads, in the network
refitted so far, comes closest to what the dense layer gives (He 2017, arXiv 1707.06168). Both networks are walked call
by call, side by side, on the same images; a call that nothing changed is carried out once for both. Where a layer ends
a residual block, and what it is added to is known, it makes up for what that has lost as well (He's multi-branch form).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.cut import Cut, narrowed
from pruning.calls.parts import Parts
from pruning.calls.program import Step, is_tensor
from pruning.calls.runner import Runner
from pruning.graph.trace import argument
from pruning.planning.plan import Plan, nothing
from pruning.repair.ridge import STRENGTHS, Fit, Sums, fit
from pruning.repair.rows import Window, at, drawn

MULTIPLICATIONS = 1.2e10
"""That the sums of one layer may take; a layer of more columns sees fewer rows."""
ROWS_A_COLUMN = 500
"""More of them change little."""
AT_ONCE = 8192
"""Rows whose products are taken in float32 before they are added up."""
HELD_BACK = 0.2
"""Share of the images by which strengths are chosen."""
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
    """Why it was left as it was, where it was."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Refit:
    """New values of what a plan leaves."""

    tensors: Mapping[str, Tensor]
    """Parameters and buffers by name, float32, of the smaller network's shapes."""
    layers: tuple[LayerFit, ...]
    """Those whose input changed, in the network's order."""
    images: int
    """That it rests on."""


def refit(
    parts: Parts,
    plan: Plan,
    batches: Sequence[Tensor],
    *,
    seed: int = 0,
    bias_alone: bool = False,
    go_on: Callable[[], None] = lambda: None,
) -> Refit:
    """Fit what a plan leaves of a network.

    `batches`: normalised images, float32, each N × C × H × W; the last ones are held back. `seed`: draws the places of
    rows. `bias_alone`: weights stay as they are, and each layer's mean output is made what it was (bias correction,
    Nagel 2019, arXiv 1906.04721): for few images. `go_on` is called before each call of the network, and may raise.
    """
    return _Walk(parts, plan, batches, seed, () if bias_alone else STRENGTHS).whole(go_on)


@dataclass
class _Side:
    """One of the two networks, as far as it was walked."""

    runner: Runner
    values: dict[Node, list[Tensor]] = field(default_factory=dict)

    def carry_out(self, step: Step) -> list[Tensor]:
        """The values of a step, batch by batch."""
        found = []
        for number in range(len(self.values[step.sources[0]])):
            given = {source: self.values[source][number] for source in step.sources}
            self.runner.images = len(given[step.sources[0]])
            found.append(self.runner(step, given, False))
        return found


class _Walk:
    def __init__(
        self, parts: Parts, plan: Plan, batches: Sequence[Tensor], seed: int, strengths: Sequence[float]
    ) -> None:
        self.parts, self.program, self.plan = parts, parts.program, plan
        self.batches, self.strengths = batches, strengths
        self.cut = Cut(parts.graph, plan, parts.tensors)
        self.dense = _Side(Runner(parts.program, Cut(parts.graph, nothing(), parts.tensors), torch.float32))
        self.small = _Side(Runner(parts.program, self.cut, torch.float32))
        self.generator = torch.Generator().manual_seed(seed)
        self.fitted: dict[str, Tensor] = {}
        self.layers: list[LayerFit] = []
        self.held = self._held_back()

    def _held_back(self) -> int:
        """How many of the last batches are held back."""
        total, held, count = sum(map(len, self.batches)), 0, 0
        for batch in reversed(self.batches[1:]):
            if count and held + len(batch) > HELD_BACK * total:
                break
            held, count = held + len(batch), count + 1
        return count

    @torch.inference_mode()
    def whole(self, go_on: Callable[[], None]) -> Refit:
        source, steps = self.program.source, self.program.steps
        images = [batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch
                  for batch in self.batches]  # fmt: skip
        self.dense.values[source] = self.small.values[source] = images
        last = {one: number for number, step in enumerate(steps) for one in step.sources}
        for number, step in enumerate(steps):
            go_on()
            if not step.sources:
                value = [self.dense.runner(step, {}, False)] * len(images)
                self.dense.values[step.node] = value
                self.small.values[step.node] = [self.small.runner(step, {}, False)] * len(images)
                continue
            found = self.dense.values[step.node] = self.dense.carry_out(step)
            if self.cut.key(step):
                self._fit(step)
                self.small.values[step.node] = self.small.carry_out(step)
            else:
                self.small.values[step.node] = [self._narrowed(step.node, value) for value in found]
            for one in step.sources:
                if last[one] == number:
                    for side in (self.dense, self.small):
                        side.values.pop(one, None)
        return Refit(tensors=self.fitted, layers=tuple(self.layers), images=sum(map(len, self.batches)))

    def _narrowed(self, node: Node, value: Tensor) -> Tensor:
        if not isinstance(value, Tensor):
            return value
        found = narrowed(value, (), self.cut.left(node))
        assert found is not None, "the dense value has all that is left"
        return found

    def _fit(self, step: Step) -> None:
        """New weights for a layer, where a step is one that can have them."""
        conv = step.conv or step.node
        kind = step.op.layer if step.conv is None else "plain convolution"
        if kind not in ("linear", "plain convolution"):
            return
        if any(argument(conv, place) in self.program.by_node for place in (1, 2)):
            return  # the network's code computes its weight
        name = self.parts.graph.trace.tensors[argument(conv, 1).name]
        if name in self.fitted:
            self.layers.append(LayerFit(layer=name, left="several calls share its weight"))
            return
        if kind == "linear":
            self._fit_linear(step, name)
        else:
            self._fit_convolution(step, conv, name)

    def _fit_linear(self, step: Step, name: str) -> None:
        source = argument(step.node, 0)
        weight = self.cut.tensor(name)
        rows = self._rows(weight.shape[1])
        sums: list[Sums | None] = [None, None]
        targets = self._targets(step)
        count = sum(x.numel() // x.shape[-1] for x in self.small.values[source])
        share = min(1.0, rows / count)
        for number, (x, y) in enumerate(zip(self.small.values[source], targets, strict=True)):
            x, y = x.flatten(0, -2), y.flatten(0, -2)
            if share < 1:
                chosen = torch.randperm(len(x), generator=self.generator)[: max(1, int(share * len(x)))]
                x, y = x[chosen], y[chosen]
            self._add(sums, number, x, y)
        self._put(step, name, weight, sums, weight.shape)

    def _fit_convolution(self, step: Step, conv: Node, name: str) -> None:
        source, weight = argument(conv, 0), self.cut.tensor(name)
        space = weight.dim() - 2
        settings = [argument(conv, place, default) for place, default in ((3, 1), (4, 0), (5, 1))]
        stride, padding, dilation = (
            tuple(value * space if len(value) == 1 else value) if isinstance(value, list | tuple) else (value,) * space
            for value in settings
        )
        window = Window(kernel=tuple(weight.shape[2:]), stride=stride, padding=padding, dilation=dilation)
        targets = self._targets(step)
        given = self.small.values[source]
        groups = given[0].shape[1] // weight.shape[1]
        columns, out = weight[0].numel(), targets[0].shape[2:]
        places = math.prod(out)
        images = sum(map(len, given))
        each = max(1, min(places, math.ceil(self._rows(columns, groups) / images)))
        sums: list[list[Sums | None]] = [[None, None] for _ in range(groups)]
        for number, (x, y) in enumerate(zip(given, targets, strict=True)):
            most = max(1, AT_ONCE // each)
            for some, wanted in zip(x.split(most), y.split(most), strict=True):
                chosen = drawn(len(some), places, each, self.generator)
                rows, target = window.patches(some, chosen, out).flatten(1), at(wanted, chosen)
                for group, (a, b) in enumerate(zip(rows.chunk(groups, 1), target.chunk(groups, 1), strict=True)):
                    self._add(sums[group], number, a, b)
        if groups == 1:
            self._put(step, name, weight, sums[0], weight.shape)
        else:
            self._put_groups(step, name, weight, sums)

    def _rows(self, columns: int, groups: int = 1) -> int:
        return int(max(columns, min(MULTIPLICATIONS / (columns * columns * groups), ROWS_A_COLUMN * columns)))

    def _add(self, sums: list[Sums | None], number: int, x: Tensor, y: Tensor) -> None:
        """Rows of one batch to what is fitted, or to what is held back."""
        part = int(number >= len(self.batches) - self.held)
        for a, b in zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True):
            these, before = Sums.of(a, b), sums[part]
            sums[part] = these if before is None else before + these

    def _targets(self, step: Step) -> list[Tensor]:
        """What the layer of a step is to give, batch by batch, of the channels that are left; before the batch
        normalisation that may belong to the step."""
        wanted = [self._narrowed(step.node, value) for value in self.dense.values[step.node]]
        other = self._added_to(step)
        if other is not None:
            pairs = zip(self.dense.values[other], self.small.values[other], strict=True)
            lost = [self._narrowed(other, dense) - small for dense, small in pairs]
            wanted = [one + missing for one, missing in zip(wanted, lost, strict=True)]
        if step.conv is None:
            return wanted
        scale, shift = (part.view(1, -1, *[1] * (wanted[0].dim() - 2)) for part in self._normalised(step))
        return [(one - shift) / scale for one in wanted]

    def _normalised(self, step: Step) -> tuple[Tensor, Tensor]:
        """Scale and shift of a batch normalisation, with no scale so near to 0 that it cannot be divided by."""
        scale, shift = self.small.runner._scale_and_shift(step.node)
        least = FAINT * float(scale.abs().max())
        return torch.where(scale.abs() < least, torch.full_like(scale, max(least, 1e-12)), scale), shift

    def _added_to(self, step: Step) -> Node | None:
        """What the result of a step is added to, where that is all that becomes of it and the other is known."""
        users = [user for user in step.node.users if user in self.program.by_node]
        if len(users) != 1 or self.program.by_node[users[0]].op.name.rstrip("_") != "add":
            return None
        sides = [side for side in users[0].args[:2] if is_tensor(side)]
        if len(sides) != 2 or users[0].kwargs or len(users[0].args) != 2:
            return None
        other = sides[1] if sides[0] is step.node else sides[0]
        known = self.small.values.get(other)  # type: ignore[arg-type]
        mine = self.dense.values[step.node][0].shape
        same = known is not None and self.dense.values[other][0].shape == mine  # type: ignore[index]
        return other if same and other is not step.node else None  # type: ignore[return-value]

    def _put_groups(self, step: Step, name: str, weight: Tensor, sums: list[list[Sums | None]]) -> None:
        """The same for a convolution in groups, each by itself."""
        found, intercepts, last = [], [], None
        mask = self.plan.masks.get(name)
        masks = [None] * len(sums) if mask is None else mask.flatten(1).chunk(len(sums))
        for part, kept, (fitted, held) in zip(weight.chunk(len(sums)), masks, sums, strict=True):
            if fitted is None or held is None:
                return self.layers.append(LayerFit(layer=name, left="too few images to hold some back"))
            last = fit(fitted, held, part.flatten(1), kept, self.strengths)
            found.append(last.weight)
            intercepts.append(last.intercept)
        assert last is not None and sums[0][0] is not None
        whole = Fit(weight=torch.cat(found), intercept=torch.cat(intercepts), strength=last.strength,
                    error=last.error, error_before=last.error_before)  # fmt: skip
        self._write(step, name, whole, weight.shape, sums[0][0].rows)

    def _put(self, step: Step, name: str, weight: Tensor, sums: list[Sums | None], shape: torch.Size) -> None:
        fitted, held = sums
        if fitted is None or held is None:
            return self.layers.append(LayerFit(layer=name, left="too few images to hold some back"))
        mask = self.plan.masks.get(name)
        found = fit(fitted, held, weight.flatten(1), None if mask is None else mask.flatten(1), self.strengths)
        self._write(step, name, found, shape, fitted.rows)

    def _write(self, step: Step, name: str, found: Fit, shape: torch.Size, rows: int) -> None:
        """New weights, and the intercept into the layer's bias, or the mean of the batch normalisation behind it."""
        conv = step.conv or step.node
        weight, intercept = found.weight.float().reshape(shape), found.intercept.float()
        new = {name: weight}
        bias = argument(conv, 2)
        if is_tensor(bias):
            new[self.parts.graph.trace.tensors[bias.name]] = intercept
        elif step.conv is not None:
            mean = self.parts.graph.trace.tensors[argument(step.node, 3).name]
            new[mean] = self.cut.tensor(mean) - intercept
        self.fitted |= new
        self.cut.put(new)
        self.layers.append(
            LayerFit(layer=name, rows=rows, strength=found.strength, error_before=found.error_before, error=found.error)
        )
