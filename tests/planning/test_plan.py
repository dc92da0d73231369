"""What goes is what the formula says, worked out by hand on tiny tensors."""

import math

import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.criteria import CRITERIA, Evidence, find_criterion
from pruning.graph.targets import free_targets
from pruning.planning.allocation import kept_units, per_target
from pruning.planning.plan import lowest, make_plan
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from pruning.statistics.scores import unit_scores
from sample_models import SAMPLES


@pytest.fixture
def tiny() -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 4.0], [0.0, -6.0], [4.5, 0.0]]))
        model[2].weight.copy_(torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]]))
    return model


@pytest.mark.parametrize(
    ("total", "sparsity", "kept"),
    [(10, 0.0, 10), (10, 0.35, 7), (10, 0.3, 7), (20, 0.15, 17), (3, 0.99, 1), (1, 0.9, 1), (100, 0.29, 71)],
)
def test_kept_is_the_formula(total, sparsity, kept):
    assert kept_units(total, sparsity) == kept == max(1, total - math.floor(round(sparsity * total, 6)))


def test_criteria_by_hand(tiny):
    evidence = Evidence(given={"weights": tiny[0].weight.detach()})
    assert CRITERIA["l1"].score(evidence).tolist() == [7.0, 6.0, 4.5]
    assert CRITERIA["l2"].score(evidence).tolist() == [5.0, 6.0, 4.5]
    assert CRITERIA["largest"].score(evidence).tolist() == [-5.0, -6.0, -4.5]


@pytest.mark.parametrize(("criterion", "kept"), [("l1", (0, 1)), ("l2", (0, 1)), ("largest", (0, 2))])
def test_units_with_the_lowest_score_go(tiny, criterion, kept):
    plan = make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(criterion=criterion, sparsity=0.34))
    assert plan.kept == {"0": kept}
    layer = plan.layers[0]
    assert (layer.name, layer.kept, layer.total, layer.requested) == ("0", 2, 3, 0.34)
    assert layer.achieved == pytest.approx(1 / 3)


def test_single_weights_with_the_smallest_magnitude_go(tiny):
    plan = make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(granularity="weight", sparsity=0.5))
    assert plan.masks["0.weight"].tolist() == [[False, True], [False, True], [True, False]]
    assert plan.masks["2.weight"].tolist() == [[False, False, False], [True, True, True]]
    assert set(plan.masks) == {"0.weight", "2.weight"}, "biases stay, the classifier's weights may go"


def test_coupled_layers_are_ranked_by_the_norm_of_all_that_goes():
    model = SAMPLES["mini_resnet"].build()
    graph = build_graph(model, (1, 28, 28))
    tensors = dict(model.named_parameters())
    target = next(target for target in free_targets(graph, "channel") if target.key == "conv1")
    scores = unit_scores(graph, target, PruneSpec(), tensors)
    unit = 4
    parts = [model.conv1.weight[unit], model.layer1[0].conv2.weight[unit],
             model.layer2[0].conv2.weight[unit + 5], model.layer3[0].conv2.weight[unit + 5 + 4]]  # fmt: skip
    expected = torch.cat([part.detach().flatten() for part in parts]).norm()
    assert scores[unit].item() == pytest.approx(expected.item(), rel=1e-6)


def test_emptying_a_layer_keeps_one_and_says_so(tiny):
    plan = make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(sparsity=0.999999))
    assert plan.layers[0].kept == 1
    assert "cannot be empty" in str(plan.layers[0].note)
    assert make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(sparsity=0.66)).layers[0].note is None
    single = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 2))
    graph = build_graph(single, (2,))
    assert "one channel" in str(graph.locked[-1].locked)
    assert not make_plan(single, graph, PruneSpec(sparsity=0.9)).layers


def test_random_depends_on_the_seed_only():
    model = SAMPLES["lenet5"].build()
    graph = build_graph(model, (1, 28, 28))
    plans = [make_plan(model, graph, PruneSpec(criterion="random", sparsity=0.5, seed=seed)).kept for seed in (0, 0, 1)]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 1.5, float("nan"), float("inf"), True, "0.5", None])
