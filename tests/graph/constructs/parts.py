"""Channels cut into parts and put side by side: chunk, split, slice, select, unbind, cat, stack, pad."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.graph.constructs.registry import Between, P, construct, conv


class _Parts(nn.Module):
    """8 channels in two parts; a 1×1 convolution to 6 reads the first, and the head that and the second."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.branch = conv(first, 6, 1)
        self.head = conv(6 + second, 5, 1)

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.chunk(2, 1)
        return first, second

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.cut(self.stem(x))
        return self.head(torch.cat((self.branch(first), second), 1))


@construct(
    3, 5,
    groups=[3, 5, 6],
    macs=3 * 8 * 9 * P + 3 * 6 * P + (6 + 5) * 5 * P,
    left=3 * (2 + 3) * 9 * P + 2 * 3 * P + (3 + 3) * 5 * P,
)  # fmt: skip
class SliceByAttribute(_Parts):
    """The border between the first three channels and the rest is kept in an attribute, which can follow (RexNet)."""

    def __init__(self, *parts: int) -> None:
        super().__init__(*parts)
        self.border = 3

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, : self.border], x[:, self.border :]


@construct(
    4, 4,
    groups=[4, 6],
    macs=3 * 8 * 9 * P + 4 * 6 * P + (6 + 4) * 5 * P,
    left=3 * 4 * 9 * P + 2 * 3 * P + (3 + 2) * 5 * P,
)  # fmt: skip
class Chunk(_Parts):
    """Two halves that must stay equal."""


@construct(
    2, 6,
    groups=[2, 6],
    macs=3 * 8 * 9 * P + 2 * 6 * P + (6 + 6) * 5 * P,
    left=3 * 4 * 9 * P + 1 * 3 * P + (3 + 3) * 5 * P,
)  # fmt: skip
class UnequalSplit(_Parts):
    """A quarter and three quarters, computed: four channels go together."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        quarter = x.shape[1] // 4
        first, second = x.split((quarter, 3 * quarter), 1)
        return first, second


@construct(
    2, 6,
    groups=[6],
    macs=3 * 8 * 9 * P + 2 * 6 * P + (6 + 6) * 5 * P,
    left=3 * 8 * 9 * P + 2 * 3 * P + (3 + 6) * 5 * P,
    locked={"stem": "split parts.py:"},
)  # fmt: skip
class HardCodedSplit(_Parts):
    """Parts whose sizes are written into the code."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.split((2, 6), 1)
        return first, second


@construct(
    3, 5,
    groups=[5, 6],
    macs=3 * 8 * 9 * P + 3 * 6 * P + (6 + 5) * 5 * P,
    left=3 * (3 + 3) * 9 * P + 3 * 3 * P + (3 + 3) * 5 * P,
    locked={"stem": "slice parts.py:"},
)  # fmt: skip
class HardCodedSlice(_Parts):
    """The first three channels are a number in the code; whatever comes after may be fewer."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, :3], x[:, 3:]


@construct(
    4, 4,
    groups=[4, 6],
    macs=3 * 8 * 9 * P + 4 * 6 * P + (6 + 4) * 5 * P,
    left=3 * 4 * 9 * P + 2 * 3 * P + (3 + 2) * 5 * P,
)  # fmt: skip
class HalvesBySlice(_Parts):
    """Halves whose border is computed."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        half = x.shape[1] // 2
        return x[:, :half], x[:, half:]


