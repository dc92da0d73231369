"""Normalisations, activations with parameters, and what runs along the channels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv


@construct(
    lambda: nn.GroupNorm(1, 8),
    by_layers=False,
    name="GroupNorm-1",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.GroupNorm(2, 8),
    by_layers=False,
    name="GroupNorm-2",  # both groups must stay equally long
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.GroupNorm(8, 8),
    name="GroupNorm-8",  # whole groups of one channel
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.GroupNorm(1, 8, affine=False),
    by_layers=False,
    name="GroupNorm-1-plain",  # the number of channels is in an attribute alone
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    name="InstanceNorm",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.InstanceNorm2d(8),
    name="InstanceNorm-plain",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.BatchNorm2d(8, affine=False, track_running_stats=False),
    name="BatchNorm-plain",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.LayerNorm((8, 8, 8)),
    by_layers=False,
    name="LayerNorm-everything",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.LayerNorm((8, 8)),
    name="LayerNorm-positions",  # height and width are as long as there are channels
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.PReLU(8),
    name="PReLU",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
@construct(
    lambda: nn.Sigmoid(),
    name="Sigmoid",  # a channel of zeros becomes one of halves
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class Module(Between):
    """A module of the library between two convolutions."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.between = make()

    def middle(self, x: Tensor) -> Tensor:
        return self.between(x)


@construct(
    8,
    by_layers=False,
    name="affine",
    groups=[8, 16],
    macs=3 * 8 * 9 * P + 2 * (8 * 16 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 8 * P) + 4 * 5 * P,
)
@construct(
    8, False,
    by_layers=False,
    name="plain",
    groups=[8, 16],
    macs=3 * 8 * 9 * P + 2 * (8 * 16 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 8 * P) + 4 * 5 * P,
)  # fmt: skip
class ChannelsLast(Between):
    """Layer norm over the channels and two linear layers, with channels in the last dimension (ConvNeXt)."""

    def __init__(self, channels: int, affine: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, elementwise_affine=affine)
        self.grow, self.shrink = nn.Linear(channels, 16), nn.Linear(16, channels)

    def middle(self, x: Tensor) -> Tensor:
        y = self.shrink(F.gelu(self.grow(self.norm(x.permute(0, 2, 3, 1)))))
        return x + y.permute(0, 3, 1, 2)


@construct(by_layers=False, groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class LayerNormSubclass(Between):
    """A layer norm of channels in the second dimension, which hands its own shape to the function."""

    class Norm(nn.LayerNorm):
        def forward(self, x: Tensor) -> Tensor:
            x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
            return x.permute(0, 3, 1, 2)

    def __init__(self) -> None:
        super().__init__()
        self.norm = self.Norm(8)

    def middle(self, x: Tensor) -> Tensor:
        return self.norm(x)


class _Along(Between):
    """Something that runs along the 8 channels of the stem, then a convolution to 6."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.next = conv(8, 6, 1)

    def over(self, x: Tensor) -> Tensor:
        return x

    def middle(self, x: Tensor) -> Tensor:
        return F.relu(self.next(self.over(x)))


LOCKED = dict(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * P + 3 * 5 * P,
)
FREE = dict(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * P + 3 * 5 * P,
)


@construct(**LOCKED, locked={"stem": "softmax norms.py:"})
class SoftmaxOverChannels(_Along):
    """The shares of the others grow when one goes."""

    def over(self, x: Tensor) -> Tensor:
        return x.softmax(1)


@construct(**LOCKED, locked={"stem": "cumsum norms.py:"})
class CumulativeSum(_Along):
    """Every channel holds those before it."""

    def over(self, x: Tensor) -> Tensor:
        return x.cumsum(1)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 4 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 4 * 3 * P + 3 * 5 * P,
    locked={"stem": "topk norms.py:"},
)
class TopChannels(_Along):
    """The four largest values at each position: any channel may be among them."""

    def __init__(self) -> None:
        super().__init__()
        self.next = conv(4, 6, 1)

    def over(self, x: Tensor) -> Tensor:
        return x.topk(4, 1).values


@construct(**FREE, by_layers=False)
class MinusMean(_Along):
    """The mean over the channels is taken off them: a normalisation, over those that are left."""

    def over(self, x: Tensor) -> Tensor:
        return x - x.mean(1, keepdim=True)


@construct(**LOCKED, locked={"stem": "norms.py: number of channels"})
class MeanByHand(_Along):
    """The same mean, as a sum divided by the number of channels."""

    def over(self, x: Tensor) -> Tensor:
        return x - x.sum(1, keepdim=True) / x.shape[1]


@construct(**FREE, by_layers=False)
class SumOverChannels(_Along):
    """A sum over the channels: one that goes adds nothing."""

    def over(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x.sum(1, keepdim=True))


@construct(**FREE, by_layers=False)
class UnitLength(_Along):
    """Each position's vector of channels has length 1: a square root of a sum, to which one that goes adds nothing."""

    def over(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1)


@construct(**FREE, by_layers=False)
class RootMeanSquareByHand(_Along):
    """The same by hand."""

    def over(self, x: Tensor) -> Tensor:
        return x * (x * x).sum(1, keepdim=True).add(1e-5).rsqrt()


@construct(**FREE, by_layers=False)
class TrainingStatistic(_Along):
    """A running mean that only training uses, and replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(8))

    def over(self, x: Tensor) -> Tensor:
        if self.training:
            self.usual = 0.9 * self.usual + 0.1 * x.detach().mean((0, 2, 3))
        return x * 2


@construct(**FREE)
class OtherModes(_Along):
    """Parts of the code run in another mode."""

    def over(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            x = x * 2
        with torch.enable_grad():
            return x + 1


@construct(**FREE)
class FourierFilter(_Along):
    """Each channel's spectrum is halved; its positions are transformed, not its channels."""

    def over(self, x: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) * 0.5, s=x.shape[-2:])


