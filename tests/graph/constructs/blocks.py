"""How layers are put together: branches, sums, products, several inputs and outputs, parts used only in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

from tests.graph.constructs.registry import Between, Inputs, P, construct, conv, images


@construct(
    groups=[8, 4, 4],
    macs=3 * 8 * 9 * P + 8 * 4 * 9 * P + 12 * 4 * 9 * P + 16 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * 9 * P + 6 * 2 * 9 * P + 8 * 5 * P,
)
class DenseBlock(Between):
    """Every layer reads all that came before."""

    reads = 16

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = conv(8, 4), conv(12, 4)
        self.norm_one, self.norm_two = nn.BatchNorm2d(8), nn.BatchNorm2d(12)

    def middle(self, x: Tensor) -> Tensor:
        x = torch.cat((x, self.one(F.relu(self.norm_one(x)))), 1)
        return torch.cat((x, self.two(F.relu(self.norm_two(x)))), 1)


@construct(
    groups=[8, 4, 6, 2],
    macs=3 * 8 * 9 * P + 8 * 4 * P + 8 * 6 * 9 * P + 8 * 2 * P + 12 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * P + 4 * 3 * 9 * P + 4 * 1 * P + 6 * 5 * P,
)
class Inception(Between):
    """Three branches side by side."""

    reads = 12

    def __init__(self) -> None:
        super().__init__()
        self.point, self.square, self.pooled = conv(8, 4, 1), conv(8, 6), conv(8, 2, 1)

    def middle(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        return F.relu(torch.cat((self.point(x), self.square(x), self.pooled(pooled)), 1))


@construct(
    groups=[8, 4, 6, 2],
    macs=3 * 8 * 9 * P + 8 * 4 * P + 8 * 6 * 9 * P + 8 * 2 + 12 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 2 * P + 4 * 3 * 9 * P + 4 * 1 + 6 * 5 * P,
)
class PyramidPooling(Between):
    """ASPP: one of the branches sees the mean of the whole map and is spread out again."""

    reads = 12

    def __init__(self) -> None:
        super().__init__()
        self.point, self.holes, self.pooled = conv(8, 4, 1), conv(8, 6, dilation=2), conv(8, 2, 1)

    def middle(self, x: Tensor) -> Tensor:
        pooled = self.pooled(F.adaptive_avg_pool2d(x, 1))
        pooled = F.interpolate(pooled, size=x.shape[2:], mode="bilinear", align_corners=False)
        return torch.cat((self.point(x), self.holes(x), pooled), 1).relu()


@construct(
    groups=[8, 12, 6],
    macs=3 * 8 * 9 * P + 8 * 12 * 9 * 16 + 20 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 6 * 9 * 16 + 10 * 3 * 9 * P + 3 * 5 * P,
)
class UNet(Between):
    """The lower map, enlarged, beside the upper one."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.merge = conv(8, 12), conv(20, 6)

    def middle(self, x: Tensor) -> Tensor:
        low = F.relu(self.lower(F.max_pool2d(x, 2)))
        low = F.interpolate(low, scale_factor=2.0, mode="nearest")
        return F.relu(self.merge(torch.cat((low, x), 1)))


@construct(
    groups=[8, 12, 6, 4],
    macs=3 * 8 * 9 * P + 8 * 12 * 9 * 16 + 12 * 6 * 4 * 16 + 14 * 4 * 9 * P + 4 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 6 * 9 * 16 + 6 * 3 * 4 * 16 + 7 * 2 * 9 * P + 2 * 5 * P,
)
class UNetTransposed(Between):
    """The lower map enlarged by a transposed convolution and padded to the size of the upper one."""

    reads = 4

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.merge = conv(8, 12), conv(14, 4)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)

    def middle(self, x: Tensor) -> Tensor:
        low = self.up(F.relu(self.lower(F.max_pool2d(x, 2))))
        rows, columns = x.shape[2] - low.shape[2], x.shape[3] - low.shape[3]
        low = F.pad(low, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return F.relu(self.merge(torch.cat((x, low), 1)))


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 2 * (8 * 8 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 4 * P) + 4 * 5 * P,
)
class Highway(Between):
    """A gate decides between what comes in and what is made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.make = conv(8, 8, 1), conv(8, 8, 1)

    def middle(self, x: Tensor) -> Tensor:
        gate = self.gate(x).sigmoid()
        return gate * self.make(x).relu() + (1 - gate) * x


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 8 * 5 * P, left=2 * (3 * 4 * 9 * P) + 4 * 5 * P)
class Product(nn.Module):
    """Two convolutions multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(3, 8), conv(3, 8)
        self.head = conv(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.one(x) * self.other(x))


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class Square(Between):
    """A map times itself."""

    def middle(self, x: Tensor) -> Tensor:
        return x * x - x.pow(3)


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 5 * P)
class InPlace(Between):
    """Values that are overwritten."""

    def middle(self, x: Tensor) -> Tensor:
        x = x + 0.5
        x.mul_(2)
        x += 1
        x[:, :, 0] = 0.0
        return F.relu_(x)


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
)
class StochasticResidual(Between):
    """A branch that is left out at random in training, and identities."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.next = conv(8, 8), conv(8, 6)
        self.drop, self.nothing = StochasticDepth(0.5, "row"), nn.Identity()

    def middle(self, x: Tensor) -> Tensor:
        x = self.nothing(x) + self.drop(self.branch(x))
        return F.dropout2d(F.relu(self.next(x)), 0.2, self.training)


@construct(
    groups=[8, 8],
    macs=3 * 8 * 9 * P + 3 * (8 * 8 * 9 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 3 * (4 * 4 * 9 * P) + 4 * 5 * P,
)
class Containers(Between):
    """Layers in a list, run in a loop, and in a dictionary, summed; the loop ties what it makes to what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = nn.ModuleList([conv(8, 8)])
        self.branches = nn.ModuleDict({"plain": conv(8, 8), "holes": conv(8, 8, dilation=2)})

    def middle(self, x: Tensor) -> Tensor:
        for layer in self.chain:
            x = x + F.relu(layer(x))
        return sum(branch(x) for branch in self.branches.values())


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P + 8 * 2 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P + 4 * 2 * P,
)
class Detached(Between):
    """A second head that does not send gradients back: two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.probe = conv(8, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        return self.head(x), self.probe(x.detach())


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class TrainingBranch(Between):
    """A second head with a layer of its own that runs only in training; it does not count in what is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.extra, self.probe = conv(8, 6), conv(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.stem(x)
        if self.training:
            return self.head(x), self.probe(F.relu(self.extra(x)))
        return self.head(x)


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 3 * P + 3 * 5 * P,
    locked={"stem": "outputs stay"},
)
class FeaturesAreOutput(Between):
    """What the network hands out keeps its channels."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.next = conv(8, 6, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        return {"features": x, "out": self.head(F.relu(self.next(x)))}


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P + 8 * 2 * P + 8 * 4,
    left=3 * 4 * 9 * P + 4 * 5 * P + 4 * 2 * P + 4 * 4,
)
class NestedOutputs(Between):
    """Outputs in a dictionary with a list inside."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes, self.label = conv(8, 2, 1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> dict[str, object]:
        x = self.stem(x)
        return {"out": self.head(x), "more": [self.boxes(x), {"label": self.label(x.mean((2, 3)))}]}


