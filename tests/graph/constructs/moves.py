"""Channels that are moved about: shuffles, flips, rolls, flattening, sizes written into the code."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv


@construct(groups=[4], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ShuffleByView(Between):
    """Channels as a 2 × 4 table, transposed: both rows must stay equally long."""

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        return x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


class _GroupedShuffle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.first = conv(8, 8, 1, groups=2)
        self.second = conv(8, 8, 1, groups=2)
        self.head = conv(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.stem(x))
        b, c, h, w = x.shape
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        return self.head(self.second(x))


@construct(
    groups=[4, 2, 4],
    macs=3 * 8 * 9 * P + 8 * 4 * P + 8 * 4 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * P + 4 * 2 * P + 4 * 5 * P,
)
class ShuffleBetweenGroups(_GroupedShuffle):
    """The table pairs i with i + 4, and the groups that read 0 4 1 5 | 2 6 3 7 pair 0 with 2 and 4 with 6: fours."""


@construct(groups=[4], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ShuffleModule(Between):
    """The same shuffle from the library."""

    def __init__(self) -> None:
        super().__init__()
        self.shuffle = nn.ChannelShuffle(2)

    def middle(self, x: Tensor) -> Tensor:
        return self.shuffle(x)


@construct(groups=[4], macs=3 * 16 * 9 * P + 4 * 5 * 4 * P, left=3 * 8 * 9 * P + 2 * 5 * 4 * P)
class PixelShuffle(Between):
    """Four channels become one of twice the height and width."""

    wide, reads = 16, 4

    def __init__(self) -> None:
        super().__init__()
        self.shuffle = nn.PixelShuffle(2)

    def middle(self, x: Tensor) -> Tensor:
        return self.shuffle(x)


@construct(groups=[4], macs=3 * 16 * 9 * P + 4 * 5 * 4 * P, left=3 * 8 * 9 * P + 2 * 5 * 4 * P)
class PixelShuffleByView(Between):
    """The same by reshaping to six dimensions."""

    wide, reads = 16, 4

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(b, c // 4, 2 * h, 2 * w)


@construct(groups=[8], macs=3 * 8 * 9 * P + 32 * 5 * 16, left=3 * 4 * 9 * P + 16 * 5 * 16)
class PixelUnshuffle(Between):
    """One channel becomes four."""

    reads = 32

    def middle(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, 2)


@construct(groups=[8], macs=3 * 8 * 9 * P + 32 * 5 * 16, left=3 * 4 * 9 * P + 16 * 5 * 16)
class Focus(Between):
    """Four shifted pictures side by side (YOLO's Focus)."""

    reads = 32

    def middle(self, x: Tensor) -> Tensor:
        return torch.cat((x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]), 1)


