"""The batch norms that a channel runs through, on networks small enough to see them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import make_plan
from pruning.removal.build import build_graph
from pruning.removal.verify import prove
from pruning.spec import PruneSpec
from pruning.statistics.scales import scales_of

SLIM = PruneSpec(criterion="bn_scale", sparsity=0.5)


def graph_of(model: nn.Module) -> ModelGraph:
    return build_graph(model, (3, 8, 8))


def scales(model: nn.Module, group: str) -> list[list[float]]:
    graph = graph_of(model)
    return scales_of(graph, graph.group(group), dict(model.named_parameters())).tolist()


def conv(channels_in: int, channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 3, 1, 1)


def norm(*values: float) -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(len(values)).eval()
    with torch.no_grad():
        made.weight.copy_(torch.tensor(values))
    return made


class Plain(nn.Module):
    """conv – batch norm – relu – conv – batch norm – pool – linear – linear."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 4), norm(4.0, -3.0, 2.0, -1.0)
        self.conv2, self.bn2 = conv(4, 2), norm(0.5, 0.25)
        self.fc1, self.fc2 = nn.Linear(2, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return self.fc2(self.fc1(x.mean((2, 3))).relu())


def test_the_channels_with_the_smallest_scales_go() -> None:
    model = Plain().eval()
    graph = graph_of(model)
    assert scales(model, "conv1") == [[4.0], [-3.0], [2.0], [-1.0]]
    plan = make_plan(model, graph, SLIM.replace(layers=(("fc1", 0.0),)))
    assert plan.kept == {"conv1": (0, 1), "conv2": (0,), "fc1": tuple(range(6))}
    assert prove(model, graph, plan)[1].status == "exact"


def test_a_group_without_batch_norm_is_named_with_what_to_do() -> None:
    model = Plain().eval()
    with pytest.raises(InputError) as caught:
        make_plan(model, graph_of(model), SLIM)
    said = str(caught.value)
    assert "channels of fc1 cannot be ranked by batch norm" in said and "sparsity 0 for fc1" in said
    assert "l2, l1, random, largest, taylor" in said and "\n" not in said


class Sum(nn.Module):
    """Two layers that add into the same channels; what `behind` is comes after the sum."""

    def __init__(self, left: nn.Module, right: nn.Module, behind: nn.Module) -> None:
        super().__init__()
        self.conv1, self.left = conv(3, 2), left
        self.conv2, self.right = conv(3, 2), right
        self.behind, self.out = behind, conv(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.behind(self.left(self.conv1(x)) + self.right(self.conv2(x))).relu()).mean((2, 3))


def test_all_batch_norms_of_coupled_layers_count() -> None:
    model = Sum(norm(1.0, 2.0), norm(3.0, 4.0), norm(5.0, 6.0)).eval()
    assert sorted(scales(model, "conv1")[0]) == [1.0, 3.0, 5.0] and sorted(scales(model, "conv1")[1]) == [2.0, 4.0, 6.0]
    assert make_plan(model, graph_of(model), SLIM).kept["conv1"] == (1,)


def test_one_behind_the_sum_is_behind_both() -> None:
    assert scales(Sum(nn.Identity(), nn.Identity(), norm(5.0, 6.0)).eval(), "conv1") == [[5.0], [6.0]]


@pytest.mark.parametrize("without", [nn.Identity(), nn.BatchNorm2d(2, affine=False), nn.InstanceNorm2d(2, affine=True)])
def test_one_layer_without_is_enough_to_refuse(without: nn.Module) -> None:
    """Its part of the sum is scaled by nobody: the other's scale alone would mislead."""
    model = Sum(norm(1.0, 2.0), without, nn.Identity()).eval()
    with pytest.raises(InputError, match="none scales what conv2 makes"):
        scales(model, "conv1")


def test_behind_the_next_layer_is_too_late() -> None:
    model = nn.Sequential(conv(3, 2), nn.ReLU(), conv(2, 2), norm(1.0, 2.0), nn.ReLU(), conv(2, 2)).eval()
    with pytest.raises(InputError, match="none scales what 0 makes"):
        scales(model, "0")
    assert scales(model, "2") == [[1.0], [2.0]]


class Dense(nn.Module):
    """Channels side by side, under one batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.bn, self.out = conv(3, 2), conv(3, 3), norm(1.0, 2.0, 3.0, 4.0, 5.0), conv(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.bn(torch.cat((self.conv1(x), self.conv2(x)), 1)).relu()).mean((2, 3))


def test_of_a_batch_norm_over_several_groups_each_has_its_own_part() -> None:
    model = Dense().eval()
    assert scales(model, "conv1") == [[1.0], [2.0]] and scales(model, "conv2") == [[3.0], [4.0], [5.0]]
