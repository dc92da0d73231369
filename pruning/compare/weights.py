"""A layer's weights and filter norms as cut and after fine-tuning, place by place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.base.words import percent
from pruning.compare.features import kept_channels, layer_site
from pruning.statistics.distributions import Histogram
from pruning.subject import Subject

Norm = Literal["l1", "l2"]
MOST_BINS = 61


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerChange:
    """One layer of a pruned network beside what pruning left of the dense one."""

    layer: str
    before: Tensor
    """float32, the shape of what is left: the dense network's weights as cut, zero where single weights went."""
    after: Tensor
    """float32, the same shape: the run's own weights."""
    held: Tensor
    """bool, the same shape: weights that were pruned one by one and stay zero."""
    dense: Tensor
    """float32, all filters of the dense layer over the inputs that are left."""
    channels: tuple[int, ...]
    """Original number of each filter that is left."""

    @property
    def stays(self) -> int:
        """Weights that are left."""
        return int((~self.held).sum())

    @property
    def empty(self) -> tuple[int, ...]:
        """Original numbers of the filters that are there, but all of whose weights are zero."""
        zero = (self.after.flatten(1) == 0).all(1).tolist()
        return tuple(channel for channel, nothing in zip(self.channels, zero, strict=True) if nothing)

    @property
    def moved(self) -> float:
        """How far fine-tuning moved what is left, relative to its norm as cut: ‖after − before‖ / ‖before‖."""
        return float((self.after - self.before).norm() / self.before.norm().clamp_min(1e-30))


def layer_change(dense: Subject, run: Subject, layer: str) -> LayerChange:
    """A layer of a run beside the dense network it began from.

    Raises:
        InputError: it began from another network, or there is no such layer.
    """
    if run.network.origin != dense.ref:
        raise InputError(f"{run.title} is no pruned {dense.title}: compare runs of the same network.")
    site = layer_site(run, layer)
    after = _tensor(run, site.tensor)
    kept = run.network.structure.kept.get(site.tensor, {})
    inputs = _tensor(dense, layer_site(dense, layer).tensor)
    for dim, index in kept.items():
        if dim != 0:
            inputs = inputs.index_select(dim, torch.tensor(index))
    channels = kept_channels(run, layer)
    before = inputs[list(channels)]
    assert before.shape == after.shape, layer
    held = (after == 0) if site.tensor in run.network.held_zero else torch.zeros_like(after, dtype=torch.bool)
    return LayerChange(
        layer=layer,
        before=before.masked_fill(held, 0.0),
        after=after,
        held=held,
        dense=inputs,
        channels=channels,
    )


def moved_words(change: LayerChange, *, continues: bool) -> str:
    """How far fine-tuning moved what is left; `continues`: the run went on from another run's network."""
    if not change.moved:
        return "No fine-tuning changed them: both are the same."
    since = " since the original network, in this run and those that it goes on from" if continues else ""
    return f"Fine-tuning changed them by {percent(change.moved, 0)} of their size{since} ●."


def listed(channels: Sequence[int], most: int = 8) -> str:
    """The numbers of filters in a sentence.

    >>> listed((3, 7)), listed(range(12), 3)
    ('3, 7', '0, 1, 2 and 9 more')
    """
    shown = ", ".join(map(str, channels[:most]))
    return f"{shown} and {len(channels) - most} more" if len(channels) > most else shown


def overlaid(change: LayerChange, bins: int | None = None) -> tuple[Histogram, Histogram]:
    """Histograms of the weights that are left, as cut and after fine-tuning, on common bins symmetric around zero.

    `bins`: by default an odd number, so that one is centred on zero, growing with the number of weights.
    """
    bins = bins or min(MOST_BINS, max(9, 2 * round(math.sqrt(change.stays) / 2) + 1))
    sides = [tensor[~change.held].double() for tensor in (change.before, change.after)]
    reach = max((float(side.abs().max()) for side in sides if side.numel()), default=0.0) or 1.0
    edges = torch.linspace(-reach, reach, bins + 1, dtype=torch.float64)
    held = int(change.held.sum())
    first, second = (
        Histogram(
            edges=tuple(edges.tolist()),
            counts=tuple(int(count) for count in torch.histogram(side, edges).hist.tolist()),
            log=False,
            left_out=held,
        )
        for side in sides
    )
    return first, second


@dataclass(frozen=True, kw_only=True)
class FilterNorms:
    """Norms of a layer's filters under their original numbers, over the inputs that are left."""

    norm: Norm
    before: tuple[float, ...]
    """Of every filter of the dense layer, single weights that went counted as zero."""
    after: tuple[float | None, ...]
    """After fine-tuning; None where the filter was removed."""


def filter_norms(change: LayerChange, norm: Norm = "l2") -> FilterNorms:
    """Norm of each filter as cut and after fine-tuning."""
    dense = change.dense.clone()
    dense[list(change.channels)] = change.before
    after: list[float | None] = [None] * len(dense)
    for channel, value in zip(change.channels, _norms(change.after, norm), strict=True):
        after[channel] = value
    return FilterNorms(norm=norm, before=tuple(_norms(dense, norm)), after=tuple(after))


def _norms(weight: Tensor, norm: Norm) -> list[float]:
    rows = weight.double().flatten(1)
    found: list[float] = torch.linalg.vector_norm(rows, ord=1 if norm == "l1" else 2, dim=1).tolist()
    return found


def _tensor(subject: Subject, name: str) -> Tensor:
    return dict(subject.model.named_parameters())[name].detach().float()