class _ChannelNorm(nn.Module):
    """A layer norm over the channels of a map, by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        apart = x - x.mean(1, keepdim=True)
        x = apart / torch.sqrt(apart.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class _Upsampled(Between):
    """Channels become places before a norm over channels."""

    wide, reads = 16, 4

    def __init__(self) -> None:
        super().__init__()
        self.norm = _ChannelNorm(type(self).reads)

    def up(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, 2)

    def middle(self, x: Tensor) -> Tensor:
        return self.norm(self.up(x))


@construct(
    groups=[4], macs=3 * 16 * 9 * P + 4 * 5 * 4 * P, left=3 * 8 * 9 * P + 2 * 5 * 4 * P, by_layers=False
)  # fmt: skip
class PixelShuffleAndNorm(_Upsampled):
    """Four channels go with each channel of the norm."""


@construct(
    groups=[2], macs=3 * 32 * 9 * P + 2 * 5 * 16 * P, left=3 * 16 * 9 * P + 1 * 5 * 16 * P, by_layers=False
)  # fmt: skip
class TwoPixelShufflesAndNorm(_Upsampled):
    """Sixteen go with each."""

    wide, reads = 32, 2

    def up(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.pixel_shuffle(x, 2), 2)


@construct(
    groups=[4], macs=3 * 16 * 9 * P + 16 * 5 * P, left=3 * 8 * 9 * P + 8 * 5 * P, by_layers=False
)  # fmt: skip
class PixelShuffleAndBackAndNorm(_Upsampled):
    """Four by four, though the head reads them as they came."""

    reads = 16

    def up(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2)


@construct(
    groups=[4], macs=3 * 16 * 9 * P + 4 * 5 * 4 * P, left=3 * 8 * 9 * P + 2 * 5 * 4 * P, by_layers=False
)  # fmt: skip
class PixelShuffleByViewAndNorm(_Upsampled):
    """By reshaping to six dimensions."""

    def up(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(b, c // 4, 2 * h, 2 * w)


@construct(
    groups=[4], macs=3 * 16 * 9 * P + 4 * 5 * 4 * P, left=3 * 8 * 9 * P + 2 * 5 * 4 * P, by_layers=False
)  # fmt: skip
class PatchesGrow(Between):
    """Tokens of 16 numbers become four of 4 each (Cao 2021, arXiv 2105.05537), then a layer norm."""

    wide, reads = 16, 4

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 5)  # type: ignore[assignment]

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5)
        return self.norm(x.reshape(b, 4 * h * w, c // 4))


@construct(
    groups=[4],
    macs=3 * 16 * 9 * P + 3 * 4 * 9 * 4 * P + 4 * 5 * 4 * P,
    left=3 * 8 * 9 * P + 3 * 2 * 9 * 4 * P + 2 * 5 * 4 * P,
    by_layers=False,
)
class PixelShuffleJoins(_Upsampled):
    """What is shuffled is added to what another convolution makes, as in a U-shaped network."""

    def __init__(self) -> None:
        super().__init__()
        self.skip = conv(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        large = self.skip(F.interpolate(x, scale_factor=2.0))
        return self.head(self.norm(self.up(self.stem(x)) + large))


@construct(
    groups=[8], macs=3 * 8 * 9 * P + 32 * 5 * 16, left=3 * 4 * 9 * P + 16 * 5 * 16, by_layers=False
)  # fmt: skip
class PixelUnshuffleAndNorm(_Upsampled):
    """One channel becomes four."""

    wide, reads = 8, 32

    def up(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
        return x.reshape(b, 4 * c, h // 2, w // 2)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class Flip(Between):
    """The head reads the channels in reverse."""

    def middle(self, x: Tensor) -> Tensor:
        return x.flip(1)


@construct(groups=[4], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class FlipAndAdd(Between):
    """Channel i meets channel 7 − i."""

    def middle(self, x: Tensor) -> Tensor:
        return x + x.flip(1)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * (2 + 3) * 9 * P + (2 + 3) * 5 * P,
    locked={"stem": "roll"},
)
class Roll(Between):
    """The last two channels go over the edge, and must stay two; the other six are only moved."""

    def middle(self, x: Tensor) -> Tensor:
        return x.roll(2, 1)


@construct(
    groups=[5],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * (3 + 3) * 9 * P + (3 + 3) * 5 * P,
    locked={"stem": "roll"},
)
class RollBack(Between):
    """The first three channels go over the edge."""

    def middle(self, x: Tensor) -> Tensor:
        return torch.roll(x, shifts=-3, dims=1)


@construct(groups=[], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 8 * 9 * P + 8 * 5 * P, locked={"stem": "roll"})
class RollAndAdd(Between):
    """Every channel meets the one before: all hang together with the one that goes over the edge."""

    def middle(self, x: Tensor) -> Tensor:
        return x + x.roll(1, 1)


class _ToLinear(nn.Module):
    """A convolution to 8 channels and a linear layer; how to get from one to the other is left open."""

    def __init__(self, features: int = 8 * P) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.head = nn.Linear(features, 5)

    def flat(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.flat(self.stem(x)))


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * P * 5, left=3 * 4 * 9 * P + 4 * P * 5)
class ChannelsLastFlatten(_ToLinear):
    """A channel's positions lie 8 apart in the flat vector, not side by side."""

    def flat(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * P * 5, left=3 * 4 * 9 * P + 4 * P * 5)