def test_sparsity_outside_its_range_is_refused(tiny, sparsity):
    with pytest.raises(InputError, match="at least 0 and below 1"):
        make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(sparsity=sparsity))


def test_unknown_names_suggest_the_nearest():
    graph = build_graph(SAMPLES["lenet5"].build(), (1, 28, 28))
    with pytest.raises(InputError, match=r"Did you mean 'conv2'\?"):
        per_target(graph, PruneSpec(sparsity=0.5, layers=(("conv22", 0.1),)))
    with pytest.raises(InputError, match="outputs stay"):
        per_target(graph, PruneSpec(sparsity=0.5, layers=(("fc2", 0.1),)))
    with pytest.raises(InputError, match="Choose one of: l2, l1"):
        find_criterion("l3")
    with pytest.raises(InputError, match="'channel' or 'weight'"):
        per_target(graph, PruneSpec(granularity="filter", sparsity=0.5))


def test_conflicting_values_inside_one_group_are_an_error():
    graph = build_graph(SAMPLES["resnet20"].build(), (3, 32, 32))
    with pytest.raises(InputError, match="share channels"):
        per_target(graph, PruneSpec(sparsity=0.3, layers=(("conv1", 0.2), ("layer1.1.conv2", 0.4))))
    assert per_target(graph, PruneSpec(sparsity=0.3, layers=(("conv1", 0.2), ("layer1.1.conv2", 0.2))))["conv1"] == 0.2
    both = per_target(graph, PruneSpec(sparsity=0.3, layers=(("layer3.0.conv2/own", 0.5), ("layer2.0.conv2/own", 0.1))))
    assert (both["conv1"], both["layer2.0.conv2/own"], both["layer3.0.conv2/own"]) == (0.3, 0.1, 0.5)


def test_weights_are_tensors_of_two_or_more_dimensions_with_the_classifier():
    graph = build_graph(SAMPLES["lenet5"].build(), (1, 28, 28))
    assert [target.key for target in free_targets(graph, "weight")] == [
        "conv1.weight",
        "conv2.weight",
        "fc1.weight",
        "fc2.weight",
    ]
    assert per_target(graph, PruneSpec(granularity="weight", sparsity=0.5, layers=(("fc2", 0.9),)))["fc2.weight"] == 0.9


@pytest.mark.parametrize("granularity", ["weight", "channel"])
def test_nan_weights_are_refused_by_name(tiny, granularity):
    with torch.no_grad():
        tiny[0].weight[1, 1] = float("nan")
    with pytest.raises(InputError, match=r"1 of the 6 weights of 0\.weight are NaN"):
        make_plan(tiny, build_graph(tiny, (2,)), PruneSpec(granularity=granularity, sparsity=0.5))


def test_a_groups_name_means_that_group_alone():
    """A weight used again the other way round makes the channels that it reads, too."""

    class Mirror(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.code, self.head = nn.Linear(4, 6), nn.Linear(6, 8), nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.code(self.stem(x)).relu() @ self.code.weight)

    graph = build_graph(Mirror(), (4,))
    assert [group.name for group in graph.groups] == ["stem", "code"]
    plan = make_plan(Mirror(), graph, PruneSpec(sparsity=0.0, layers=(("stem", 0.5), ("code", 0.25))))
    assert {name: len(kept) for name, kept in plan.kept.items()} == {"stem": 3, "code": 6}


@pytest.mark.parametrize("count", [0, 1, 7, 40, 99, 100])
def test_the_lowest_are_those_of_a_stable_sort(count):
    scores = torch.randint(0, 12, (100,), generator=torch.Generator().manual_seed(1)).float()  # many ties
    scores[::9] = -torch.inf  # what an earlier round removed
    expected = torch.zeros(100, dtype=torch.bool)
    expected[scores.argsort(stable=True)[:count]] = True
    assert torch.equal(lowest(scores, count), expected)
