"""Maps that are pooled and unpooled, weighed by kernels of their own at each place, or transformed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class MaxUnpool(Between):
    """Maxima, and back at the places they came from."""

    def middle(self, x: Tensor) -> Tensor:
        small, places = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(small.relu(), places, 2)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class MaxUnpoolOfRows(Between):
    """The same for sequences."""

    def middle(self, x: Tensor) -> Tensor:
        small, places = F.max_pool1d(x.flatten(2), 2, return_indices=True)
        return F.max_unpool1d(small.tanh(), places, 2).unflatten(2, (8, 8))


@construct(
    groups=[4, 4],
    macs=3 * 8 * 9 * P + 8 * 4 * P + 4 * 18 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * P + 2 * 18 * P + 4 * 5 * P,
    locked={"span": "shares values among slices of the channels"},
)
class Involution(Between):
    """A 3×3 kernel of its own at each place for each of two groups of channels (Li 2021, arXiv 2103.06255): each group
    loses the same channels, and the kernels stay."""

    def __init__(self) -> None:
        super().__init__()
        self.groups, self.group_channels = 2, 4
        self.reduce, self.span = conv(8, 4, 1), conv(4, 18, 1)

    def middle(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        kernels = self.span(F.relu(self.reduce(x))).view(b, self.groups, 9, h, w).unsqueeze(2)
        patches = F.unfold(x, 3, padding=1).view(b, self.groups, self.group_channels, 9, h, w)
        return (kernels * patches).sum(3).view(b, self.groups * self.group_channels, h, w)


@construct(
    groups=[8, 4],
    macs=3 * 8 * 9 * P + 8 * 4 * P + 4 * 36 * P + 8 * 9 * 4 * P + 8 * 5 * 4 * P,
    left=3 * 4 * 9 * P + 4 * 2 * P + 2 * 36 * P + 4 * 9 * 4 * P + 4 * 5 * 4 * P,
    locked={"encode": "softmax runs along the channels"},
)
class ReassembledUpsampling(Between):
    """A map of twice the size whose values are weighed means of nine others (Wang 2019, arXiv 1905.02188)."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.encode = conv(8, 4, 1), conv(4, 36, 1)

    def middle(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        share = F.pixel_shuffle(self.encode(self.squeeze(x)), 2).softmax(1)
        wide = F.unfold(F.interpolate(x, scale_factor=2), 3, dilation=2, padding=2).view(b, c, 9, 2 * h, 2 * w)
        return torch.einsum("bkhw,bckhw->bchw", share, wide)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class FoldedPatches(Between):
    """Overlapping patches, added up again."""

    def middle(self, x: Tensor) -> Tensor:
        return F.fold(F.unfold(x, 3, padding=1), (8, 8), 3, padding=1)


@construct(
    by_layers=False,
    groups=[8, 8],
    macs=3 * 8 * 9 * P + 9 * 8 * 8 + 8 * 5 * P,
    left=3 * 4 * 9 * P + 9 * 4 * 4 + 4 * 5 * P,
)
class ComplexSpectrum(Between):
    """Low frequencies through complex weights (Li 2020, arXiv 2010.08895)."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 8
        self.weight = nn.Parameter(torch.randn(8, 8, 3, 3, dtype=torch.cfloat) / 8)

    def middle(self, x: Tensor) -> Tensor:
        waves = torch.fft.rfft2(x)
        out = torch.zeros(len(x), self.made, 8, 5, dtype=torch.cfloat)
        out[:, :, :3, :3] = torch.einsum("bixy,ioxy->boxy", waves[:, :, :3, :3], self.weight)
        return torch.fft.irfft2(out, s=x.shape[2:])


@construct(
    by_layers=False,
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class ComplexFilter(Between):
    """A filter for each channel (Rao 2021, arXiv 2107.00645), kept as pairs of real numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 8, 5, 2))

    def middle(self, x: Tensor) -> Tensor:
        return x + torch.fft.irfft2(torch.fft.rfft2(x) * torch.view_as_complex(self.weight), s=x.shape[2:])


@construct(
    by_layers=False,
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class ComplexBuffer(Between):
    """Pairs of rows turned by fixed complex numbers."""

    turn: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("turn", torch.polar(torch.ones(4), torch.arange(4.0)))

    def middle(self, x: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.unflatten(3, (4, 2)))
        return torch.view_as_real(pairs * self.turn).flatten(3)


@construct(
    by_layers=False,
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 8 * P + 2 * (8 * 5),
    left=3 * 4 * 9 * P + 4 * 4 * P + 2 * (4 * 5),
)
class GramDiagonal(nn.Module):
    """Products of all pairs of channels: sums over rows, and the diagonal, whose channels go with row and column."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.sums, self.powers = conv(3, 8), nn.Linear(8, 5), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.stem(x).flatten(2)
        gram = y @ y.transpose(1, 2)
        return self.sums(gram.sum(2)) + self.powers(gram.diagonal(0, 1, 2))
