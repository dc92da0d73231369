"""The gains of weights of fixed norm (weight_norm) after a removal.

Such a weight is w = g · v / ‖v‖ (Salimans 2016, arXiv 1602.07868). Where the direction v loses columns, its norm gets
smaller and what is left of w larger; g · ‖what is left of v‖ / ‖v‖ in the place of g makes it what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from pruning.catalog.shrinkage import Gain, Shrinkage


def picked(tensor: Tensor, dims: Mapping[int, list[int]]) -> Tensor:
    """What is left of a tensor: dimension → kept indices."""
    for dim, index in dims.items():
        tensor = tensor.index_select(dim, torch.tensor(index, dtype=torch.long, device=tensor.device))
    return tensor


def exact_gains(tensors: Mapping[str, Tensor], what: Shrinkage) -> dict[str, Tensor]:
    """In float64 the gain of each weight that loses something of what its norm is taken over.

    `tensors`: parameters and buffers before the removal, by name.

    >>> what = Shrinkage(kept={"v": {1: [0]}}, gains=(Gain(direction="v", gain="g", dim=0),))
    >>> exact_gains({"v": torch.tensor([[3.0, 4.0]]), "g": torch.tensor([[10.0]])}, what)
    {'g': tensor([[6.]], dtype=torch.float64)}
    """
    found = {}
    for each in what.gains:
        dims = what.kept[each.direction]
        if set(dims) != {each.dim}:
            direction = tensors[each.direction].detach()
            rows = {dim: index for dim, index in dims.items() if dim == each.dim}
            before = picked(_length(direction, each.dim), rows)
            gain = picked(tensors[each.gain].detach(), what.kept.get(each.gain, {}))
            found[each.gain] = gain.double() * (_length(picked(direction, dims), each.dim) / before).reshape(gain.shape)
    return found


def keep_weights(dense: Mapping[str, Tensor], masked: Mapping[str, Tensor], gains: Iterable[Gain]) -> None:
    """Let the gains of a masked model follow zeros in its directions, in place: zeros in the weights, all else as it
    was.

    `dense`, `masked`: parameters by name, before and after the zeros were written.
    """
    for each in gains:
        before, after = dense[each.direction].detach(), masked[each.direction].detach()
        if not torch.equal(before, after):
            gain = masked[each.gain].data
            share = _length(after, each.dim) / _length(before, each.dim)
            gain.copy_(gain.double() * share.reshape(gain.shape))
    point_somewhere(masked, gains)


def point_somewhere(tensors: Mapping[str, Tensor], gains: Iterable[Gain]) -> None:
    """Give directions of which nothing but zeros is left a length, in place: their gain is 0, and 0 / 0 no number."""
    for each in gains:
        direction = tensors[each.direction].data
        direction.masked_fill_(_length(direction, each.dim) == 0, 1.0)


def _length(direction: Tensor, dim: int) -> Tensor:
    return torch.norm_except_dim(direction.double(), 2, dim)
