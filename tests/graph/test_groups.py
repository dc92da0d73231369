"""Channel groups of networks small enough to work out by hand."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning.removal.build import build_graph
from sample_models import SAMPLES


def groups_of(model: nn.Module, shape: tuple[int, ...]) -> dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]]:
    return {g.name: (g.units, g.producers, g.consumers) for g in build_graph(model, shape).groups}


def test_plain_stack_has_one_group_a_layer_and_locks_the_outputs():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(6 * 4 * 4, 3))
    graph = build_graph(model, (1, 8, 8))
    assert groups_of(model, (1, 8, 8)) == {"0": (4, ("0",), ("2",)), "2": (6, ("2",), ("4",))}
    assert [(group.name, group.units) for group in graph.locked] == [("4", 3)]
    assert "outputs stay" in str(graph.locked[0].locked)


def test_flatten_gives_each_channel_all_its_positions():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(3 * 2 * 2, 5))
    group = build_graph(model, (1, 4, 4)).group("0")
    consumer = next(slot for slot in group.slots if slot.role == "consumer")
    assert (consumer.tensor, consumer.dim) == ("2.weight", 1)
    assert consumer.index.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 1)
        self.branch = nn.Conv2d(4, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head(F.relu(x + self.branch(x)))


def test_a_residual_sum_couples_its_terms():
    assert groups_of(Sum(), (1, 4, 4)) == {"stem": (4, ("stem", "branch"), ("branch", "head"))}


class WithInput(nn.Module):
    """The network's input is added to a layer's output: those channels are the input's, not ours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x + self.conv(x))


def test_meeting_the_input_locks():
    graph = build_graph(WithInput(), (3, 4, 4))
    assert graph.groups == ()
    assert {group.name for group in graph.locked} == {"conv", "head"}
    assert "input" in str(next(g for g in graph.locked if g.name == "conv").locked)


class Sorted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 1)
        self.free = nn.Conv2d(4, 5, 1)
        self.head = nn.Conv2d(5, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.free(torch.cumsum(self.conv(x), 1)))


def test_an_op_without_a_rule_locks_what_reaches_it_and_says_where():
    graph = build_graph(Sorted(), (1, 4, 4))
    assert [group.name for group in graph.groups] == ["free"]
    reason = str(next(group for group in graph.locked if group.name == "conv").locked)
    assert "cumsum" in reason and "test_groups.py" in reason


class Kernels(nn.Module):
    """Convolutions whose kernels are no parameters: a plain attribute, and one made of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.blurred, self.mixed, self.head = nn.Conv2d(1, 4, 1), nn.Conv2d(1, 4, 1), nn.Linear(4, 3)
        self.blur, self.kernel = torch.ones(4, 1, 3, 3), nn.Linear(1, 16)

    def forward(self, x: Tensor) -> Tensor:
        blurred = F.conv2d(self.blurred(x), self.blur, groups=4)
        kernel = self.kernel(x.mean((0, 2, 3))).view(4, 4, 1, 1)
        return self.head((blurred.mean((2, 3)) + F.conv2d(self.mixed(x), kernel).mean((2, 3))).tanh())


def test_a_kernel_that_cannot_shrink_says_what_it_is():
    reasons = {group.name: str(group.locked) for group in build_graph(Kernels(), (1, 4, 4)).locked}
    assert "reads them with a constant, which cannot shrink: make it a parameter or a buffer" in reasons["blurred"]
    assert "reads them with a weight that is computed from the data" in reasons["mixed"]


class FixedPad(nn.Module):
    """Option-A shortcut whose zero channels are a number in the code: they cannot be fewer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 1)
        self.conv = nn.Conv2d(2, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head(self.conv(x) + F.pad(x, (0, 0, 0, 0, 1, 1)))


def test_zero_channels_fixed_in_code_lock_only_what_they_meet():
    graph = build_graph(FixedPad(), (1, 4, 4))
    assert [(group.name, group.units, group.producers) for group in graph.groups] == [("stem", 2, ("stem", "conv"))]
    assert any("fixed in its code" in str(group.locked) and group.units == 2 for group in graph.locked)


class Depthwise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Conv2d(1, 4, 1)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.norm = nn.BatchNorm2d(4)
        self.project = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.norm(self.depthwise(self.expand(x))))


def test_depthwise_and_norm_follow_their_producer():
    group = build_graph(Depthwise(), (1, 6, 6)).group("expand")
    followers = {slot.tensor for slot in group.slots if slot.role == "follower"}
    assert followers == {
        "expand.bias", "depthwise.weight", "depthwise.bias",
        "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
    }  # fmt: skip


def test_resnet20_option_a_ties_the_stages():
    graph = build_graph(SAMPLES["resnet20"].build(), (3, 32, 32))
    sums = {group.name: group.units for group in graph.groups if len(group.producers) > 1}
    assert sums == {"conv1": 16, "layer2.0.conv2/own": 16, "layer3.0.conv2/own": 32}
    inner = [group for group in graph.groups if len(group.producers) == 1]
    assert [group.units for group in inner] == [16] * 3 + [32] * 3 + [64] * 3
    # stage 2 has 8 new channels before and 8 after those of stage 1
    conv1 = graph.group("conv1")
    place = next(slot for slot in conv1.slots if slot.tensor == "layer2.0.conv2.weight")
    assert place.index[:, 0].tolist() == list(range(8, 24))


def test_tracing_leaves_the_model_as_it_was():
    model = SAMPLES["mini_resnet"].build().train()
    model.bn1.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    build_graph(model, (1, 28, 28))
    assert model.training and not model.bn1.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
