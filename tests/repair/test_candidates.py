"""Which repair is handed out: the one whose answers are the dense network's, the closest where several are as good."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.calls.parts import Parts
from pruning.data.readers import open_data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, keeping_units, make_plan
from pruning.removal.apply import pruned_model
from pruning.removal.build import build_graph
from pruning.repair.candidates import Verdict, best, fitting, repaired
from pruning.repair.recalibrate import recalibrate
from pruning.repair.unlabelled import IMAGES, Unlabelled, of_data, of_tensors
from pruning.spec import PruneSpec


def same_answer(wanted: Tensor, given: Tensor) -> Tensor:
    return wanted.argmax(1) == given.argmax(1)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 6),
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def graph(network: nn.Module) -> ModelGraph:
    return build_graph(network, (3, 8, 8))


@pytest.fixture(scope="module")
def images() -> Unlabelled:
    return of_tensors([torch.randn(400, 3, 8, 8, generator=torch.Generator().manual_seed(1))])


@pytest.fixture(scope="module")
def plan(network: nn.Module, graph: ModelGraph) -> Plan:
    return make_plan(network, graph, PruneSpec(sparsity=0.4))


def test_the_best_is_taken_and_all_are_noted(
    network: nn.Module, graph: ModelGraph, images: Unlabelled, plan: Plan
) -> None:
    small = pruned_model(network, graph, plan)
    before = {name: value.clone() for name, value in small.state_dict().items()}
    found = repaired(network, small, Parts(network, graph), plan, images, same_answer)
    assert set(found.agreement) == {"as_cut", "recalibrated", "refitted", "refitted_recalibrated"}
    assert found.agreement[found.chosen] == max(found.agreement.values()) > found.agreement["as_cut"]
    assert (found.fitted_images, found.judged_images) == (320, 80)
    assert all(torch.equal(value, before[name]) for name, value in small.state_dict().items())


def verdict(right: str, distance: float) -> Verdict:
    return Verdict(same=torch.tensor([letter == "1" for letter in right]), distance=distance)


def test_answers_decide_and_closeness_where_they_do_not() -> None:
    clear = {"as_cut": verdict("1100000000", 1.0), "refitted": verdict("1111111100", 5.0)}
    assert best(clear) == "refitted", "closer outputs do not make up for other answers"
    noise = {"as_cut": verdict("1111111101", 5.0), "refitted": verdict("1111111110", 1.0)}
    assert best(noise) == "refitted"
    behind = {"bias": verdict("1111111111", 5.0), "refitted": verdict("1111111110", 1.0)}
    assert best(behind) == "refitted", "one image is chance"
    worse = {"bias": verdict("1111111111", 5.0), "refitted": verdict("1111110000", 1.0)}
    assert best(worse) == "bias"
    alike = {"refitted": verdict("1111111111", 1.0), "as_cut": verdict("1111111111", 1.0)}
    assert best(alike) == "as_cut", "of equals, the simplest"


def test_without_calls_one_by_one_there_is_recalibration_alone(
    network: nn.Module, graph: ModelGraph, images: Unlabelled, plan: Plan
) -> None:
    found = repaired(network, pruned_model(network, graph, plan), None, plan, images, same_answer)
    assert set(found.agreement) == {"as_cut", "recalibrated"} and not found.layers


def test_what_removes_nothing_is_left_alone(network: nn.Module, graph: ModelGraph, images: Unlabelled) -> None:
    plan = keeping_units({})
    found = repaired(network, pruned_model(network, graph, plan), Parts(network, graph), plan, images, same_answer)
    assert found.chosen == "as_cut" and found.agreement == {"as_cut": 1.0}


def test_statistics_of_a_run_are_those_of_the_images_that_a_repair_is_fitted_to(plan: Plan) -> None:
    """So a run measures them once."""
    torch.manual_seed(0)
    small = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(10))
    data = open_data("mnist5k")
    small(data.normalise(data.images("train", torch.arange(2))))
    ours = clone(small)
    recalibrate(ours, data, seed=3)
    images = of_data(data, seed=3)
    assert images.count == IMAGES
    found = repaired(ours, small, None, plan, images, same_answer, offered=("recalibrated",), seed=3).model
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in found.state_dict().items())
    given = repaired(ours, small, None, plan, images, same_answer, offered=("recalibrated",), recalibrated=ours)
    assert given.model is ours


def test_what_is_tried_suits_network_and_images() -> None:
    assert fitting(True, True, 800) == ("as_cut", "recalibrated", "refitted", "refitted_recalibrated")
    assert "bias" in fitting(False, True, 800) and "bias" in fitting(True, True, 100)
    assert fitting(False, False, 800) == ("as_cut",)