@construct(
    4, 4,
    groups=[4, 6],
    macs=3 * 8 * 9 * P + 4 * 6 * P + (6 + 4) * 5 * P,
    left=3 * 4 * 9 * P + 2 * 3 * P + (3 + 2) * 5 * P,
)  # fmt: skip
class EveryOther(_Parts):
    """Even and odd channels: neighbours go together."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, ::2], x[:, 1::2]


@construct(
    4, 4,
    groups=[4, 6],
    macs=3 * 8 * 9 * P + 4 * 6 * P + (6 + 4) * 5 * P,
    left=3 * 4 * 9 * P + 2 * 3 * P + (3 + 2) * 5 * P,
)  # fmt: skip
class Narrow(_Parts):
    """Halves by `narrow`, whose length is computed too."""

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        half = x.shape[1] // 2
        return x.narrow(1, 0, half), x.narrow(1, half, half)


class _C2f(nn.Module):
    """YOLO's C2f: half of the channels through a bottleneck with a shortcut, then all three parts side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.c = 4
        self.first = conv(3, 2 * self.c, 1)
        self.down, self.up = conv(self.c, 6), conv(6, self.c)
        self.last = conv(3 * self.c, 6, 1)
        self.head = conv(6, 5, 1)

    def cut(self, x: Tensor) -> list[Tensor]:
        return list(x.chunk(2, 1))

    def forward(self, x: Tensor) -> Tensor:
        parts = self.cut(self.first(x))
        parts.append(parts[-1] + self.up(F.silu(self.down(parts[-1]))))
        return self.head(F.silu(self.last(torch.cat(parts, 1))))


@construct(
    groups=[4, 6, 6],
    macs=3 * 8 * P + 4 * 6 * 9 * P + 6 * 4 * 9 * P + 12 * 6 * P + 6 * 5 * P,
    left=3 * 4 * P + 2 * 3 * 9 * P + 3 * 2 * 9 * P + 6 * 3 * P + 3 * 5 * P,
)
class C2fChunk(_C2f):
    """The first half is tied to the second by the chunk, and that to the bottleneck by the sum."""


@construct(
    groups=[4, 6, 6],
    macs=3 * 8 * P + 4 * 6 * 9 * P + 6 * 4 * 9 * P + 12 * 6 * P + 6 * 5 * P,
    left=3 * 4 * P + 2 * 3 * 9 * P + 3 * 2 * 9 * P + 6 * 3 * P + 3 * 5 * P,
)
class C2fSplit(_C2f):
    """The same, with sizes from an attribute that repeats a channel count."""

    def cut(self, x: Tensor) -> list[Tensor]:
        return list(x.split((self.c, self.c), 1))