class BetweenFlatten(_ToLinear):
    """Height, channels, width: blocks of 8 that lie 64 apart."""

    def flat(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).reshape(x.shape[0], -1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * P * 5, left=3 * 4 * 9 * P + 4 * P * 5)
class ViewWithBatch(_ToLinear):
    """The classic line of old tutorials."""

    def flat(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), -1)


@construct(8, groups=[8], macs=3 * 8 * 9 * P + 8 * 5, left=3 * 4 * 9 * P + 4 * 5)
class SpatialMean(_ToLinear):
    """Mean over height and width only."""

    def flat(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


@construct(8 * 21, groups=[8], macs=3 * 8 * 9 * P + 8 * 21 * 5, left=3 * 4 * 9 * P + 4 * 21 * 5)
class SpatialPyramid(_ToLinear):
    """Maps of 1, 4 and 16 positions, flattened and side by side: a channel has three places of different length."""

    def flat(self, x: Tensor) -> Tensor:
        return torch.cat([F.adaptive_avg_pool2d(x, size).flatten(1) for size in (1, 2, 4)], 1)


@construct(
    groups=[16],
    macs=3 * 8 * 9 * P + 128 * 16 + 16 * 5,
    left=3 * 8 * 9 * P + 128 * 8 + 8 * 5,
    locked={"stem": "view moves.py:"},
)
class HardCodedView(nn.Module):
    """With fewer channels `view(-1, 128)` would silently change the batch size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.hidden = nn.Linear(128, 16)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.stem(x)).view(-1, 128)
        return self.head(F.relu(self.hidden(x)))


@construct(
    groups=[8, 16],
    macs=3 * 8 * 9 * P + 128 * 16 + 16 * 5,
    left=3 * 4 * 9 * P + 64 * 8 + 8 * 5,
)
class ViewOfAttribute(nn.Module):
    """The size is an attribute, which can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.features = 128
        self.stem = conv(3, 8)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.hidden = nn.Linear(128, 16)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.stem(x)).view(-1, self.features)
        return self.head(F.relu(self.hidden(x)))


class _Decoder(nn.Module):
    """From the mean colour through a vector of 128 to a map of 8 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Linear(3, 6)
        self.grow = nn.Linear(6, 8 * 4 * 4)
        self.unflatten = nn.Unflatten(1, (8, 4, 4))
        self.head = conv(8, 5, 1)

    def square(self, z: Tensor) -> Tensor:
        return self.unflatten(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.square(self.grow(F.relu(self.code(x.mean((2, 3)))))))


@construct(groups=[6, 8], macs=3 * 6 + 6 * 128 + 8 * 5 * 16, left=3 * 3 + 3 * 64 + 4 * 5 * 16)
class Unflatten(_Decoder):
    """A channel is 16 outputs of the linear layer, and a number in the module's `unflattened_size`."""


@construct(groups=[6, 8], macs=3 * 6 + 6 * 128 + 8 * 5 * 16, left=3 * 3 + 3 * 64 + 4 * 5 * 16)
class ViewToMap(_Decoder):
    """The number of channels is left to `view`."""

    def square(self, z: Tensor) -> Tensor:
        return z.view(z.size(0), -1, 4, 4)


@construct(
    groups=[6],
    macs=3 * 6 + 6 * 128 + 8 * 5 * 16,
    left=3 * 3 + 3 * 128 + 8 * 5 * 16,
    locked={"grow": "view moves.py:"},
)
class HardCodedViewToMap(_Decoder):
    """The number of channels is written into the code."""

    def square(self, z: Tensor) -> Tensor:
        return z.view(-1, 8, 4, 4)


