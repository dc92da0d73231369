"""Values without data are constants: the code may ask for them. Those of the data are refused as ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels
from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.graph.known import KnownValues
from pruning.graph.trace import trace

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
HERE = Path(__file__).name


class Net(nn.Module):
    """Two convolutions and a linear layer, with a `step` between the convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 24, 3, padding=1), nn.Linear(24, 3)
        self.prepare()

    def prepare(self) -> None:
        pass

    def step(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.b(self.step(F.relu(self.a(x))))).mean((2, 3)))


class PlainTensor(Net):
    def prepare(self) -> None:
        self.stride = torch.tensor([8.0, 16.0, 32.0])

    def step(self, x: Tensor) -> Tensor:
        return x * (float(self.stride.max()) / 32)


class SumOfBuffer(Net):
    def prepare(self) -> None:
        self.register_buffer("scales", torch.tensor([0.1, 0.2, 0.7]))

    def step(self, x: Tensor) -> Tensor:
        scale = self.scales.softmax(0).sum().item() + self.scales[1].item()  # type: ignore[operator]
        return x * scale + torch.full((1, 1, 8, 8), float(self.scales.mean()))  # type: ignore[operator]


class BranchOnParameter(Net):
    def prepare(self) -> None:
        self.alpha = nn.Parameter(torch.tensor(0.3))

    def step(self, x: Tensor) -> Tensor:
        return x * self.alpha if self.alpha > 0 else -x


class MasksCompared(Net):
    """As `nn.TransformerDecoder` finds out whether a mask is the causal one."""

    def step(self, x: Tensor) -> Tensor:
        mask = torch.triu(torch.full((8, 8), float("-inf")), 1)
        causal = torch.ones(8, 8).triu(1).bool()
        same = bool((mask.isinf() == causal).all()) and torch.equal(mask.isinf(), causal)
        return x.masked_fill(causal, 0.0) if same else x


class PlacesByMask(Net):
    def prepare(self) -> None:
        self.register_buffer("mask", torch.arange(8) % 3 == 0)

    def step(self, x: Tensor) -> Tensor:
        places = self.mask.nonzero().reshape(-1)  # type: ignore[operator]
        return x[:, :, self.mask] + x.index_select(2, places)


class CountsItsCalls(Net):
    """A buffer is written to before it is asked for."""

    def prepare(self) -> None:
        self.register_buffer("calls", torch.tensor(3))

    def step(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * 2.0 if int(self.calls) == 4 else x.flip(1)


class NumbersOfALoop(Net):
    def prepare(self) -> None:
        self.register_buffer("repeats", torch.tensor([1, 2]))

    def step(self, x: Tensor) -> Tensor:
        for count in self.repeats.tolist():  # type: ignore[operator]
            for _ in range(count):
                x = F.silu(x)
        return x


@pytest.mark.parametrize(
    "kind", [PlainTensor, SumOfBuffer, BranchOnParameter, MasksCompared, PlacesByMask, CountsItsCalls, NumbersOfALoop]
)
def test_a_value_without_data_is_a_constant(kind: type[Net]) -> None:
    torch.manual_seed(0)
    removal = remove_channels(kind().eval(), IMAGES, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    assert {group.name: group.units for group in removal.groups} == {"a": 16, "b": 24}
    assert removal.model(IMAGES).shape == (2, 3)


class ScaledByWeights(Net):
    def step(self, x: Tensor) -> Tensor:
        return x / float(self.b.weight.abs().max())


def test_channels_whose_weights_became_a_number_stay() -> None:
    torch.manual_seed(0)
    removal = remove_channels(ScaledByWeights().eval(), IMAGES, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "refused"
    reasons = {locked.layers: locked.reason for locked in removal.locked}
    line = next(i for i, text in enumerate(Path(__file__).read_text().splitlines(), 1) if "weight.abs().max())" in text)
    assert reasons["a",] == reasons["b",] == f"the code at {HERE}:{line} makes a number of the values of b.weight"


class OfTheData(Net):
    def step(self, x: Tensor) -> Tensor:
        return x if x.mean() > 0 else -x


class DataInABuffer(Net):
    def prepare(self) -> None:
        self.register_buffer("seen", torch.zeros(()))

    def step(self, x: Tensor) -> Tensor:
        self.seen.copy_(x.mean())  # type: ignore[operator]
        return x if float(self.seen) > 0 else -x  # type: ignore[arg-type]


class DataInAView(Net):
    def step(self, x: Tensor) -> Tensor:
        table = torch.zeros(4)
        table[1:2].copy_(x.mean().reshape(1))
        return x if float(table.sum()) > 0 else -x


class Drawn(Net):
    def step(self, x: Tensor) -> Tensor:
        return x if torch.rand(()).item() > 0.5 else -x


@pytest.mark.parametrize("kind", [OfTheData, DataInABuffer, DataInAView, Drawn])
def test_a_value_of_the_data_or_of_chance_is_none(kind: type[Net]) -> None:
    with pytest.raises(InputError, match="depends on the values of its data"):
        remove_channels(kind().eval(), IMAGES, sparsity=0.5)


def test_nothing_is_computed_where_no_value_is_asked_for(monkeypatch: Any) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(KnownValues, "answer", lambda self, *args: asked.append(args) or NotImplemented)
    trace(Net().eval(), Inputs.of(IMAGES))
    assert not asked
