"""Weights in unusual form: grouped, transposed, tied, functional, computed, frozen."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune

from tests.graph.constructs.registry import Between, P, construct, conv, images


@construct(
    8,
    12,
    2,
    name="two-groups",
    groups=[4, 6],
    macs=3 * 8 * 9 * P + 12 * 4 * 9 * P + 12 * 5 * P,
    left=3 * 4 * 9 * P + 6 * 2 * 9 * P + 6 * 5 * P,
)
@construct(
    8,
    8,
    4,
    name="four-groups",
    groups=[2, 2],
    macs=3 * 8 * 9 * P + 8 * 2 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 1 * 9 * P + 4 * 5 * P,
)
@construct(
    8,
    16,
    8,
    name="one-in-two-out",
    groups=[8],
    macs=3 * 8 * 9 * P + 16 * 1 * 9 * P + 16 * 5 * P,
    left=3 * 4 * 9 * P + 8 * 1 * 9 * P + 8 * 5 * P,
)
@construct(
    8, 4, 4,
    name="two-in-one-out",
    groups=[4],
    macs=3 * 8 * 9 * P + 4 * 2 * 9 * P + 4 * 5 * P,
    left=3 * 4 * 9 * P + 2 * 2 * 9 * P + 2 * 5 * P,
)  # fmt: skip
class Grouped(nn.Module):
    """The number of groups stays and each loses the same places, unless a group has one channel on a side: then whole
    groups go."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.stem = conv(3, inputs)
        self.grouped = conv(inputs, outputs, groups=groups)
        self.head = conv(outputs, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.grouped(self.stem(x))))


@construct(groups=[4], macs=12 * 1 * 9 * P + 12 * 5 * P, left=6 * 1 * 9 * P + 6 * 5 * P)
class DepthwiseOnInput(nn.Module):
    """Four filters for each colour: the colours stay, and each loses as many filters."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = conv(3, 12, groups=3)
        self.head = conv(12, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.filters(x)))


@construct(
    groups=[8, 12],
    macs=3 * 8 * 9 * P + 8 * 12 * P + 12 * 9 * P + 12 * 8 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 6 * P + 6 * 9 * P + 6 * 4 * P + 4 * 5 * P,
)
class InvertedResidual(Between):
    """Wider, depthwise, narrower, and a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(8, 12, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU6(),
            nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False), nn.BatchNorm2d(12), nn.ReLU6(),
            nn.Conv2d(12, 8, 1, bias=False), nn.BatchNorm2d(8),
        )  # fmt: skip

    def middle(self, x: Tensor) -> Tensor:
        return x + self.block(x)