@construct(
    groups=[2, 2, 6, 6],
    macs=3 * 8 * 9 * P + 2 * 2 * 9 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * (1 + 3) * 9 * P + 1 * 1 * 9 * P + (1 + 3) * 3 * P + 3 * 5 * P,
)
class PartialConvolution(nn.Module):
    """FasterNet: a quarter is convolved, the rest only passes; both sizes are attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.convolved, self.untouched = 2, 6
        self.stem = conv(3, 8)
        self.partial = conv(2, 2)
        self.last = conv(8, 6, 1)
        self.head = conv(6, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        first, rest = torch.split(self.stem(x), [self.convolved, self.untouched], 1)
        return self.head(F.relu(self.last(torch.cat((self.partial(first), rest), 1))))


@construct(
    groups=[4, 4],
    macs=3 * 16 * 9 * P + 3 * (4 * 4 * 9 * P) + 16 * 5 * P,
    left=3 * 8 * 9 * P + 3 * (2 * 2 * 9 * P) + 8 * 5 * P,
)
class Res2Net(nn.Module):
    """Four parts, each added to what the part before became: place j of all parts hangs together, but not what the
    last convolution makes."""

    def __init__(self) -> None:
        super().__init__()
        self.width = 4
        self.stem = conv(3, 16)
        self.convs = nn.ModuleList(conv(4, 4) for _ in range(3))
        self.head = conv(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.split(self.stem(x), self.width, 1)
        made: list[Tensor] = []
        for i, layer in enumerate(self.convs):
            made.append(layer(made[-1] + parts[i] if made else parts[i]))
        return self.head(torch.cat((*made, parts[3]), 1))


@construct(
    groups=[4],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * (4 + 2) * 9 * P + (4 + 2) * 5 * P,
    locked={"stem": "select parts.py:"},
)
class Select(Between):
    """Channel 3 as a gate: it and those before must stay, or another would be number 3."""

    def middle(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x[:, 3]).unsqueeze(1)


@construct(
    groups=[7],
    macs=3 * 8 * 9 * P + 8 * 5 * P,
    left=3 * (1 + 4) * 9 * P + (1 + 4) * 5 * P,
    locked={"stem": "select parts.py:"},
)
class SelectLast(Between):
    """The last channel as a gate, counted from the end."""

    def middle(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x[:, -1]).unsqueeze(1)


@construct(
    groups=[6],
    macs=3 * 4 * 9 * P + 4 * 6 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 4 * 3 * P + 3 * 5 * P,
    locked={"stem": "unbind parts.py:"},
)
class Unbind(Between):
    """Each of four channels has a name in the code."""

    wide, reads = 4, 6

    def __init__(self) -> None:
        super().__init__()
        self.next = conv(4, 6, 1)

    def middle(self, x: Tensor) -> Tensor:
        a, b, c, d = x.unbind(1)
        return self.next(torch.stack((a, b * torch.sigmoid(a), c, d), 1))


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 8 * 5 * P, left=2 * (3 * 4 * 9 * P) + 4 * 5 * P)
class SelectiveKernel(nn.Module):
    """Two branches stacked and weighed against each other in a dimension of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = conv(3, 8), conv(3, 8, dilation=2)
        self.head = conv(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.stack((self.small(x), self.large(x)), 1)
        share = both.mean((3, 4), keepdim=True).softmax(1)
        return self.head((both * share).sum(1))


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 8 * 5 * P, left=2 * (3 * 4 * 9 * P) + 4 * 5 * P)
class StackAndUnbind(nn.Module):
    """Two branches stacked and taken apart again."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(3, 8), conv(3, 8)
        self.head = conv(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        one, other = torch.stack((self.one(x), self.other(x))).unbind(0)
        return self.head(torch.maximum(one, other))


@construct(groups=[8], macs=2 * (3 * 8 * 9 * P) + 16 * 5 * P, left=2 * (3 * 4 * 9 * P) + 8 * 5 * P)
class Interleave(nn.Module):
    """Channels of two branches in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(3, 8), conv(3, 8)
        self.head = conv(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.stack((self.one(x), self.other(x)), 2).flatten(1, 2))


@construct(groups=[8], macs=3 * 8 * 9 * P + (3 + 8) * 5 * P, left=3 * 4 * 9 * P + (3 + 4) * 5 * P)
class RawInputFirst(Between):
    """The image itself stands before the channels."""

    reads = 11

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat((x, self.stem(x)), 1))


@construct(groups=[8], macs=3 * 8 * 9 * P + (8 + 3) * 5 * P, left=3 * 4 * 9 * P + (4 + 3) * 5 * P)
class RawInputLast(Between):
    """The image itself stands after the channels."""

    reads = 11

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat((self.stem(x), x), 1))


@construct(groups=[8], macs=3 * 8 * 9 * P + (2 + 8) * 5 * P, left=3 * 4 * 9 * P + (2 + 4) * 5 * P)
class CoordinatePlanes(Between):
    """Two constant planes with each position's coordinates before the channels (CoordConv)."""

    reads = 10

    def middle(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        rows = torch.linspace(-1, 1, h).view(1, 1, h, 1).expand(b, 1, h, w)
        columns = torch.linspace(-1, 1, w).view(1, 1, 1, w).expand(b, 1, h, w)
        return torch.cat((rows, columns, x), 1)


@construct(groups=[8], macs=3 * 8 * 9 * P + 16 * 5 * P, left=3 * 4 * 9 * P + 8 * 5 * P)
class CReLU(Between):
    """Each channel and its negative."""

    reads = 16

    def middle(self, x: Tensor) -> Tensor:
        return torch.cat((x, -x), 1).relu()


@construct(groups=[8], macs=3 * 8 * 9 * P + 8 * 9 * P + 16 * 5 * P, left=3 * 4 * 9 * P + 4 * 9 * P + 8 * 5 * P)
class Ghost(Between):
    """GhostNet: channels, cheap copies of them beside them, and a cut that usually cuts nothing."""

    reads = 16

    def __init__(self) -> None:
        super().__init__()
        self.outputs = 16
        self.cheap = conv(8, 8, groups=8)

    def middle(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.cheap(x)), 1)[:, : self.outputs]