@construct(**FREE, by_layers=False)
class CosineToMirror(_Along):
    """The cosine between each position's channels and those of its mirror image: sums of products."""

    def over(self, x: Tensor) -> Tensor:
        return x * F.cosine_similarity(x, x.flip(3), dim=1).unsqueeze(1)


@construct(**LOCKED, locked={"stem": "mean norms.py:"})
class GatedByMean(_Along):
    """The mean over the channels scales them, which is no normalisation: it would change when one goes."""

    def over(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x.mean(1, keepdim=True))


@construct(**FREE, by_layers=False)
class LayerNormByHand(_Along):
    """Mean and variance over the channels, from their parts."""

    def over(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        return (x - mean) / torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)


@construct(**FREE, by_layers=False)
class VarianceByHand(_Along):
    """The same in one call."""

    def over(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + 1e-5)


@construct(**FREE, by_layers=False)
class GlobalResponse(_Along):
    """ConvNeXt V2's response normalisation: each channel over the mean of all that are left."""

    def over(self, x: Tensor) -> Tensor:
        strength = x.norm(dim=(2, 3), keepdim=True)
        return x * (strength / (strength.mean(1, keepdim=True) + 1e-5))


@construct(**LOCKED, locked={"stem": "neighbours"})
class LocalResponse(_Along):
    """AlexNet's normalisation over neighbouring channels."""

    def __init__(self) -> None:
        super().__init__()
        self.neighbours = nn.LocalResponseNorm(3)

    def over(self, x: Tensor) -> Tensor:
        return self.neighbours(x)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 1 * 1 * 3 * 8 + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 1 * 1 * 3 * 8 + 8 * 3 * P + 3 * 5 * P,
    locked={"stem": "conv1d mix"},
)
class EfficientChannelAttention(_Along):
    """ECA: a convolution along the row of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def over(self, x: Tensor) -> Tensor:
        share = self.mix(x.mean((2, 3)).unsqueeze(1)).sigmoid()
        return x * share.transpose(1, 2).unsqueeze(3)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 2 * 1 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 2 * 1 * 9 * P + 8 * 3 * P + 3 * 5 * P,
    locked={"stem": "amax norms.py:", "attend": "one channel"},
)
class SpatialAttention(_Along):
    """Mean and maximum over the channels (CBAM): both change when a channel goes."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = conv(2, 1)

    def over(self, x: Tensor) -> Tensor:
        seen = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)
        return x * torch.sigmoid(self.attend(seen))


@construct(groups=[8], macs=3 * 16 * 9 * P + 8 * 5 * P, left=3 * 8 * 9 * P + 4 * 5 * P)
class GatedLinearUnit(Between):
    """Channel i is gated by channel i + 8."""

    wide = 16

    def middle(self, x: Tensor) -> Tensor:
        return F.glu(x, 1)


@construct(groups=[8], macs=3 * 16 * 9 * P + 8 * 5 * P, left=3 * 8 * 9 * P + 4 * 5 * P)
class GateByChunk(Between):
    """The same by hand."""

    wide = 16

    def middle(self, x: Tensor) -> Tensor:
        value, gate = x.chunk(2, 1)
        return value * gate.tanh()


@construct(groups=[8], macs=3 * 16 * 9 * P + 8 * 5 * P, left=3 * 8 * 9 * P + 4 * 5 * P)
class Maxout(Between):
    """The larger of each pair of neighbours."""

    wide = 16

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        return x.view(b, c // 2, 2, h, w).amax(2)


@construct(groups=[8], macs=3 * 16 * 9 * P + 8 * 5 * P, left=3 * 8 * 9 * P + 4 * 5 * P)
class MaxFeatureMap(Between):
    """LightCNN: the larger of channel i and i + 8, by splitting at a number that an attribute repeats."""

    wide = 16

    def __init__(self) -> None:
        super().__init__()
        self.out_channels = 8

    def middle(self, x: Tensor) -> Tensor:
        one, other = torch.split(x, self.out_channels, 1)
        return torch.max(one, other)


@construct(**LOCKED, locked={"stem": "norms.py: number of channels"})
class ScaledByTensor(_Along):
    """The number of channels as a constant tensor."""

    def over(self, x: Tensor) -> Tensor:
        return x / torch.sqrt(torch.tensor(float(x.shape[1])))