@construct(
    8,
    6,
    1,
    name="plain",
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 4 * P + 6 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 4 * P + 3 * 5 * 4 * P,
)
@construct(
    8,
    6,
    2,
    name="two-groups",
    groups=[4, 3],
    macs=3 * 8 * 9 * P + 8 * 3 * 4 * P + 6 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 2 * 4 * P + 4 * 5 * 4 * P,
)
@construct(
    8,
    8,
    8,
    name="depthwise",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 1 * 4 * P + 8 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 1 * 4 * P + 4 * 5 * 4 * P,
)
@construct(
    8,
    16,
    8,
    name="one-in-two-out",
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 2 * 4 * P + 16 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 2 * 4 * P + 8 * 5 * 4 * P,
)
@construct(
    8, 4, 4,
    name="two-in-one-out",
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 1 * 4 * P + 4 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 1 * 4 * P + 2 * 5 * 4 * P,
)  # fmt: skip
class Transposed(nn.Module):
    """A transposed convolution holds its inputs in the first dimension and the outputs of one group in the second."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.stem = conv(3, inputs)
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2, groups=groups)
        self.norm = nn.BatchNorm2d(outputs)
        self.head = conv(outputs, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.norm(self.up(self.stem(x)))))


class _Parameter(Between):
    """A parameter of the model's own meets the channels."""

    shape: tuple[int, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.ones(type(self).shape))

    def middle(self, x: Tensor) -> Tensor:
        return x * self.own


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ParameterPerChannel(_Parameter):
    """One number a channel."""

    shape = (1, 8, 1, 1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ParameterPerPosition(_Parameter):
    """One number a position, which every channel shares; height and width are as long as there are channels."""

    shape = (1, 1, 8, 8)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ParameterPerEntry(_Parameter):
    """One number for each entry of the map."""

    shape = (1, 8, 8, 8)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ParameterVector(_Parameter):
    """A plain vector that `view` turns towards the channels."""

    shape = (8,)

    def middle(self, x: Tensor) -> Tensor:
        return x + self.own.view(1, -1, 1, 1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class ConstantPerChannel(Between):
    """Buffers with a mean and a deviation for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.randn(1, 8, 1, 1))
        self.register_buffer("deviation", torch.rand(1, 8, 1, 1) + 1)

    def middle(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 4 * 9 * P + 4 * 5 * P,
)
class LearnedResidualScale(Between):
    """A residual branch scaled by a small number for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = conv(8, 8)
        self.gamma = nn.Parameter(1e-2 * torch.ones(8, 1, 1))

    def middle(self, x: Tensor) -> Tensor:
        return x + self.gamma * self.branch(x)


@construct(
    by_layers=False,
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 4 * P + 6 * 5,
    left=3 * 4 * 9 * P + 4 * 3 * 4 * P + 3 * 5,
)
class Functional(nn.Module):
    """No modules at all: convolution, batch norm, transposed convolution and linear on the model's own tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.bias = nn.Parameter(torch.randn(8, 3, 3, 3) / 5), nn.Parameter(torch.zeros(8))
        self.gain, self.shift = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("var", torch.ones(8))
        self.back = nn.Parameter(torch.randn(8, 6, 2, 2) / 5)
        self.out = nn.Parameter(torch.randn(5, 6) / 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.kernel, self.bias, padding=1)
        x = F.relu(F.batch_norm(x, self.mean, self.var, self.gain, self.shift, self.training))
        x = F.relu(F.conv_transpose2d(x, self.back, stride=2))
        return F.linear(x.mean((2, 3)), self.out)


@construct(
    by_layers=False,
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * P + 3 * 5 * P,
)
class EinsumConvolution(Between):
    """A 1×1 convolution written as a sum over indices."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.randn(6, 8))

    def middle(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,oc->bohw", x, self.mix).relu()


@construct(by_layers=False, groups=[8, 6], macs=3 * 8 * 9 * P + 8 * 6 + 6 * 5, left=3 * 4 * 9 * P + 4 * 3 + 3 * 5)
class MatrixProduct(nn.Module):
    """A matrix of the model's own to the right of the features."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.mix = nn.Parameter(torch.randn(8, 6))
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.stem(x).mean((2, 3)) @ self.mix).relu())


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 2 * (8 * 8 * 9 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 4 * 9 * P) + 4 * 5 * P,
)
class CalledTwice(Between):
    """A convolution that reads what it has made: inputs and outputs are the same channels."""

    def __init__(self) -> None:
        super().__init__()
        self.again = conv(8, 8)

    def middle(self, x: Tensor) -> Tensor:
        return self.again(F.relu(self.again(x)))


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 2 * (8 * 8 * 9 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 4 * 9 * P) + 4 * 5 * P,
)
class OneParameterInTwoModules(Between):
    """Two convolutions in a row with one weight and a bias each."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(8, 8), conv(8, 8)
        self.other.weight = self.one.weight

    def middle(self, x: Tensor) -> Tensor:
        return self.other(F.relu(self.one(x)))


@construct(
    groups=[8],
    macs=2 * (3 * 8 * 9 * P) + 16 * 5 * P,
    left=2 * (3 * 4 * 9 * P) + 8 * 5 * P,
)
class SharedMemory(nn.Module):
    """Two different parameters on the same memory."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(3, 8), conv(3, 8, dilation=2)
        self.other.weight = nn.Parameter(self.one.weight.data)
        self.head = conv(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat((self.one(x), self.other(x)), 1).relu())


@construct(by_layers=False, groups=[6], macs=2 * (3 * P * 6), left=2 * (3 * P * 3))
class TiedAutoencoder(nn.Module):
    """The decoder uses the encoder's weight transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 3 * P) / 10)
        self.bias = nn.Parameter(torch.zeros(6))

    def forward(self, x: Tensor) -> Tensor:
        code = torch.sigmoid(F.linear(x.flatten(1), self.weight, self.bias))
        return F.linear(code, self.weight.t()).view_as(x)


@construct(groups=[6], macs=2 * (3 * P * 6), left=2 * (3 * P * 3))
class TransposedMemory(nn.Module):
    """The decoder's weight is a parameter of its own on the encoder's memory, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(3 * P, 6), nn.Linear(6, 3 * P)
        self.decoder.weight = nn.Parameter(self.encoder.weight.data.t())

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(torch.sigmoid(self.encoder(x.flatten(1))))


@construct(
    groups=[8],
    macs=2 * (3 * 8 * 9 * P) + 8 * 5,
    left=2 * (3 * 4 * 9 * P) + 4 * 5,
    inputs=images((3, 8, 8), (3, 8, 8)),
)
class Siamese(nn.Module):
    """Two images through the same layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(conv(3, 8, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 5)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        apart = (self.features(one) - self.features(other)).abs()
        return self.head(apart.mean((2, 3)))


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 16 * 5 * P, left=2 * (3 * 4 * 9 * P) + 8 * 5 * P)
class SharedNorm(nn.Module):
    """One batch norm after two convolutions ties their channels."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(3, 8, bias=False), conv(3, 8, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.head = conv(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat((self.norm(self.one(x)), self.norm(self.other(x))), 1).relu())


class _Reparametrised(Between):
    """A convolution to 6 channels whose weight is computed from other tensors at every call."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.next = self.changed(conv(8, 6))

    def changed(self, layer: nn.Module) -> nn.Module:
        return layer

    def middle(self, x: Tensor) -> Tensor:
        return F.relu(self.next(F.relu(x)))


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
    by_layers=False,
)
class WeightNorm(_Reparametrised):
    """The norm of an output's weight runs over all inputs; its gain follows what goes of them."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return parametrizations.weight_norm(layer)


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
    by_layers=False,
)
class OldWeightNorm(_Reparametrised):
    """The same through a hook that writes the weight before each call."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return nn.utils.weight_norm(layer)


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
    by_layers=False,
)
class WeightNormOfAll(_Reparametrised):
    """One norm of the whole weight."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return parametrizations.weight_norm(layer, dim=None)  # type: ignore[arg-type]


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
    by_layers=False,
)
class WeightNormTransposed(_Reparametrised):
    """A transposed convolution has its outputs along dimension 1."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return nn.utils.weight_norm(nn.ConvTranspose2d(8, 6, 3, padding=1), dim=1)


@construct(
    groups=[4, 3],
    macs=3 * 8 * 9 * P + 4 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 2 * 4 * 9 * P + 4 * 5 * P,
    by_layers=False,
)
class WeightNormInGroups(_Reparametrised):
    """Two groups lose the same inputs and the same outputs."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return parametrizations.weight_norm(conv(8, 6, groups=2))


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * 9 * P + 3 * 5 * P,
    locked={"stem": "weight_norm norm"},
)
class WeightNormWithSharedGain(_Reparametrised):
    """The gain scales the outputs, too, so it cannot make up for inputs that go."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return parametrizations.weight_norm(layer)

    def middle(self, x: Tensor) -> Tensor:
        gain: Any = self.next.parametrizations.weight.original0  # type: ignore[union-attr]
        return F.relu(self.next(F.relu(x))) * gain.view(1, -1, 1, 1)


class _Spectral(nn.Module):
    """A 3×3 convolution to 6 channels between others, its weight divided by its largest singular value."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.after, self.head = conv(3, 8), conv(6, 4), conv(4, 5, 1)
        self.next = self.changed(conv(8, 6))

    def changed(self, layer: nn.Module) -> nn.Module:
        return parametrizations.spectral_norm(layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.after(F.relu(self.next(F.relu(self.stem(x)))))))


@construct(
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 4 * 9 * P + 4 * 5 * P + 8 * 6 * 9 + 6,
    left=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 2 * 9 * P + 2 * 5 * P + 8 * 6 * 9 + 6,
    locked={"stem": "mv next together remove_parametrizations", "next": "dot next together"},
)
class SpectralNorm(_Spectral):
    """That value is of the whole matrix, so its rows and columns stay."""


@construct(
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 4 * 9 * P + 4 * 5 * P + 8 * 6 * 9 + 6,
    left=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 2 * 9 * P + 2 * 5 * P + 8 * 6 * 9 + 6,
    locked={"stem": "mv next together remove_spectral_norm", "next": "dot next together"},
)
class OldSpectralNorm(_Spectral):
    """The same through a hook that writes the weight before each call."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return nn.utils.spectral_norm(layer)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * 9 * P + 3 * 5 * P,
    locked={"stem": "linalg_vector_norm next together plain weight"},
)
class WeightOfLengthOne(_Reparametrised):
    """A parametrisation that has no gain to follow."""

    class Normed(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight / torch.linalg.vector_norm(weight, dim=(1, 2, 3), keepdim=True)

    def changed(self, layer: nn.Module) -> nn.Module:
        parametrize.register_parametrization(layer, "weight", self.Normed())
        return layer


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
)
class WeightMask(_Reparametrised):
    """`torch.nn.utils.prune`: an original weight times a mask."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return prune.l1_unstructured(layer, "weight", 0.3)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * 9 * P + 3 * 5 * P,
    locked={"stem": "mean next weights.py: together plain weight"},
)
class WeightStandardisation(_Reparametrised):
    """Each output's weight gets mean 0 and deviation 1 over all inputs, so they stay."""

    class Standardised(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            weight = weight / (weight.std((1, 2, 3), keepdim=True) + 1e-5)
            return self._conv_forward(x, weight, self.bias)

    def changed(self, layer: nn.Module) -> nn.Module:
        return self.Standardised(8, 6, 3, padding=1)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * 9 * P + 3 * 5 * P,
    locked={"stem": "conv2d next together plain weight"},
)
class WeightStandardisationByBatchNorm(_Reparametrised):
    """The same as a batch norm of the weight, with a gain (Brock 2021, arXiv 2102.06171)."""

    class Standardised(nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(8, 6, 3, padding=1)
            self.gain = nn.Parameter(torch.ones(6, 1, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            flat = self.weight.reshape(1, self.out_channels, -1)
            weight = F.batch_norm(flat, None, None, weight=self.gain.view(-1) * 0.1, training=True, momentum=0.0)
            return self._conv_forward(x, weight.reshape_as(self.weight), self.bias)

    def changed(self, layer: nn.Module) -> nn.Module:
        return self.Standardised()


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
)
class Frozen(_Reparametrised):
    """The first layers do not learn, and do not after removal."""

    def changed(self, layer: nn.Module) -> nn.Module:
        self.stem.requires_grad_(False)
        layer.bias.requires_grad_(False)
        return layer


@construct(
    groups=[8, 6], macs=3 * 8 * P * 9 + 8 * 6 * 9 * P + 6 * 5 * P, left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P
)
class Dilated(_Reparametrised):
    """A kernel with holes."""

    def changed(self, layer: nn.Module) -> nn.Module:
        return conv(8, 6, dilation=2)


@construct(
    nn.Conv1d,
    nn.BatchNorm1d,
    name="one-dimension",
    inputs=images((3, 8)),
    groups=[8, 6],
    macs=3 * 8 * 3 * 6 + 8 * 6 * 3 * 4 + 6 * 5,
    left=3 * 4 * 3 * 6 + 4 * 3 * 3 * 4 + 3 * 5,
)
@construct(
    nn.Conv3d, nn.BatchNorm3d,
    name="three-dimensions",
    inputs=images((3, 6, 6, 6)),
    groups=[8, 6],
    macs=3 * 8 * 27 * 4**3 + 8 * 6 * 27 * 2**3 + 6 * 5,
    left=3 * 4 * 27 * 4**3 + 4 * 3 * 27 * 2**3 + 3 * 5,
)  # fmt: skip
class OtherDimensions(nn.Module):
    """Signals and volumes in place of images."""

    def __init__(self, layer: type[nn.Module], norm: type[nn.Module]) -> None:
        super().__init__()
        self.features = nn.Sequential(layer(3, 8, 3), norm(8), nn.ReLU(), layer(8, 6, 3))
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).flatten(2).mean(2))


