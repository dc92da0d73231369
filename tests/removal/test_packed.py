"""Packed sequences: what depends on their lengths is proven for the lengths that are given, and the check says so."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import _VF, Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pruning import remove_channels
from pruning.graph.inputs import Inputs
from pruning.graph.packed import LengthsNeeded, packing, steps_of


class Reader(nn.Module):
    """Words of which each text has some, as a tensor of lengths says."""

    def __init__(self, kind: type[nn.RNNBase] = nn.LSTM, layers: int = 1) -> None:
        super().__init__()
        self.words, self.mix = nn.Embedding(30, 16), nn.Linear(16, 12)
        self.memory = kind(12, 10, layers, batch_first=True, bidirectional=True)
        self.hidden, self.head = nn.Linear(20, 8), nn.Linear(8, 3)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        read = F.relu(self.mix(self.words(words)))
        packed = pack_padded_sequence(read, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, state = self.memory(packed)
        state = state[0] if isinstance(state, tuple) else state
        return self.head(F.relu(self.hidden(torch.cat((state[-2], state[-1]), 1))))


INPUTS = (torch.randint(0, 30, (3, 7)), torch.tensor([4, 7, 5]))


@pytest.mark.parametrize(("kind", "layers"), [(nn.LSTM, 1), (nn.LSTM, 2), (nn.GRU, 1), (nn.RNN, 2)])
def test_half_of_every_layer_goes(kind: type[nn.RNNBase], layers: int) -> None:
    torch.manual_seed(0)
    model = Reader(kind, layers).eval()
    done = remove_channels(model, INPUTS, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert "two batch sizes" in done.check.reference
    assert "with the lengths of packed sequences as in the example inputs" in done.check.reference
    assert sorted(group.units for group in done.groups) == [8, 10, 12, 16]
    assert [locked.layers for locked in done.locked] == [("head",)]
    small = done.model
    assert (small.memory.input_size, small.memory.hidden_size) == (6, 5)
    assert small(torch.randint(0, 30, (5, 9)), torch.tensor([1, 9, 2, 2, 6])).shape == (5, 3)


class Tagger(nn.Module):
    """A score for each word; what is padded reads as −1."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.memory = nn.Embedding(30, 16), nn.GRU(16, 10)
        self.head = nn.Linear(10, 3)

    def forward(self, words: Tensor) -> Tensor:
        lengths = (words != 0).sum(1)
        packed = pack_padded_sequence(self.words(words).transpose(0, 1), lengths, enforce_sorted=False)
        out, lengths = pad_packed_sequence(self.memory(packed)[0], padding_value=-1.0, total_length=words.shape[1])
        return self.head(out) / lengths[:, None]


def test_lengths_that_the_network_counts_itself() -> None:
    torch.manual_seed(0)
    model, words = Tagger().eval(), torch.tensor([[3, 4, 0, 0], [5, 6, 7, 8], [9, 0, 0, 0]])
    assert steps_of(model, Inputs.of(words), False) == ((3, 2, 1, 1),)
    done = remove_channels(model, words, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == [10, 16]


def test_torchs_own_functions_are_back_afterwards() -> None:
    before = dict(vars(_VF))
    remove_channels(Reader().eval(), INPUTS, sparsity=0.5, check=False)
    assert vars(_VF) == before


class Projected(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.LSTM(12, 16, batch_first=True, bidirectional=True, proj_size=10)


def test_what_has_no_rule_stays_with_its_reason() -> None:
    done = remove_channels(Projected().eval(), INPUTS, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == [8, 16]
    reasons = {locked.layers[0]: locked.reason for locked in done.locked}
    assert "pruning.packed_lstm in memory" in reasons["mix"] and "projects its hidden units" in reasons["mix"]


def test_another_thread_packs_as_ever() -> None:
    found: list[Tensor] = []

    def elsewhere() -> None:
        found.append(pack_padded_sequence(torch.zeros(2, 3, 1), torch.tensor([3, 1]), batch_first=True).batch_sizes)

    with packing([]):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        with pytest.raises(LengthsNeeded):
            elsewhere()
    assert [sizes.tolist() for sizes in found] == [[2, 1, 1]]


class ListsLengths(Tagger):
    """Lengths as a list of numbers that nobody knows while it is traced."""

    def forward(self, words: Tensor) -> Tensor:
        lengths = (words != 0).sum(1).tolist()
        packed = pack_padded_sequence(self.words(words), lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.memory(packed)[1][-1])


def test_lengths_as_a_list() -> None:
    torch.manual_seed(0)
    model = ListsLengths()
    model.memory.batch_first = True
    done = remove_channels(model.eval(), torch.tensor([[3, 4, 0, 0], [5, 6, 7, 8]]), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == [10, 16]


class Masked(nn.Module):
    """Lengths are found in the numbers themselves: in a mask of ones and zeros, or in rows of zeros."""

    def __init__(self, *, by_mask: bool) -> None:
        super().__init__()
        self.by_mask = by_mask
        self.mix, self.memory, self.head = nn.Linear(8, 12), nn.GRU(12, 10, batch_first=True), nn.Linear(10, 3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        lengths = (mask if self.by_mask else x.abs().sum(2) > 0).sum(1).long()
        packed = pack_padded_sequence(self.mix(x), lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.memory(packed)[1][-1])


@pytest.mark.parametrize("by_mask", [True, False])
def test_lengths_in_numbers_are_left_as_they_are(by_mask: bool) -> None:
    torch.manual_seed(0)
    mask = torch.ones(3, 6)
    mask[0, 4:] = mask[2, 2:] = 0
    done = remove_channels(
        Masked(by_mask=by_mask).eval(), (torch.randn(3, 6, 8) * mask[:, :, None], mask), sparsity=0.5
    )
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == [10, 12]
