"""Recurrent cells in loops of the network's own, and packed sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from tests.graph.constructs.registry import P, construct, conv, images, words


@construct(
    nn.GRUCell,
    name="GRU",
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * (18 * 8 + 18 * 6) + 6 * 5,
    left=3 * 4 * 9 * P + 8 * (9 * 4 + 9 * 3) + 3 * 5,
)
@construct(
    nn.RNNCell,
    name="RNN",
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 8 * (6 * 8 + 6 * 6) + 6 * 5,
    left=3 * 4 * 9 * P + 8 * (3 * 4 + 3 * 3) + 3 * 5,
)
class CellLoop(nn.Module):
    """A cell reads the columns of a map one by one; the first state is zeros, as many as an attribute says."""

    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.hidden = 6
        self.stem = conv(3, 8)
        self.cell = kind(8, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), self.hidden)
        for column in self.stem(x).mean(2).unbind(2):
            state = self.cell(column, state)
        return self.head(state)


@construct(
    groups=[8, 6, 4],
    macs=3 * 8 * 9 * P + 8 * (24 * 8 + 24 * 6 + 16 * 6 + 16 * 4) + 4 * 5,
    left=3 * 4 * 9 * P + 8 * (12 * 4 + 12 * 3 + 8 * 3 + 8 * 2) + 2 * 5,
)
class StackedCells(nn.Module):
    """Two LSTM cells one on the other; the first starts from nothing, the second from states that are learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.first, self.second = nn.LSTMCell(8, 6), nn.LSTMCell(6, 4)
        self.start = nn.Parameter(torch.zeros(2, 4))
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        low: Any = None
        high = tuple(state.expand(len(x), -1) for state in self.start)
        for column in self.stem(x).mean(2).unbind(2):
            low = self.first(column, low)
            high = self.second(low[0], high)
        return self.head(high[0])


@construct(
    groups=[8],
    inputs=images((3, 8, 8), (6,)),
    macs=3 * 8 * 9 * P + 18 * 8 + 18 * 6 + 6 * 5,
    left=3 * 4 * 9 * P + 18 * 4 + 18 * 6 + 6 * 5,
    locked={"cell": "gru_cell starts from a state that is given to it"},
)
class CellWithGivenState(nn.Module):
    """The caller keeps the state, so that it stays as wide as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.cell = nn.GRUCell(8, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        return self.head(self.cell(self.stem(x).mean((2, 3)), state))


@construct(
    groups=[8, 6],
    macs=3 * 8 * 9 * P + 4 * (24 * 8 + 24 * 6) + 6 * 8 * 4 + 6 * 5,
    left=3 * 4 * 9 * P + 4 * (12 * 4 + 12 * 3) + 3 * 4 * 4 + 3 * 5,
)
class CellReadsItself(nn.Module):
    """A decoder: what the state makes is the next input, so that the channels of both layers go together."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.cell = nn.LSTMCell(8, 6)
        self.feed = nn.Linear(6, 8)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        word, state = self.stem(x).mean((2, 3)), None
        for _ in range(4):
            state = self.cell(word, state)
            word = self.feed(state[0])
        return self.head(state[0])


STEPS = 5


