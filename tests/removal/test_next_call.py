"""What a network keeps of one call may choose the way of the next: removal holds for calls in a row."""

from __future__ import annotations

import random
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels
from pruning.base.errors import RemovalError
from pruning.planning.plan import make_plan
from pruning.removal.build import build_graph
from pruning.removal.verify import prove
from pruning.spec import PruneSpec

DATA = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
ANOTHER = "the code takes another way at its next call"


class Ways(nn.Module):
    """A stem with channels of its own before two ways, of which a subclass chooses one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.i = nn.Linear(6, 16), nn.Linear(16, 12)
        self.p, self.q, self.o = nn.Linear(12, 10), nn.Linear(12, 10), nn.Linear(10, 3)

    def second(self, x: Tensor) -> bool:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.i(F.relu(self.stem(x))))
        return self.o(F.relu(self.q(x) if self.second(x) else self.p(x)))


class Flag(Ways):
    flag = False

    def second(self, x: Tensor) -> bool:
        self.flag = not self.flag
        return not self.flag


class Counter(Ways):
    """It counts in its class."""

    calls: ClassVar[list[int]] = [0]

    def second(self, x: Tensor) -> bool:
        self.calls[0] += 1
        return self.calls[0] % 2 == 0


class Buffered(Ways):
    def __init__(self) -> None:
        super().__init__()
        self.last: Tensor | None = None

    def second(self, x: Tensor) -> bool:
        """Only where the call before had as many samples."""
        before, self.last = self.last, x.detach()
        return before is not None and len(before) == len(x)


@pytest.mark.parametrize("kind", [Flag, Counter, Buffered])
def test_channels_that_another_layer_reads_at_the_next_call_stay(kind: type[Ways]) -> None:
    torch.manual_seed(0)
    model = kind().eval()
    done = remove_channels(model, DATA, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    reasons = {layer: locked.reason for locked in done.locked for layer in locked.layers}
    assert done.model.stem.out_features == 8 and reasons.keys() == {"i", "p", "o"}
    assert all(reason.startswith(ANOTHER) for layer, reason in reasons.items() if layer != "o")
    for _ in range(3):
        assert done.model(DATA).shape == (4, 3)
    graph = build_graph(model, DATA)
    with pytest.raises(RemovalError, match=rf"{ANOTHER}.* Leave whole what it goes by \(0 %\): i, [pq]\."):
        prove(model, graph, make_plan(model, graph, PruneSpec(sparsity=0.5)))


class Dropped(nn.Module):
    """It leaves layers out by chance, also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.i, self.o = nn.Linear(6, 24), nn.Linear(24, 3)
        self.layers = nn.ModuleList(nn.Linear(24, 24) for _ in range(8))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.i(x))
        for layer in self.layers:
            if random.random() < 0.5:
                x = x + F.relu(layer(x))
        return self.o(x)


def test_layers_that_chance_chooses_are_locked_for_that_reason() -> None:
    torch.manual_seed(0)
    random.seed(3)
    done = remove_channels(Dropped().eval(), DATA, sparsity=0.5)
    reasons = {layer: locked.reason for locked in done.locked for layer in locked.layers}
    assert "Python's random" in reasons["i"]


class Cached(nn.Module):
    """Its first call makes what later ones use: a mask, and a product of weights."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.o = nn.Linear(6, 16), nn.Linear(16, 12), nn.Linear(12, 3)
        self.gate = nn.Parameter(torch.randn(2, 12))
        self.mask: Tensor | None = None
        self.gates: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.gates is None:
            self.gates = self.gate[0] * self.gate[1]
        if self.mask is None or len(self.mask) != len(x):
            self.mask = torch.arange(len(x), dtype=x.dtype)[:, None]
        return self.o(F.relu(self.b(F.relu(self.a(x)))) * self.gates) + self.mask


class Remembering(nn.Module):
    """Each call goes on from the one before, by the same layers; means over channels are those of survivors."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.o = nn.Linear(6, 16), nn.LayerNorm(16), nn.Linear(16, 3)
        self.state: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.a(x))
        if self.state is not None and len(self.state) == len(x):
            x = x + 0.5 * self.state
        self.state = x.detach()
        return self.o(x)


@pytest.mark.parametrize("kind", [Cached, Remembering])
def test_what_a_call_keeps_is_no_reason_to_stay(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    done = remove_channels(kind().eval(), DATA, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert done.model.a.out_features == 8
    for _ in range(3):
        assert done.model(DATA).shape == (4, 3)