@construct(
    groups=[8, 6],
    macs=3 * 1 * 9 * P + 1 * 8 * 9 * P + 8 * 1 * P + 1 * 6 * P + 6 * 5 * P,
    left=3 * 1 * 9 * P + 1 * 4 * 9 * P + 4 * 1 * P + 1 * 3 * P + 3 * 5 * P,
    locked={"grey": "one channel", "narrow": "one channel"},
)
class OneChannelMaps(nn.Module):
    """Maps of a single channel, which stays."""

    def __init__(self) -> None:
        super().__init__()
        self.grey = conv(3, 1)
        self.wide = conv(1, 8)
        self.narrow = conv(8, 1, 1)
        self.again = conv(1, 6, 1)
        self.head = conv(6, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.wide(F.relu(self.grey(x))))
        return self.head(F.relu(self.again(F.leaky_relu(self.narrow(x)))))


@construct(
    by_layers=False,
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 9 * 16 + 8 * 5 * 16,
    left=3 * 4 * 9 * P + 4 * 9 * 16 + 4 * 5 * 16,
)
class RepeatedKernel(Between):
    """A blur whose one kernel is repeated for as many channels as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.rand(1, 1, 3, 3))

    def middle(self, x: Tensor) -> Tensor:
        kernel = self.kernel.repeat(x.shape[1], 1, 1, 1)
        return F.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


@construct(
    by_layers=False,
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 10 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 10 * P + 4 * 5 * P,
)
class Codebook(Between):
    """Each place becomes the nearest of ten codes, which move along in training by writing to `.data` (VQ-VAE,
    arXiv 1711.00937)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codes", torch.randn(8, 10))
        self.register_buffer("sums", torch.randn(8, 10))
        self.register_buffer("counts", torch.ones(10))

    def middle(self, x: Tensor) -> Tensor:
        flat = x.movedim(1, 3).reshape(-1, x.shape[1])
        nearest = (self.codes.pow(2).sum(0) - 2 * flat @ self.codes).min(1)[1]
        chosen = F.embedding(nearest.view(len(x), *x.shape[2:]), self.codes.t()).movedim(3, 1)
        if self.training:
            picked = F.one_hot(nearest, 10).to(flat)
            self.counts.data.mul_(0.9).add_(picked.sum(0), alpha=0.1)
            self.sums.data.mul_(0.9).add_(flat.t() @ picked, alpha=0.1)
            self.codes.data.copy_(self.sums / self.counts)
        return x + (chosen - x).detach()
