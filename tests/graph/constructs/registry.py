"""How a tiny network states what can be removed from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

P = 8 * 8
"""Positions of a map as large as the input images."""
Inputs = Callable[[int], Any]
"""From a batch size to example inputs."""


def images(*shapes: tuple[int, ...]) -> Inputs:
    """Random images of these shapes, one argument each."""
    return lambda batch: tuple(torch.randn(batch, *shape) for shape in shapes)


def words(length: int, vocabulary: int) -> Inputs:
    """Random numbers of words."""
    return lambda batch: (torch.randint(0, vocabulary, (batch, length)),)


@dataclass(frozen=True, kw_only=True)
class Construct:
    """A network, and what removal must do to it; all numbers are worked out by hand from its layers."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Inputs
    groups: tuple[int, ...]
    """Units of each removable group, ascending."""
    macs: int
    """Multiply-accumulates of convolutions, linear and recurrent layers and matrix products for one sample."""
    left: int
    """The same after removal at sparsity 0.5, which leaves n − n // 2 of n units of each group."""
    locked: Mapping[str, str]
    """Layer → words that the reason why (some of) its channels stay must contain."""
    by_layers: bool
    """Whether nothing but convolutions, linear and recurrent layers reads what goes, so that zeros in their weights
    are as good as removal; not so with norms, sums and products of activations, and parameters of the model's own."""


CONSTRUCTS: list[Construct] = []


def construct(
    *args: Any,
    groups: list[int],
    macs: int,
    left: int,
    locked: Mapping[str, str] | None = None,
    by_layers: bool = True,
    inputs: Inputs = images((3, 8, 8)),  # noqa: B008
    name: str = "",
) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Put a network class into the list, built with `args`; `name` tells several of one class apart."""

    def add(kind: type[nn.Module]) -> type[nn.Module]:
        CONSTRUCTS.append(
            Construct(
                name=f"{kind.__name__}-{name}" if name else kind.__name__,
                build=lambda: kind(*args),
                inputs=inputs,
                groups=tuple(sorted(groups)),
                macs=macs,
                left=left,
                locked=locked or {},
                by_layers=by_layers,
            )
        )
        return kind

    return add


def conv(inputs: int, outputs: int, kernel: int = 3, **options: Any) -> nn.Conv2d:
    """A convolution that keeps the size of its map (for stride 1)."""
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * options.get("dilation", 1), **options)


class Between(nn.Module):
    """A 3×3 convolution `stem` from 3 to `wide` channels, what `middle` does with them, and a 1×1 convolution `head`
    from `reads` channels to 5 outputs."""

    wide = 8
    reads = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, type(self).wide)
        self.head = conv(type(self).reads, 5, 1)

    def middle(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.middle(self.stem(x)))