def keywords() -> Inputs:
    return lambda batch: {"image": torch.randn(batch, 3, 8, 8), "mask": torch.rand(batch, 1, 8, 8)}


@construct(
    inputs=keywords(),
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class KeywordInputs(Between):
    """An image and a mask of one channel, by name."""

    def forward(self, *, image: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.stem(image) * mask)


@construct(
    inputs=images((3, 8, 8), (4,)),
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 4 * 6 + 6 * 16 + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 + 3 * 8 + 4 * 5 * P,
)
class Conditioned(Between):
    """FiLM: a second input gives a scale and a shift for each channel, from one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.code, self.film = nn.Linear(4, 6), nn.Linear(6, 16)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(F.relu(self.code(condition)))[:, :, None, None].chunk(2, 1)
        return self.head(self.stem(x) * (1 + scale) + shift)


@construct(
    inputs=images((3, 8, 8), (3, 4, 4)),
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 3 * 6 * 9 * 16 + (8 + 6) * 5,
    left=3 * 4 * 9 * P + 3 * 3 * 9 * 16 + (4 + 3) * 5,
)
class TwoInputs(nn.Module):
    """Two images of different size, features side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.large, self.small = conv(3, 8), conv(3, 6)
        self.head = nn.Linear(14, 5)

    def forward(self, large: Tensor, small: Tensor) -> Tensor:
        parts = (F.relu(self.large(large)).mean((2, 3)), F.relu(self.small(small)).amax((2, 3)))
        return self.head(torch.hstack(parts))


@construct(
    by_layers=False,
    groups=[8, 6, 6, 4, 6],
    macs=3 * 8 * 9 * P + 2 * (8 * 6) + 4 * 6 + 6 * 5,
    left=3 * 4 * 9 * P + 2 * (4 * 3) + 2 * 3 + 3 * 5,
)
class Bilinear(nn.Module):
    """A weight with three dimensions: each side's channels go by themselves; its own products are not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.one, self.other = nn.Linear(8, 6), nn.Linear(8, 6)
        self.pair = nn.Bilinear(6, 6, 4)
        self.last, self.head = nn.Linear(4, 6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x)).mean((2, 3))
        return self.head(F.relu(self.last(self.pair(self.one(x), self.other(x)))))


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * 6 * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * 9 * P + 3 * 5 * P,
)
class SizesInAttributes(Between):
    """Every size is kept in an attribute and asked for in the code."""

    reads = 6

    def __init__(self) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.size = 8, 6, (8, 8)
        self.next = conv(self.in_channels, self.out_channels)

    def middle(self, x: Tensor) -> Tensor:
        x = self.next(x.view(-1, self.in_channels, *self.size))
        return F.relu(x.reshape(-1, self.out_channels, *self.size))


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 4 * 9 * P + 4 * 5 * P,
)
class ShortcutIfItFits(Between):
    """A sum that the code leaves out where the numbers of channels differ: both must stay equal."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = conv(8, 8)

    def middle(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        return x + y if x.shape == y.shape else y


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 5 * P,
)
class Masked(Between):
    """Choices between a map and numbers."""

    def middle(self, x: Tensor) -> Tensor:
        x = torch.where(x > 0, x, 0.1 * x).masked_fill(x < -2, -1.0)
        return x.clamp(-1, 3).nan_to_num()
