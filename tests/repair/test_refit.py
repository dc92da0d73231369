"""Refit: what can be made up for exactly is, the shapes are those of the removed network, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning.calls.parts import Parts
from pruning.calls.passes import Images
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, keeping_units, make_plan
from pruning.removal.apply import named_tensors, pruned_model
from pruning.removal.build import build_graph
from pruning.repair.candidates import put
from pruning.repair.reference import make_reference
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


def of(pictures: Sequence[Tensor]) -> tuple[Images, ...]:
    return tuple(Images(count=len(batch), normalised=lambda batch=batch: batch) for batch in pictures)


@pytest.fixture
def images() -> tuple[Images, ...]:
    draw = torch.Generator().manual_seed(1)
    return of([torch.randn(20, 3, 8, 8, generator=draw) for _ in range(5)])


def distance(network: nn.Module, small: nn.Module, images: list[Tensor]) -> float:
    with torch.no_grad():
        pairs = [(network(batch), small(batch)) for batch in images]
    return float(sum((a - b).square().sum() for a, b in pairs) / sum(a.square().sum() for a, _ in pairs))


def both(network: nn.Module, graph: ModelGraph, plan: Plan, images: Sequence[Images]) -> tuple[float, float, Refit]:
    """How far the cut network is from the dense one on other images, as cut and refitted."""
    found = refit(make_reference(Parts(network, graph), images, plan), plan)
    draw = torch.Generator().manual_seed(2)
    others = [torch.randn(20, 3, 8, 8, generator=draw)]
    small = pruned_model(network, graph, plan)
    return distance(network, small, others), distance(network, put(small, found), others), found


def test_a_channel_that_another_one_equals_is_made_up_for(network: Block, images: tuple[Images, ...]) -> None:
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
    network: nn.Module, images: tuple[Images, ...], granularity: str, sparsity: float
) -> None:
    graph = build_graph(network, (3, 8, 8))
    spec = PruneSpec(granularity=granularity, criterion="l2", sparsity=sparsity)  # type: ignore[arg-type]
    plan = make_plan(network, graph, spec)
    as_cut, refitted, found = both(network, graph, plan, images)
    assert refitted < 0.6 * as_cut
    small = put(pruned_model(network, graph, plan), found)
    for name, mask in plan.masks.items():
        assert bool((named_tensors(small)[name][~mask] == 0).all()), "what went stays away"


def test_nothing_changes_where_nothing_goes(network: nn.Module, images: tuple[Images, ...]) -> None:
    graph = build_graph(network, (3, 8, 8))
    nothing = keeping_units({})
    found = refit(make_reference(Parts(network, graph), images, nothing), nothing)
    assert not found.tensors and not found.layers


def test_the_same_seed_gives_the_same_weights(network: nn.Module, images: tuple[Images, ...]) -> None:
    graph = build_graph(network, (3, 8, 8))
    plan = make_plan(network, graph, PruneSpec(sparsity=0.4))
    parts = Parts(network, graph)
    one, other = (refit(make_reference(parts, images, seed=3), plan).tensors for _ in range(2))
    assert one and all(torch.equal(one[name], other[name]) for name in one)


def test_a_reference_for_all_plans_gives_what_one_for_this_plan_gives(
    network: nn.Module, images: tuple[Images, ...]
) -> None:
    graph = build_graph(network, (3, 8, 8))
    plan, parts = make_plan(network, graph, PruneSpec(sparsity=0.4)), Parts(network, graph)
    for_all, for_this = (refit(make_reference(parts, images, which), plan).tensors for which in (None, plan))
    assert for_all.keys() == for_this.keys() and all(torch.equal(for_all[name], for_this[name]) for name in for_all)


def test_what_an_earlier_refit_found_is_taken_over_up_to_where_the_plans_differ(
    network: nn.Module, images: tuple[Images, ...]
) -> None:
    graph = build_graph(network, torch.zeros(2, 3, 8, 8))
    reference = make_reference(Parts(network, graph), images)
    base = {group.name: 0.5 for group in graph.groups}

    def plan(layers: dict[str, float]) -> Plan:
        return make_plan(network, graph, PruneSpec(layers=tuple(layers.items())))

    earlier = refit(reference, plan(base))
    for name in base:
        other = plan(base | {name: 0.25})
        fresh, again = refit(reference, other), refit(reference, other, earlier=earlier)
        assert [found.layer for found in again.layers] == [found.layer for found in fresh.layers]
        assert again.tensors.keys() == fresh.tensors.keys()
        assert all(torch.equal(again.tensors[tensor], fresh.tensors[tensor]) for tensor in fresh.tensors)
    same = refit(reference, plan(base), earlier=earlier)
    assert all(same.tensors[name] is earlier.tensors[name] for name in earlier.tensors), "nothing is fitted anew"


def test_it_stops_where_it_is_asked_to(network: nn.Module, images: tuple[Images, ...]) -> None:
    graph = build_graph(network, (3, 8, 8))
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt

    reference = make_reference(Parts(network, graph), images)
    with pytest.raises(KeyboardInterrupt):
        refit(reference, make_plan(network, graph, PruneSpec(sparsity=0.4)), go_on=stop)


class Upsampling(nn.Module):
    """Transposed convolutions, one in groups, between others; the last linear layer has no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)
        self.again = nn.ConvTranspose2d(6, 6, 2, stride=2, groups=6)
        self.fc = nn.Linear(6, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.up(F.relu(self.first(x))))
        return self.fc(F.relu(self.again(x)).mean((2, 3)))


def test_transposed_convolutions_are_fitted_as_well(images: tuple[Images, ...]) -> None:
    torch.manual_seed(0)
    network = Upsampling().eval()
    with torch.no_grad():
        network.first.weight[5] = network.first.weight[2]
        network.first.bias[5] = network.first.bias[2]
    graph = build_graph(network, (3, 8, 8))
    group = next(group for group in graph.groups if "first" in group.producers)
    as_cut, refitted, found = both(network, graph, keeping_units({group.name: (0, 1, 2, 3, 4, 6, 7)}), images)
    assert [layer.layer for layer in found.layers] == ["up.weight", "again.weight", "fc.weight"]
    assert as_cut > 1e-5 and refitted < 1e-3 * as_cut


class Shared(nn.Module):
    """A layer that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 12)
        self.inner = nn.Linear(12, 12)
        self.last = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x.flatten(1)))
        return self.last(self.inner(F.relu(self.inner(x))))


def test_what_several_calls_share_is_left_as_it_was_and_it_is_said() -> None:
    torch.manual_seed(0)
    network = Shared().eval()
    graph = build_graph(network, (6, 1, 1))
    plan = make_plan(network, graph, PruneSpec(sparsity=0.4))
    draw = torch.Generator().manual_seed(1)
    pictures = of([torch.randn(20, 6, 1, 1, generator=draw) for _ in range(5)])
    found = refit(make_reference(Parts(network, graph), pictures, plan), plan)
    left = {layer.layer: layer.left for layer in found.layers}
    assert left.get("inner.weight") == "several calls share its weight"
    assert left["last.weight"] is None and "inner.weight" not in found.tensors
