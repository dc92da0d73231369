"""Call by call, values are those of the network itself, however many images join on the way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning.calls.cut import Cut
from pruning.calls.parts import Parts
from pruning.calls.runner import Runner
from pruning.planning.plan import make_plan
from pruning.removal.apply import removed_model
from pruning.removal.build import build_graph
from pruning.repair.unlabelled import of_tensors
from pruning.repair.walk import Walk
from pruning.spec import PruneSpec

BATCHES = 6
PICTURES = torch.randn(10 * BATCHES, 3, 16, 16, generator=torch.Generator().manual_seed(1))


class Narrowing(nn.Module):
    """Large maps first, small ones last."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, stride=4, padding=1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.second(F.relu(self.first(x)))).mean((2, 3)))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Narrowing().eval()


def walk_of(network: nn.Module, sparsity: float, budget: int) -> tuple[Parts, Walk]:
    graph = build_graph(network, (3, 16, 16))
    parts = Parts(network, graph)
    cut = Cut(graph, make_plan(network, graph, PruneSpec(sparsity=sparsity)), parts.tensors)
    return parts, Walk(parts.program, Runner(parts.program, cut, torch.float32),
                       of_tensors([PICTURES]).batches(10), budget=budget)  # fmt: skip


@pytest.mark.parametrize("budget", [0, 4 * 30 * 8 * 16 * 16, 2**30])
@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_values_are_those_of_the_network(network: nn.Module, budget: int, sparsity: float) -> None:
    parts, walk = walk_of(network, sparsity, budget)
    walk.run(lambda: None)
    graph = parts.graph
    small = removed_model(network, graph, make_plan(network, graph, PruneSpec(sparsity=sparsity)))
    with torch.no_grad():
        for batch in walk.batches:
            some = PICTURES[10 * batch.number : 10 * batch.number + 10]
            assert torch.allclose(batch.values[parts.program.output], small(some), atol=1e-5)


def test_images_join_as_values_become_small(network: nn.Module) -> None:
    _, walk = walk_of(network, 0.4, 4 * 30 * 8 * 16 * 16)
    there: list[int] = []
    walk.run(lambda: None, after=lambda step: there.append(len(walk.batches)))
    assert there[0] == 2 and there[-1] == BATCHES and there == sorted(there)
