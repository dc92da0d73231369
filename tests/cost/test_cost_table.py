"""The table against the shapes that removal leaves, on random plans; read as a page would, from JSON alone."""

import json
import math
import random

import pytest
import torchvision
from torch import nn
from torchvision.models import ConvNeXt, DenseNet, MobileNetV2, ShuffleNetV2, SqueezeNet, VisionTransformer
from torchvision.models.convnext import CNBlockConfig

from pruning.base.errors import InputError
from pruning.cost.counts import count_macs, count_parameters, shapes_after
from pruning.cost.table import cost_table
from pruning.planning.plan import Plan
from pruning.removal.build import build_graph
from pruning.render.preview import target_macs
from sample_models import SAMPLES

NETWORKS = {
    **{name: (SAMPLES[name].build, SAMPLES[name].input_shape) for name in ("lenet5", "mini_resnet", "resnet20")},
    "vgg_small": (SAMPLES["vgg_small"].build, SAMPLES["vgg_small"].input_shape),
    "resnet18": (torchvision.models.resnet18, (3, 64, 64)),
    "mobilenet_v2": (lambda: MobileNetV2(width_mult=0.35), (3, 64, 64)),
    "densenet": (lambda: DenseNet(8, (2, 3), 16, num_classes=7), (3, 64, 64)),
    "squeezenet": (lambda: SqueezeNet(num_classes=7), (3, 64, 64)),
    "shufflenet": (lambda: ShuffleNetV2([1, 2, 1], [24, 48, 96, 192, 64], num_classes=7), (3, 64, 64)),
    "convnext": (lambda: ConvNeXt([CNBlockConfig(16, 24, 2), CNBlockConfig(24, None, 1)], num_classes=7), (3, 64, 64)),
    "vit": (lambda: VisionTransformer(32, 8, 2, 4, 64, 96, num_classes=7), (3, 32, 32)),
}


def random_plan(graph, rng: random.Random) -> Plan:
    """Any number of units of each group, from one to all."""
    kept = {
        group.name: tuple(sorted(rng.sample(range(group.units), rng.randint(1, group.units)))) for group in graph.groups
    }
    return Plan(granularity="channel", kept=kept, layers=())


def read(table: dict, kept: list[int]) -> tuple[int, int]:
    """Parameters and MACs from the JSON, as the top of cost_table.py says."""
    shapes = [
        [fixed + sum(kept[group] * positions for group, positions in parts) for fixed, parts in tensor["dims"]]
        for tensor in table["tensors"]
    ]
    macs = 0
    for layer in table["layers"]:
        macs += math.floor(math.prod(shapes[layer["tensor"]]) * layer["macs"][0] / layer["macs"][1])
    for product in table["products"]:
        lengths = math.prod(shapes[tensor][dim] for tensor, dim in product["dims"])
        macs += math.floor(lengths * product["macs"][0] / product["macs"][1])
    return sum(math.prod(s) for s, t in zip(shapes, table["tensors"], strict=True) if t["parameter"]), macs


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_shapes_that_a_plan_leaves(name):
    build, shape = NETWORKS[name]
    graph = build_graph(build(), shape)
    table = cost_table(graph)
    data = json.loads(json.dumps(table.to_json()))
    rng = random.Random(0)
    assert len(graph.groups) > 1
    for _ in range(5):
        plan = random_plan(graph, rng)
        shapes = shapes_after(graph, plan)
        truth = (count_parameters(graph, shapes), count_macs(graph, shapes))
        kept = {name: len(units) for name, units in plan.kept.items()}
        count = table.count(kept)
        assert table.shapes(kept) == [shapes[tensor.name] for tensor in table.tensors]
        assert (count.params, count.macs) == truth
        assert read(data, [kept[group["name"]] for group in data["groups"]]) == truth


@pytest.mark.parametrize("name", ["vgg_small", "resnet20", "densenet"])
def test_macs_of_a_group_are_those_of_the_layers_it_runs_through(name):
    build, shape = NETWORKS[name]
    graph = build_graph(build(), shape)
    plan = random_plan(graph, random.Random(1))
    kept = {name: len(units) for name, units in plan.kept.items()}
    assert cost_table(graph).group_macs(kept) == target_macs(graph, "channel", shapes_after(graph, plan))


def test_by_hand():
    """conv1 (3→4) → depthwise (4) → conv2 (4→2) → flatten 2×3×3 → linear (18→5), images of 5×5."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.Conv2d(4, 2, 1), nn.Flatten(), nn.Linear(18, 5)
    )
    table = cost_table(build_graph(model, (3, 5, 5)))
    assert [(group.name, group.units) for group in table.groups] == [("0", 4), ("2", 2)]
    assert [[table.layers[i].name for i in group.layers] for group in table.groups] == [["0", "1", "2"], ["2", "4"]]
    last = next(tensor for tensor in table.tensors if tensor.name == "4.weight")
    assert last.dims == ((5, ()), (0, ((1, 9),))), "5 outputs stay; each unit of the second group has 9 inputs"

    count = table.count({"0": 3, "2": 1})
    assert count.params == (3 * 3 + 3) + 3 * 9 + (3 + 1) + (9 * 5 + 5)
    macs = [3 * 3 * 25, 3 * 9 * 9, 3 * 1 * 9, 9 * 5]
    assert table.layer_macs({"0": 3, "2": 1}) == macs and count.macs == sum(macs)
    assert table.group_macs({"0": 3, "2": 1}) == {"0": sum(macs[:3]), "2": sum(macs[2:])}
    assert table.count({"2": 1}).params == (3 * 4 + 4) + 4 * 9 + (4 + 1) + (9 * 5 + 5), "a group not named keeps all"


@pytest.mark.parametrize(("kept", "words"), [({"0": 0}, "from 1 to 4"), ({"0": 5}, "from 1 to 4"), ({"x": 1}, "'x'")])
def test_what_is_not_allowed(kept, words):
    table = cost_table(build_graph(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), (3,)))
    with pytest.raises(InputError, match=words):
        table.count(kept)
