"""Removal equals masking, and a wrong removal is caught."""

import copy

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import RemovalError
from pruning.planning.plan import make_plan, plan_keeping
from pruning.removal.apply import inflate, masked_model, removed_model, shrink
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import check_removal, prove
from pruning.spec import PruneSpec
from sample_models import SAMPLES, Sample


def network(sample: Sample) -> nn.Module:
    """A sample's architecture with random weights and BN statistics that a batch left, then perturbed: purely random
    statistics would make the output nearly independent of the input, and any comparison would pass."""
    torch.manual_seed(0)
    model = sample.build().train()
    model(torch.randn(16, *sample.input_shape))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.add_(torch.randn_like(module.running_mean) * 0.1)
                module.running_var.mul_(torch.rand_like(module.running_var) + 0.5)
                module.bias.uniform_(-0.5, 0.5)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.97])
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda sample: sample.name)
def test_every_sample_is_removed_exactly(sample, sparsity):
    model = network(sample)
    graph = build_graph(model, sample.input_shape)
    removed, check = prove(model, graph, make_plan(model, graph, PruneSpec(sparsity=sparsity, criterion="random")))
    assert check.status == "exact" and check.max_error is not None and check.max_error < 1e-9
    # independently of the engine's own comparison: removed channels zeroed at every consumer give the same answers
    plan = make_plan(model, graph, PruneSpec(sparsity=sparsity, criterion="random"))
    images = torch.randn(4, *sample.input_shape)
    masked = masked_model(model, graph, plan)
    assert torch.allclose(masked(images), removed(images), atol=1e-4)
    assert sum(p.numel() for p in removed.parameters()) < sum(p.numel() for p in model.parameters())


def test_masked_by_hand_equals_removed():
    """lenet5 without conv1's channel 3 and conv2's channel 7, masked by zeroing activations through hooks."""
    model = network(SAMPLES["lenet5"])
    graph = build_graph(model, (1, 28, 28))
    keep = {"conv1": 19, "conv2": 49, "fc1": 500}
    with torch.no_grad():  # make these two the weakest
        model.conv1.weight[3] *= 1e-3
        model.conv2.weight[7] *= 1e-3
    plan = plan_keeping(
        model, graph, PruneSpec(granularity="channel", criterion="l2"), keep=keep, requested=dict.fromkeys(keep, 0.0)
    )
    removed = removed_model(model, graph, plan)

    def silence(channel: int):
        def hook(_: nn.Module, __: object, output: Tensor) -> Tensor:
            output = output.clone()
            output[:, channel] = 0
            return output

        return hook

    model.conv1.register_forward_hook(silence(3))
    model.conv2.register_forward_hook(silence(7))
    images = torch.randn(3, 1, 28, 28)
    assert torch.allclose(model(images), removed(images), atol=1e-5)


def test_wrong_removals_are_caught():
    model = network(SAMPLES["mini_resnet"])
    graph = build_graph(model, (1, 28, 28))
    plan = make_plan(model, graph, PruneSpec(sparsity=0.5))
    right = removed_model(model, graph, plan)
    wrong = copy.deepcopy(right)
    with torch.no_grad():  # a consumer that reads its channels in another order
        wrong.layer3[0].conv1.weight.copy_(right.layer3[0].conv1.weight.roll(1, 1))
    with pytest.raises(RemovalError, match=r"not exact: at conv2d in layer3\.0\.conv1"):
        check_removal(model, wrong, graph, plan)
    wrong = copy.deepcopy(right)
    with torch.no_grad():  # a BN that kept the wrong statistics
        wrong.layer1[0].bn1.running_mean.copy_(right.layer1[0].bn1.running_mean.roll(1))
    with pytest.raises(RemovalError, match=r"layer1\.0\.conv2"):
        check_removal(model, wrong, graph, plan)


class HardCoded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(4 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(x).view(-1, 16))


def test_a_size_fixed_in_code_is_locked_and_its_line_named():
    graph = build_graph(HardCoded(), (1, 4, 4))
    assert graph.groups == ()
    reason = str(next(group for group in graph.locked if group.name == "conv").locked)
    assert "view in the model itself" in reason and "test_verify.py:" in reason and "fixes a size" in reason


class Scaled(nn.Module):
    """Its table must have as many rows as there are channels, though it is read for one number alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.rand(channels * 4))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table.view(x.shape[1], 4).sum()


def test_what_a_line_fixes_is_said_of_the_module_in_which_it_does():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1), Scaled(8), nn.Conv2d(8, 6, 1), Scaled(6), nn.Conv2d(6, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1)
    )
    graph = build_graph(model, (3, 4, 4))
    assert [group.name for group in graph.groups] == ["4"]
    reasons = {group.name: str(group.locked) for group in graph.locked}
    assert reasons["0"].startswith("view in 1, ") and reasons["2"].startswith("view in 3, ")


def test_the_callers_model_is_not_touched():
    model = network(SAMPLES["vgg_small"])
    model.features[0].weight.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    graph = build_graph(model, (3, 32, 32))
    removed, _ = prove(model, graph, make_plan(model, graph, PruneSpec(sparsity=0.5)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not removed.features[0].weight.requires_grad and removed.features[3].weight.requires_grad
    assert removed.features[0].out_channels == 16 and removed.features[1].num_features == 16


def test_inflate_undoes_shrink():
    model = network(SAMPLES["resnet20"])
    graph = build_graph(model, (3, 32, 32))
    plan = make_plan(model, graph, PruneSpec(sparsity=0.5))
    what = shrinkage(graph, plan)
    small = shrink(model, what)
    again = shrink(inflate(model, small, what), what)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in small.state_dict().items())


def test_shrinking_twice_composes():
    model = network(SAMPLES["mini_resnet"])
    graph = build_graph(model, (1, 28, 28))
    first = shrinkage(graph, make_plan(model, graph, PruneSpec(sparsity=0.3)))
    middle = shrink(model, first)
    middle_graph = build_graph(middle, (1, 28, 28))
    second = shrinkage(middle_graph, make_plan(middle, middle_graph, PruneSpec(sparsity=0.5, criterion="l1")))
    two_steps, one_step = shrink(middle, second), shrink(model, first.then(second))
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(two_steps(images), one_step(images))


def test_a_removed_model_can_be_pruned_down_to_one_channel_each_and_again():
    sample = SAMPLES["mini_resnet"]
    model = network(sample)
    graph = build_graph(model, sample.input_shape)
    small, _ = prove(model, graph, make_plan(model, graph, PruneSpec(sparsity=0.97)))
    small_graph = build_graph(small, sample.input_shape)
    assert small_graph.groups == ()
    assert "it has one channel, which stays" in {str(group.locked) for group in small_graph.locked}
    again, check = prove(small, small_graph, make_plan(small, small_graph, PruneSpec(sparsity=0.5)))
    assert check.status == "exact"
    assert sum(p.numel() for p in again.parameters()) == sum(p.numel() for p in small.parameters())
