"""Weights that masks of `torch.nn.utils.prune` hold at zero: in a file, values and mask of a tensor lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pruning.catalog.weights.contents import Contents

VALUES, MASK = "_orig", "_mask"
"""What `torch.nn.utils.prune` adds to a tensor's name."""


def unmasked(contents: Contents, own: Mapping[str, Tensor]) -> Contents:
    """The contents with each mask applied, under the plain name of its tensor. `own`: tensors of the network, which may
    have such masks itself: then all stays as it is."""
    if any(_pairs(own)):
        return contents
    found = _pairs(contents.tensors)
    gone = {f"{name}{end}" for name in found for end in (VALUES, MASK)}
    tensors = {name: tensor for name, tensor in contents.tensors.items() if name not in gone}
    for name, (values, mask) in found.items():
        tensors[name] = values * (mask != 0)
    return replace(contents, tensors=tensors, masked=contents.masked | found.keys()) if found else contents


def _pairs(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Plain name → values and mask."""
    found = {}
    for full, mask in tensors.items():
        name = full.removesuffix(MASK)
        values = tensors.get(f"{name}{VALUES}")
        if name != full and name not in tensors and values is not None and _fit(values, mask):
            found[name] = values, mask
    return found


def _fit(values: Tensor, mask: Tensor) -> bool:
    plain = all(one.layout == torch.strided and not one.is_quantized for one in (values, mask))
    return plain and values.is_floating_point() and values.shape == mask.shape and values.device == mask.device
