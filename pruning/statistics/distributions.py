"""How a layer's weights are spread: histograms, shares near zero, norms of its units, kernels as pictures.

Pure functions on tensors; what they return is frozen and small, ready for `pruning.render.figures.network`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.statistics.reals import real_numbers

Norm = Literal["l1", "l2"]
NEAR_ZERO = 0.01
"""A weight is near zero when its magnitude is below this share of the largest magnitude in its layer."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts between edges; `counts` has one entry less than `edges`."""

    edges: tuple[float, ...]
    """Ascending. For a log axis they are magnitudes, evenly spaced in their logarithm."""
    counts: tuple[int, ...]
    log: bool
    """Whether the histogram is of magnitudes on a logarithmic axis (exact zeros have no place on it)."""
    left_out: int
    """Exact zeros that a logarithmic axis cannot show; 0 on a linear axis."""


@dataclass(frozen=True, kw_only=True)
class WeightStats:
    """What is worth knowing of one weight tensor in numbers."""

    weights: int
    zeros: int
    """Exactly zero."""
    near_zero: int
    """Below `NEAR_ZERO` times the largest magnitude, exact zeros included."""
    mean: float
    std: float
    """Population standard deviation."""
    largest: float
    """Largest magnitude."""

    @property
    def share_near_zero(self) -> float:
        return self.near_zero / self.weights


@dataclass(frozen=True, kw_only=True)
class UnitNorms:
    """Norms of a layer's output units (filters or neurons), weakest first."""

    norm: Norm
    units: tuple[int, ...]
    """Index of each unit in the layer."""
    values: tuple[float, ...]


def weight_stats(weight: Tensor) -> WeightStats:
    """Count, zeros, near zeros, mean and deviation of a weight tensor.

    >>> weight_stats(torch.tensor([[0.0, 0.005, 1.0, -1.0]])).share_near_zero
    0.5

    Raises:
        InputError: a weight is NaN or infinite.
    """
    flat = _flat(weight)
    magnitudes = flat.abs()
    largest = float(magnitudes.max())
    near = int((magnitudes < NEAR_ZERO * largest).sum()) if largest else flat.numel()
    return WeightStats(
        weights=flat.numel(),
        zeros=int((flat == 0).sum()),
        near_zero=near,
        mean=float(flat.mean()),
        std=float(flat.std(correction=0)),
        largest=largest,
    )


def weight_histogram(weight: Tensor, bins: int | None = None) -> Histogram:
    """Histogram of the values, on a linear axis that is symmetric around zero.

    `bins`: by default an odd number, so that one is centred on zero, growing with the number of weights up to 61.

    Raises:
        InputError: a weight is NaN or infinite.
    """
    flat = _flat(weight)
    reach = float(flat.abs().max()) or 1.0
    bins = bins or _fitting(flat.numel(), 61)
    return _histogram(flat, torch.linspace(-reach, reach, bins + 1, dtype=torch.float64), log=False, left_out=0)


def magnitude_histogram(weight: Tensor, bins: int | None = None, decades: float = 4.0) -> Histogram:
    """Histogram of the magnitudes on a logarithmic axis that ends at the largest and spans `decades` powers of ten.

    Magnitudes below the axis are counted in its first bin; exact zeros are left out and counted apart.

    Raises:
        InputError: a weight is NaN or infinite.
    """
    magnitudes = _flat(weight).abs()
    present = magnitudes[magnitudes > 0]
    bins = bins or _fitting(magnitudes.numel(), 61)
    top = math.log10(float(present.max())) if present.numel() else 0.0
    edges = torch.logspace(top - decades, top, bins + 1, dtype=torch.float64)
    return _histogram(present, edges, log=True, left_out=magnitudes.numel() - present.numel())


def unit_norms(weight: Tensor, norm: Norm = "l2", dim: int = 0) -> UnitNorms:
    """L1 or L2 norm of each output unit, sorted; `dim` is the dimension of the tensor that counts output units.

    >>> unit_norms(torch.tensor([[3.0, 4.0], [1.0, 0.0]])).values
    (1.0, 5.0)

    Raises:
        InputError: a weight is NaN or infinite, or the norm is unknown.
    """
    if norm not in ("l1", "l2"):
        raise InputError(f"There is no norm '{norm}'. Choose l1 or l2.")
    _flat(weight)
    rows = real_numbers(weight.detach()).double().movedim(dim, 0).flatten(1)
    values = torch.linalg.vector_norm(rows, ord=1 if norm == "l1" else 2, dim=1)
    order = values.argsort(stable=True)
    return UnitNorms(norm=norm, units=tuple(order.tolist()), values=tuple(values[order].tolist()))


def kernel_pictures(weight: Tensor) -> Tensor:
    """Kernels of a first convolution as pictures: units × height × width, or × 3 for colour; float32 in 0–1.

    Zero is the middle grey 0.5 in every picture, and the largest magnitude of each kernel is black or white, so that
    signs can be told apart.

    Raises:
        InputError: not a convolution over 1 or 3 input channels, or a weight is NaN or infinite.
    """
    if weight.dim() != 4 or weight.shape[1] not in (1, 3):
        raise InputError(
            "Only kernels over 1 or 3 input channels can be shown as pictures, not a weight of shape "
            f"{' × '.join(map(str, weight.shape))}."
        )
    _flat(weight)
    kernels = weight.detach().float()
    scale = kernels.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12)
    pictures = (kernels / scale + 1) / 2
    return pictures[:, 0] if weight.shape[1] == 1 else pictures.movedim(1, -1)


def _flat(weight: Tensor) -> Tensor:
    flat = real_numbers(weight.detach()).double().reshape(-1)
    if not flat.numel():
        raise InputError("This layer has no weights.")
    if not bool(flat.isfinite().all()):
        bad = int((~flat.isfinite()).sum())
        raise InputError(
            f"{bad:,} of {flat.numel():,} weights are NaN or infinite: the network is damaged. "
            "Load it again from a good copy."
        )
    return flat


def _fitting(values: int, most: int) -> int:
    """An odd number of bins, about twice the root of the number of values: fewer values make a ragged picture."""
    return min(most, max(11, 2 * round(math.sqrt(values)) + 1))


def _histogram(values: Tensor, edges: Tensor, *, log: bool, left_out: int) -> Histogram:
    """Counts of values between edges; a value on an inner edge counts above it, what lies outside in the end bins."""
    place = torch.bucketize(values, edges[1:-1], right=True)
    counts = torch.bincount(place, minlength=len(edges) - 1)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()), log=log, left_out=left_out)
