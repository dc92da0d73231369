"""Sizes that a network keeps elsewhere than in a plain attribute: in a configuration, on its class, in properties."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv

MACS = 3 * 8 * 9 * P + 8 * 5 * P
LEFT = 3 * 4 * 9 * P + 4 * 5 * P


@dataclass(frozen=True)
class Frozen:
    width: int


class Slots:
    __slots__ = ("width",)

    def __init__(self, width: int) -> None:
        self.width = width


class Named(NamedTuple):
    width: int


@construct({"width": 8}, name="dict", groups=[8], macs=MACS, left=LEFT)
@construct(Frozen(8), name="dataclass", groups=[8], macs=MACS, left=LEFT)
@construct(Slots(8), name="slots", groups=[8], macs=MACS, left=LEFT)
@construct(Named(8), name="namedtuple", groups=[8], macs=MACS, left=LEFT)
@construct(SimpleNamespace(width=8, depth=2), name="namespace", groups=[8], macs=MACS, left=LEFT)
class ConfiguredWidth(Between):
    """A reshape to a width that stands in an object in an attribute."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    def middle(self, x: Tensor) -> Tensor:
        width = self.config["width"] if isinstance(self.config, Mapping) else self.config.width
        return x.reshape(-1, width, 8, 8)


@construct(groups=[8], macs=MACS, left=LEFT)
class CheckedConfiguration(Between):
    """A check against a number in an object in an object."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(model={"widths": [3, 8]})

    def middle(self, x: Tensor) -> Tensor:
        if x.shape[1] != self.config.model["widths"][1]:
            raise ValueError("another width than that of the configuration")
        return x


@construct(groups=[8], macs=MACS, left=LEFT)
class WidthOnTheClass(Between):
    """`Between.wide` stands on the class: `self.wide` reads it."""

    def middle(self, x: Tensor) -> Tensor:
        return x.reshape(-1, self.wide, 8, 8)


@construct(groups=[8], macs=MACS, left=LEFT)
class ConfiguredSplit(Between):
    """Two parts whose sizes stand in a list in a dict, cut along a dimension counted from the end."""

    def __init__(self) -> None:
        super().__init__()
        self.config = {"parts": [3, 5]}

    def middle(self, x: Tensor) -> Tensor:
        first, second = x.split(self.config["parts"], -3)
        return torch.cat((first.relu(), second), 1)


class _Heads(nn.Module):
    """Attention over the places of a map, with 4 heads of 2 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))


class _ConfiguredHeads(_Heads):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.config = config

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        heads = self.config.heads
        q, k, v = (y.view(b, n, heads, self.config.width // heads).transpose(1, 2)
                   for y in (self.q(x), self.k(x), self.v(x)))  # fmt: skip
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.o(y.transpose(1, 2).reshape(b, n, self.config.width))


class _ComputedHeads(_Heads):
    def __init__(self) -> None:
        super().__init__()
        self.width, self.heads = 8, 4

    @property
    def inner(self) -> int:
        return self.width // self.heads

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = (y.view(b, n, self.heads, self.inner).transpose(1, 2) for y in (self.q(x), self.k(x), self.v(x)))
        share = (q @ k.transpose(2, 3) / math.sqrt(self.inner)).softmax(3)
        return x + self.o((share @ v).transpose(1, 2).reshape(b, n, self.width))


class _OfHeads(nn.Module):
    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = conv(3, 8), nn.Sequential(*blocks), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x).flatten(2).transpose(1, 2)).mean(1))


HEADS = 4 * (8 * 8 * P) + 2 * (4 * P * P * 2)
HALF = 4 * (4 * 4 * P) + 2 * (2 * P * P * 2)


@construct(
    groups=[4, 4, 8],
    macs=3 * 8 * 9 * P + 2 * HEADS + 8 * 5,
    left=3 * 4 * 9 * P + 2 * HALF + 4 * 5,
    by_layers=False,
)
class SharedConfiguration(_OfHeads):
    """Two blocks with one configuration, in which the width of a head is computed: each loses heads of its own, and
    its width is that of the heads it has left, whatever the map between the blocks has."""

    def __init__(self) -> None:
        config = SimpleNamespace(width=8, heads=4)
        super().__init__(_ConfiguredHeads(config), _ConfiguredHeads(config))


@construct(
    groups=[4, 8],
    macs=3 * 8 * 9 * P + HEADS + 8 * 5,
    left=3 * 4 * 9 * P + HALF + 4 * 5,
    by_layers=False,
)
class ComputedHeadWidth(_OfHeads):
    """The width of a head is a property, made of the other two numbers, and sets the scale: heads go whole."""

    def __init__(self) -> None:
        super().__init__(_ComputedHeads())
