"""What the dense network gives, at a sample of rows of each layer: what a refit is to come back to.

One walk gathers it, for all plans of a network: rows are at places that the seed and the layer fix.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fx import Node

from pruning.calls.cut import Cut
from pruning.calls.parts import Parts
from pruning.calls.passes import Images
from pruning.calls.program import Step
from pruning.calls.runner import Runner
from pruning.planning.plan import Plan, nothing
from pruning.repair.layers import Layer, Unfit, added_to, find_layers
from pruning.repair.walk import BYTES, Walk

MULTIPLICATIONS = 1.2e10
"""That the sums of one layer may take; a layer of more columns sees fewer rows."""
ROWS_A_COLUMN = 200
"""More of them change little."""
NUMBERS = 2**23
"""That are kept of what one layer gives."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Rows of one layer, batch by batch."""

    places: tuple[Tensor, ...]
    """As `Layer.draw` gives them."""
    given: tuple[Tensor, ...]
    """Rows × outputs: what its step gives."""
    other: Node | None
    """What that is added to, where it was known by then."""
    beside: tuple[Tensor, ...]
    """The same rows of it; empty where there is none."""
    shape: torch.Size
    """Of what its step gives for the first batch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """The dense side of a refit."""

    parts: Parts
    images: tuple[Images, ...]
    layers: dict[Node, Layer | Unfit]
    """By the node of their step."""
    samples: dict[Node, Sample]
    budget: int
    """Bytes that the values of a walk may take."""

    @property
    def bytes(self) -> int:
        """Memory that the samples take."""
        tensors = (one for some in self.samples.values() for one in (*some.places, *some.given, *some.beside))
        return sum(one.numel() * one.element_size() for one in tensors)


def make_reference(
    parts: Parts,
    images: Sequence[Images],
    plan: Plan | None = None,
    *,
    seed: int = 0,
    multiplications: float = MULTIPLICATIONS,
    budget: int = BYTES,
    go_on: Callable[[], None] = lambda: None,
) -> Reference:
    """Walk the dense network. `images`: batch by batch; as many are used at each layer as there is room for. `plan`:
    only layers that this one changes; None for all that some plan can change. `seed`: draws places.
    `multiplications`: that the sums of one layer may take. `budget`: bytes for values of images. `go_on`: before each
    call of a batch; may raise."""
    cut = Cut(parts.graph, plan or nothing(), parts.tensors)
    walk = Walk(
        parts.program,
        Runner(parts.program, Cut(parts.graph, nothing(), parts.tensors), torch.float32),
        images,
        budget=budget,
    )
    layers = find_layers(parts)
    samples: dict[Node, Sample] = {}

    def sample(step: Step) -> None:
        layer = layers.get(step.node)
        if isinstance(layer, Layer) and (step.computed_anew if plan is None else cut.key(step)):
            samples[step.node] = _sample(parts, walk, layer, multiplications, _generator(seed, layer))

    walk.run(go_on, after=sample)
    return Reference(parts=parts, images=tuple(images), layers=layers, samples=samples, budget=budget)


def _sample(parts: Parts, walk: Walk, layer: Layer, multiplications: float, generator: torch.Generator) -> Sample:
    node, weight = layer.step.node, parts.tensors[layer.name]
    first = walk.batches[0].values[node]
    groups = layer.groups(weight, walk.batches[0].values[layer.source])
    columns = layer.matrix(weight, groups).shape[2]
    rows = min(_rows(multiplications / groups, columns), NUMBERS / max(1, layer.outputs(first)))
    each = max(1, math.ceil(rows / sum(batch.count for batch in walk.batches)))
    other = added_to(parts.program, layer.step)
    if other is not None and not _alike(walk, node, other):
        other = None
    places = tuple(layer.draw(batch.values[node], each, generator) for batch in walk.batches)
    pairs = list(zip(walk.batches, places, strict=True))
    return Sample(
        places=places,
        given=tuple(layer.given(batch.values[node], where) for batch, where in pairs),
        other=other,
        beside=() if other is None else tuple(layer.given(batch.values[other], where) for batch, where in pairs),
        shape=first.shape,
    )


def _rows(multiplications: float, columns: int) -> float:
    """As many as products of columns with columns, or of rows with rows where those are fewer, may take."""
    return min(max(multiplications / columns**2, math.sqrt(multiplications / columns)), ROWS_A_COLUMN * columns)


def _alike(walk: Walk, node: Node, other: Node) -> bool:
    """Whether what is added is there by now, and of the same shape."""
    values = walk.batches[0].values
    return other in values and isinstance(values[other], Tensor) and values[other].shape == values[node].shape


def _generator(seed: int, layer: Layer) -> torch.Generator:
    """Of the places of one layer, whatever other layers are looked at."""
    return torch.Generator().manual_seed(zlib.crc32(layer.name.encode()) + (seed << 32))
