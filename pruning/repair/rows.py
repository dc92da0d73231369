"""What a layer reads and gives, row by row: a row is one position of one image, the same in two networks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class Window:
    """How a convolution walks over what it reads; one number for each dimension of space."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def patches(self, images: Tensor, places: Tensor, out: Sequence[int]) -> Tensor:
        """What a convolution reads for some of its results: images · places × channels × kernel's places.

        `images`: N × C × space. `places`: int64, N × P, each a place among its results in C order, which are as large
        as `out`.
        """
        padded = F.pad(images, [pad for size in reversed(self.padding) for pad in (size, size)])
        space = padded.shape[2:]
        steps = [math.prod(space[dim + 1 :]) for dim in range(len(space))]
        start = torch.zeros_like(places)
        rest = places
        for dim in reversed(range(len(space))):
            start += rest % out[dim] * self.stride[dim] * steps[dim]
            rest = rest // out[dim]
        offsets = torch.tensor(
            [
                sum(at * dilated * step for at, dilated, step in zip(place, self.dilation, steps, strict=True))
                for place in itertools.product(*(range(size) for size in self.kernel))
            ]
        )
        flat = padded.flatten(2).transpose(1, 2)
        index = start[:, :, None] + offsets
        picture = torch.arange(len(images))[:, None, None]
        return flat[picture, index].flatten(0, 1).transpose(1, 2)


def drawn(images: int, there: int, wanted: int, generator: torch.Generator) -> Tensor:
    """Places in each of some images, int64, images × places: `wanted` of `there`, or all."""
    if wanted >= there:
        return torch.arange(there).expand(images, there)
    return torch.randint(there, (images, wanted), generator=generator)


def at(values: Tensor, places: Tensor) -> Tensor:
    """Of values N × C × space those at some places of each image: images · places × C."""
    flat = values.flatten(2).transpose(1, 2)
    return flat[torch.arange(len(values))[:, None], places].flatten(0, 1)