@construct(
    nn.LSTM,
    name="LSTM",
    inputs=words(8, 10),
    groups=[8, 6],
    macs=STEPS * 2 * (24 * 8 + 24 * 6) + 12 * 5,
    left=STEPS * 2 * (12 * 4 + 12 * 3) + 6 * 5,
)
@construct(
    nn.GRU,
    name="GRU",
    inputs=words(8, 10),
    groups=[8, 6],
    macs=STEPS * 2 * (18 * 8 + 18 * 6) + 12 * 5,
    left=STEPS * 2 * (9 * 4 + 9 * 3) + 6 * 5,
)
@construct(
    nn.RNN,
    name="RNN",
    inputs=words(8, 10),
    groups=[8, 6],
    macs=STEPS * 2 * (6 * 8 + 6 * 6) + 12 * 5,
    left=STEPS * 2 * (3 * 4 + 3 * 3) + 6 * 5,
)
class Packed(nn.Module):
    """Words without their padding through a recurrent layer in both directions, and padded again."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.vectors = nn.Embedding(10, 8)
        self.memory = kind(8, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.vectors(x), torch.full((len(x),), STEPS), batch_first=True)
        out, _ = self.memory(packed)
        return self.head(pad_packed_sequence(out, batch_first=True)[0].amax(1))


@construct(
    inputs=words(8, 10),
    groups=[8, 6, 6],
    macs=STEPS * (8 * 6 + 24 * 6 + 24 * 6) + 6 * 5,
    left=STEPS * (4 * 3 + 12 * 3 + 12 * 3) + 3 * 5,
)
class PackedBetween(nn.Module):
    """A linear layer on the data of a packed sequence, which is packed up again, and the last state."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(10, 8)
        self.mix = nn.Linear(8, 6)
        self.memory = nn.LSTM(6, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.full((len(x),), STEPS)
        packed = pack_padded_sequence(self.vectors(x).transpose(0, 1), lengths, enforce_sorted=False)
        mixed = PackedSequence(
            self.mix(packed.data), packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices
        )
        _, (state, _) = self.memory(mixed)
        return self.head(state[-1])


class _ConvCell(nn.Module):
    """A step of a convolutional LSTM (arXiv 1506.04214) of 6 channels, all four gates by one convolution."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.hidden = 6
        self.gates = conv(inputs + 6, 4 * 6)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, o, g = self.gates(torch.cat((x, h), 1)).split(self.hidden, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


@construct(
    groups=[8, 6, 6],
    macs=3 * 8 * 9 * P + 2 * ((8 + 6) * 24 + (6 + 6) * 24) * 9 * P + 6 * 5 * P,
    left=3 * 4 * 9 * P + 2 * ((4 + 3) * 12 + (3 + 3) * 12) * 9 * P + 3 * 5 * P,
)
class ZeroStatesOfCells(nn.Module):
    """Two cells, one after the other, whose first states are as wide as numbers that the cells keep."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = conv(3, 8), conv(6, 5, 1)
        self.cells = nn.ModuleList((_ConvCell(8), _ConvCell(6)))

    def forward(self, x: Tensor) -> Tensor:
        y = self.stem(x)
        steps = [y, y.relu()]
        for cell in self.cells:
            state = (torch.zeros(len(x), cell.hidden, *x.shape[2:]), x.new_zeros(len(x), cell.hidden, *x.shape[2:]))
            for at, step in enumerate(steps):
                state = cell(step, state)
                steps[at] = state[0]
        return self.head(steps[-1])


@construct(
    inputs=images((4, 6)),
    by_layers=False,
    groups=[4, 8],
    macs=4 * (6 * 8 + 2 * (8 * 4) + 8 * 5),
    left=4 * (6 * 4 + 2 * (4 * 2) + 4 * 5),
)
class ZeroStateOfTwoWidths(nn.Module):
    """A state of two dimensions of channels, each as long as a number in an attribute: both must follow at once."""

    def __init__(self) -> None:
        super().__init__()
        self.width, self.states = 8, 4
        self.stem, self.head = nn.Linear(6, 8), nn.Linear(8, 5)
        self.write, self.read = nn.Linear(8, 4), nn.Linear(8, 4)
        self.decay = nn.Parameter(torch.randn(8, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        write, read, out = self.write(x), self.read(x), []
        state = x.new_zeros(len(x), self.width, self.states)
        for step in range(x.shape[1]):
            state = self.decay.sigmoid() * state + x[:, step, :, None] * write[:, step, None]
            out.append((state * read[:, step, None]).sum(2))
        return self.head(torch.stack(out, 1))
