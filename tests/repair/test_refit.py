"""Refit: what can be made up for exactly is, the shapes are those of the removed network, and nothing is lost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning.calls.parts import Parts
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, keeping_units, make_plan
from pruning.removal.apply import named_tensors, pruned_model
from pruning.removal.build import build_graph
from pruning.repair.refit import Refit, refit
from pruning.spec import PruneSpec


class Block(nn.Module):
    """A residual block, a depthwise convolution and a grouped one between convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.back = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.back_norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(x)))
        x = F.relu(self.back_norm(self.back(F.relu(self.inner(x)))) + x)
        return self.fc(F.relu(self.depthwise(x)).mean((2, 3)))


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    made = Block()
    with torch.no_grad():
        for norm in (made.norm, made.back_norm):
            for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                assert tensor is not None
                tensor.copy_(torch.rand(8) + 0.5)
    return made.eval()


@pytest.fixture
def images() -> list[Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(20, 3, 8, 8, generator=draw) for _ in range(5)]


def put(small: nn.Module, found: Refit) -> nn.Module:
    tensors = named_tensors(small)
    with torch.no_grad():
        for name, value in found.tensors.items():
            assert tensors[name].shape == value.shape
            tensors[name].copy_(value)
    return small


def distance(network: nn.Module, small: nn.Module, images: list[Tensor]) -> float:
    with torch.no_grad():
        pairs = [(network(batch), small(batch)) for batch in images]
    return float(sum((a - b).square().sum() for a, b in pairs) / sum(a.square().sum() for a, _ in pairs))


def both(network: nn.Module, graph: ModelGraph, plan: Plan, images: list[Tensor]) -> tuple[float, float, Refit]:
    """How far the cut network is from the dense one on other images, as cut and refitted."""
    found = refit(Parts(network, graph), plan, images)
    draw = torch.Generator().manual_seed(2)
    others = [torch.randn(20, 3, 8, 8, generator=draw)]
    as_cut = pruned_model(network, graph, plan)
    return (
        distance(network, as_cut, others),
        distance(network, put(pruned_model(network, graph, plan), found), others),
        found,
    )


def test_a_channel_that_another_one_equals_is_made_up_for(network: Block, images: list[Tensor]) -> None:
    with torch.no_grad():
        network.inner.weight[5] = network.inner.weight[2]
        network.inner.bias[5] = network.inner.bias[2]
    graph = build_graph(network, (3, 8, 8))
    group = next(group for group in graph.groups if "inner" in group.producers)
    plan = keeping_units({group.name: tuple(unit for unit in range(8) if unit != 5)})
    as_cut, refitted, found = both(network, graph, plan, images)
    assert as_cut > 1e-4 and refitted < 1e-3 * as_cut
    assert found.layers[0].layer == "back.weight"


@pytest.mark.parametrize(("granularity", "sparsity"), [("channel", 0.4), ("weight", 0.7)])
def test_it_comes_closer_on_other_images(
    network: nn.Module, images: list[Tensor], granularity: str, sparsity: float
) -> None:
    graph = build_graph(network, (3, 8, 8))
    spec = PruneSpec(granularity=granularity, criterion="l2", sparsity=sparsity)  # type: ignore[arg-type]
    plan = make_plan(network, graph, spec)
    as_cut, refitted, found = both(network, graph, plan, images)
    assert refitted < 0.6 * as_cut
    small = put(pruned_model(network, graph, plan), found)
    for name, mask in plan.masks.items():
        assert bool((named_tensors(small)[name][~mask] == 0).all()), "what went stays away"


def test_nothing_changes_where_nothing_goes(network: nn.Module, images: list[Tensor]) -> None:
    graph = build_graph(network, (3, 8, 8))
    found = refit(Parts(network, graph), keeping_units({}), images)
    assert not found.tensors and not found.layers


def test_the_same_seed_gives_the_same_weights(network: nn.Module, images: list[Tensor]) -> None:
    graph = build_graph(network, (3, 8, 8))
    plan = make_plan(network, graph, PruneSpec(sparsity=0.4))
    one, other = (refit(Parts(network, graph), plan, images, seed=3).tensors for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_stops_where_it_is_asked_to(network: nn.Module, images: list[Tensor]) -> None:
    graph = build_graph(network, (3, 8, 8))
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refit(Parts(network, graph), make_plan(network, graph, PruneSpec(sparsity=0.4)), images, go_on=stop)