class _Patches(nn.Module):
    """Patches of 2 × 2 positions, each a vector of 32 that a linear layer reads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.embed = nn.Linear(32, 6)
        self.head = nn.Linear(6, 5)

    def patches(self, x: Tensor) -> Tensor:
        return F.unfold(x, 2, stride=2).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(self.patches(self.stem(x))).mean(1))


@construct(groups=[8, 6], macs=3 * 8 * 9 * P + 32 * 6 * 16 + 6 * 5, left=3 * 4 * 9 * P + 16 * 3 * 16 + 3 * 5)
class Unfold(_Patches):
    """`F.unfold`: each channel becomes four entries of the vector."""


@construct(groups=[8, 6], macs=3 * 8 * 9 * P + 32 * 6 * 16 + 6 * 5, left=3 * 4 * 9 * P + 16 * 3 * 16 + 3 * 5)
class PatchesByView(_Patches):
    """The same by reshaping, channels last in the vector."""

    def patches(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1)
        return x.reshape(b, h * w // 4, -1)


@construct(groups=[8, 6], macs=3 * 8 * 9 * P + 32 * 6 * 16 + 6 * 5, left=3 * 4 * 9 * P + 16 * 3 * 16 + 3 * 5)
class PatchesByUnfold(_Patches):
    """The same with `Tensor.unfold`, which adds a dimension at the end."""

    def patches(self, x: Tensor) -> Tensor:
        x = x.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 2, 3, 1, 4, 5)
        return x.flatten(3).flatten(1, 2)


@construct(groups=[8], macs=3 * 8 * 9 * P + 16 * 5 * P, left=3 * 4 * 9 * P + 8 * 5 * P)
class Repeat(Between):
    """The channels twice, one row after the other."""

    reads = 16

    def middle(self, x: Tensor) -> Tensor:
        return x.repeat(1, 2, 1, 1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 16 * 5 * P, left=3 * 4 * 9 * P + 8 * 5 * P)
class RepeatInterleave(Between):
    """Each channel twice, side by side."""

    reads = 16

    def middle(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 1)


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 1 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 1 * P + 4 * 5 * P,
    locked={"gate": "one channel"},
)
class Expand(Between):
    """A map of one channel, expanded to all."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = conv(8, 1, 1)

    def middle(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x)).expand_as(x)


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 1 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 1 * P + 4 * 5 * P,
    locked={"gate": "one channel"},
)
class ExpandToNumber(Between):
    """The map of one channel is expanded to a number that an attribute repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = 8
        self.gate = conv(8, 1, 1)

    def middle(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x)).expand(-1, self.channels, -1, -1)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * P + 3 * 5 * P,
    locked={"stem": "index"},
)
class Permutation(Between):
    """Channels in an order that a table of numbers gives."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.next = conv(8, 6, 1)
        self.register_buffer("order", torch.tensor([3, 1, 7, 0, 2, 6, 5, 4]))

    def middle(self, x: Tensor) -> Tensor:
        return self.next(x[:, self.order])


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 8 * 5 * 2 * P, left=2 * (3 * 4 * 9 * P) + 4 * 5 * 2 * P)
class SideBySide(nn.Module):
    """Two maps joined along the width: each channel must go from both."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = conv(3, 8), conv(3, 8)
        self.head = conv(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat((self.left(x), self.right(x)), 3))


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 6 + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 6 + 4 * 5 * P,
    locked={"theta": "moves.py:"},
)
class SpatialTransformer(Between):
    """A sampling grid computed from the features: its six numbers stay, the sampled channels go."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Linear(8, 6)

    def middle(self, x: Tensor) -> Tensor:
        theta = self.theta(x.mean((2, 3))).view(-1, 2, 3)
        return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)