class _OptionA(nn.Module):
    """A block that halves the map and doubles the channels; its shortcut fills up with zeros (He 2015, option A)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 4)
        self.first, self.second = conv(4, 8, stride=2), conv(8, 8)
        self.pad = nn.ConstantPad3d((0, 0, 0, 0, 2, 2), 0.0)
        self.head = conv(8, 5, 1)

    def fill(self, x: Tensor, like: Tensor) -> Tensor:
        return self.pad(x)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = self.second(F.relu(self.first(x)))
        return self.head(F.relu(y + self.fill(x[:, :, ::2, ::2], y)))


@construct(
    groups=[4, 4, 8],
    macs=3 * 4 * 9 * P + 4 * 8 * 9 * 16 + 8 * 8 * 9 * 16 + 8 * 5 * 16,
    left=3 * 2 * 9 * P + 2 * 4 * 9 * 16 + 4 * (2 + 2) * 9 * 16 + (2 + 2) * 5 * 16,
)
class OptionAModule(_OptionA):
    """Zeros from a module, whose numbers can follow: those of the stem's channels and four of its own go apart."""


@construct(
    groups=[4, 8],
    macs=3 * 4 * 9 * P + 4 * 8 * 9 * 16 + 8 * 8 * 9 * 16 + 8 * 5 * 16,
    left=3 * 2 * 9 * P + 2 * 4 * 9 * 16 + 4 * (2 + 4) * 9 * 16 + (2 + 4) * 5 * 16,
    locked={"second": "fixed in its code"},
)
class OptionANumbers(_OptionA):
    """Zeros in numbers fixed in the code: what meets them stays."""

    def fill(self, x: Tensor, like: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, 2, 2))


@construct(
    groups=[4, 4, 8],
    macs=3 * 4 * 9 * P + 4 * 8 * 9 * 16 + 8 * 8 * 9 * 16 + 8 * 5 * 16,
    left=3 * 2 * 9 * P + 2 * 4 * 9 * 16 + 4 * (2 + 2) * 9 * 16 + (2 + 2) * 5 * 16,
)
class OptionAComputed(_OptionA):
    """As many zeros in front as are missing: they can follow."""

    def fill(self, x: Tensor, like: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, like.shape[1] - x.shape[1], 0))


@construct(
    groups=[4, 4, 8],
    macs=3 * 4 * 9 * P + 4 * 8 * 9 * 16 + 8 * 8 * 9 * 16 + 8 * 5 * 16,
    left=3 * 2 * 9 * P + 2 * 4 * 9 * 16 + 4 * (2 + 2) * 9 * 16 + (2 + 2) * 5 * 16,
)
class OptionAZeros(_OptionA):
    """A plane of zeros made by the code, as wide as what is missing."""

    def fill(self, x: Tensor, like: Tensor) -> Tensor:
        zeros = x.new_zeros(x.shape[0], like.shape[1] - x.shape[1], x.shape[2], x.shape[3])
        return torch.cat((x, zeros), 1)


