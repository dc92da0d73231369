"""A preview says what a run would start from: accuracy as evaluated by hand, costs as counted on the real model."""

import time

import pytest
import torch
from torch import nn

from pruning.cost.counts import model_cost
from pruning.planning.plan import make_plan
from pruning.removal.apply import pruned_model
from pruning.removal.build import build_graph
from pruning.render.preview import savings, target_macs
from pruning.spec import PruneSpec
from pruning.subject import Subject, live_subject, open_subject


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:mini_resnet")


@pytest.fixture(scope="module")
def lenet() -> Subject:
    return open_subject("sample:lenet300")


@pytest.mark.parametrize("granularity", ["channel", "weight"])
@pytest.mark.parametrize("layers", [{}, {"conv1": 0.5, "layer3.0.conv1": 0.1}])
def test_costs_equal_those_of_the_real_model(subject: Subject, granularity: str, layers: dict[str, float]) -> None:
    plan = make_plan(
        subject.model, subject.graph, PruneSpec(granularity=granularity, sparsity=0.4, layers=tuple(layers.items()))
    )
    said = savings(subject, plan)
    dense = model_cost(subject.model, subject.graph)
    small = pruned_model(subject.model, subject.graph, plan)
    real = model_cost(small, build_graph(small, subject.graph.example_shape))
    assert (said.params, said.nonzero, said.macs) == (real.params, real.nonzero, real.macs)
    assert (said.dense_params, said.dense_nonzero, said.dense_macs) == (dense.params, dense.nonzero, dense.macs)


class Tied(nn.Module):
    """Two layers on the same memory, one of them transposed, and one layer of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down, self.last = nn.Linear(6, 8), nn.Linear(8, 6), nn.Linear(6, 4)
        self.down.weight = nn.Parameter(self.up.weight.data.t())
        nn.init.zeros_(self.last.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.down(self.up(x).relu()))


@pytest.mark.parametrize("granularity", ["channel", "weight"])
@pytest.mark.parametrize("criterion", ["l2", "random"])
def test_nonzero_parameters_are_counted_without_a_copy(granularity: str, criterion: str) -> None:
    model = Tied()
    graph = build_graph(model, (6,))
    assert graph.aliases == (("up.weight", "down.weight", True),)
    tied = live_subject(model, (6,))
    plan = make_plan(tied.model, tied.graph, PruneSpec(granularity=granularity, criterion=criterion, sparsity=0.5))
    real = pruned_model(tied.model, tied.graph, plan)
    assert savings(tied, plan).nonzero == sum(int(p.count_nonzero()) for p in real.parameters())


def test_a_large_network_is_previewed_quickly() -> None:
    """While somebody waits: no copy of the model, no full sort of millions of weights. Generous: CI is slow."""
    large = open_subject("torchvision:resnet50?size=64")
    assert large.network.data == () and large.network.weights == "random, seed 0" and large.graph.groups
    for granularity, most in (("channel", 3.0), ("weight", 5.0)):
        started = time.perf_counter()
        plan = make_plan(large.model, large.graph, PruneSpec(granularity=granularity, sparsity=0.3))
        said = savings(large, plan)
        assert time.perf_counter() - started < most
        assert said.dense_params == 25_557_032
        assert (said.nonzero < said.dense_nonzero) and (said.macs < said.dense_macs) is (granularity == "channel")


def test_lenet300_costs_equal_hand_counts(lenet: Subject) -> None:
    said = savings(lenet, make_plan(lenet.model, lenet.graph, PruneSpec(sparsity=0.5)))
    assert said.params == (784 * 150 + 150) + (150 * 50 + 50) + (50 * 10 + 10)
    assert said.macs == 784 * 150 + 150 * 50 + 50 * 10


def test_macs_of_a_group_are_those_of_its_layers(lenet: Subject) -> None:
    macs = target_macs(lenet.graph, "channel", lenet.graph.shapes)
    first, second = (group.name for group in lenet.graph.groups)
    assert macs == {first: 784 * 300 + 300 * 100, second: 300 * 100 + 100 * 10}
    by_tensor = target_macs(lenet.graph, "weight", lenet.graph.shapes)
    assert sorted(by_tensor.values()) == [100 * 10, 300 * 100, 784 * 300]
