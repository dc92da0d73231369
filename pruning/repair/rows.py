"""What a layer reads and gives, row by row: a row is one position of one image, the same in two networks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.nn import functional as F

from pruning.graph.trace import argument, shape_of


@dataclass(frozen=True, kw_only=True)
class Window:
    """How a convolution walks over what it reads; one entry for each dimension of space.

    A transposed convolution is one over its images with zeros between their numbers, its weights turned around.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    """Before and after; less than 0 cuts off."""
    dilation: tuple[int, ...]
    spread: tuple[int, ...] | None = None
    """Of a transposed convolution: distance of two numbers of its images once zeros stand between them."""

    @staticmethod
    def of(call: Node, transposed: bool = False) -> Window:
        """That of a call of a convolution."""
        kernel = tuple(shape_of(argument(call, 1))[2:])

        def each(value: Any) -> tuple[int, ...]:
            found = tuple(value) if isinstance(value, list | tuple) else (value,)
            return found * len(kernel) if len(found) == 1 else found

        stride, padding = each(argument(call, 3, 1)), argument(call, 4, 0)
        dilation = each(argument(call, 7 if transposed else 5, 1))
        reach = tuple(step * (size - 1) for step, size in zip(dilation, kernel, strict=True))
        if transposed:
            more = zip(reach, each(padding), each(argument(call, 5, 0)), strict=True)
            pads = tuple((far - pad, far - pad + extra) for far, pad, extra in more)
            return Window(kernel=kernel, stride=(1,) * len(kernel), padding=pads, dilation=dilation, spread=stride)
        if padding == "same":
            pads = tuple((far // 2, far - far // 2) for far in reach)
        else:
            pads = tuple((pad, pad) for pad in each(0 if padding == "valid" else padding))
        return Window(kernel=kernel, stride=stride, padding=pads, dilation=dilation)

    def patches(self, images: Tensor, places: Tensor, out: Sequence[int]) -> Tensor:
        """What a convolution reads for some of its results: images · places × channels × kernel's places.

        `images`: N × C × space. `places`: int64, N × P, each a place among its results in C order, which are as large
        as `out`.
        """
        padded = F.pad(self._apart(images), [pad for both in reversed(self.padding) for pad in both])
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

    def _apart(self, images: Tensor) -> Tensor:
        if self.spread is None or all(step == 1 for step in self.spread):
            return images
        sizes = [(size - 1) * step + 1 for size, step in zip(images.shape[2:], self.spread, strict=True)]
        wide = images.new_zeros(*images.shape[:2], *sizes)
        wide[(slice(None), slice(None), *(slice(None, None, step) for step in self.spread))] = images
        return wide


def drawn(images: int, there: int, wanted: int, generator: torch.Generator) -> Tensor:
    """Places in each of some images, int64, images × places: `wanted` of `there`, or all."""
    if wanted >= there:
        return torch.arange(there).expand(images, there)
    return torch.randint(there, (images, wanted), generator=generator)


def at(values: Tensor, places: Tensor) -> Tensor:
    """Of values N × C × space those at some places of each image: images · places × C."""
    flat = values.flatten(2).transpose(1, 2)
    return flat[torch.arange(len(values))[:, None], places].flatten(0, 1)