@construct(
    groups=[8],
    macs=3 * 8 * 9 * P + 2 * (8 * 8 * 9 * P) + 8 * 5 * P,
    left=3 * 4 * 9 * P + 2 * (4 * 4 * 9 * P) + 4 * 5 * P,
)
class ZeroInitialisedSum(Between):
    """A sum that starts from zeros in the shape of what both convolutions read: all must lose as many."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = conv(8, 8), conv(8, 8)

    def middle(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for layer in (self.one, self.other):
            total = total + layer(x)
        return total


@construct(
    groups=[4],
    macs=3 * 8 * 9 * P + (8 + 4) * 5 * P,
    left=3 * (4 + 2) * 9 * P + (4 + 2 + 4) * 5 * P,
    locked={"stem": "slice parts.py:"},
)
class Prefix(Between):
    """The first four channels are read once more, by number: they stay, and the other four may go."""

    reads = 12

    def middle(self, x: Tensor) -> Tensor:
        return torch.cat((x, x[:, :4]), 1)


@construct(
    groups=[8], macs=3 * 8 * 9 * P + 3 * (8 * 8 * P) + 8 * 5 * P, left=3 * 4 * 9 * P + 3 * (4 * 4 * P) + 4 * 5 * P
)
class LastSumUnused(Between):
    """WaveNet's loop: each layer's result goes to the head and is added for the next, the last one for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(8, 8, 1) for _ in range(3))

    def middle(self, x: Tensor) -> Tensor:
        total: Tensor | float = 0.0
        for layer in self.layers:
            total = total + x
            x = x + layer(x)
        return F.relu(total)  # type: ignore[arg-type]


@construct(
    groups=[6, 8],
    macs=3 * 6 * P + 2 * ((3 + 6) * 24 * P) + 6 * 8 * P + 8 * 5 * P,
    left=3 * 3 * P + 2 * ((3 + 3) * 12 * P) + 3 * 4 * P + 4 * 5 * P,
)
class ConvLstm(Between):
    """Two steps of a convolutional LSTM: four gates by chunk, and a state that is fed back beside the image."""

    def __init__(self) -> None:
        super().__init__()
        self.start = conv(3, 6, 1)
        self.gates = conv(3 + 6, 24, 1)
        self.last = conv(6, 8, 1)
        del self.stem

    def forward(self, x: Tensor) -> Tensor:
        state = memory = self.start(x).tanh()
        for _ in range(2):
            enter, forget, out, new = self.gates(torch.cat((x, state), 1)).chunk(4, 1)
            memory = forget.sigmoid() * memory + enter.sigmoid() * new.tanh()
            state = out.sigmoid() * memory.tanh()
        return self.head(self.last(state))


@construct(
    groups=[6],
    macs=3 * 8 * 9 * P + 8 * 8 * P + 8 * 6 * P + 6 * 5 * P,
    left=3 * 8 * 9 * P + 8 * 8 * P + 8 * 3 * P + 3 * 5 * P,
    locked={"stem": "reshape parts.py:"},
)
class WidthFromElsewhere(Between):
    """What is sorted, and so stays, is brought into the shape of what it was made of, which then stays, too."""

    def __init__(self) -> None:
        super().__init__()
        self.keys, self.last, self.head = conv(8, 8, 1), conv(8, 6, 1), conv(6, 5, 1)

    def middle(self, x: Tensor) -> Tensor:
        keys = self.keys(x).sort(1).values.flatten(2)
        return self.last(keys.reshape(x.shape))


@construct(
    groups=[8, 8], macs=3 * 8 * 9 * P + 8 * 16 * 9 * P + 8 * 5 * P, left=3 * 4 * 9 * P + 4 * 8 * 9 * P + 4 * 5 * P
)
class GatesByAttribute(Between):
    """A constant of which the code makes no use stands only in a trace that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = 8
        self.gates = conv(8, 16)

    def middle(self, x: Tensor) -> Tensor:
        torch.IntTensor([self.channels])
        made = self.gates(x)
        return torch.tanh(made[:, : self.channels]) * torch.sigmoid(made[:, self.channels :])
