"""Costs against hand counts and against torch's own counter."""

import math
import zlib

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pruning.cost.counts import count_macs, count_parameters, layer_costs, model_bytes, model_cost, shapes_after
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from sample_models import SAMPLES

BY_HAND = {
    # weights × output positions, layer by layer; parameters with biases and BN
    "lenet300": (784 * 300 + 300 * 100 + 100 * 10, 266_610),
    "lenet5": (25 * 20 * 24 * 24 + 20 * 25 * 50 * 8 * 8 + 800 * 500 + 500 * 10, 431_080),
    "resnet20": (
        3 * 16 * 9 * 1024 + 6 * 16 * 16 * 9 * 1024
        + 16 * 32 * 9 * 256 + 5 * 32 * 32 * 9 * 256
        + 32 * 64 * 9 * 64 + 5 * 64 * 64 * 9 * 64 + 640,
        269_722,
    ),
    "vgg_small": (
        (3 * 32 + 32 * 32) * 9 * 1024 + (32 * 64 + 64 * 64) * 9 * 256 + (64 * 192 + 192 * 192) * 9 * 64
        + 192 * 256 * 9 * 16 + 2560,
        (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 192 + 192 * 192 + 192 * 256) * 9
        + 2 * (32 + 32 + 64 + 64 + 192 + 192 + 256) + 2570,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_macs_and_parameters_equal_hand_counts(name):
    sample = SAMPLES[name]
    model = sample.build()
    cost = model_cost(model, build_graph(model, sample.input_shape))
    assert (cost.macs, cost.params) == BY_HAND[name]


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda sample: sample.name)
def test_macs_are_half_of_what_torch_counts_as_flops(sample):
    model = sample.build().eval()
    graph = build_graph(model, sample.input_shape)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *sample.input_shape))
    assert count_macs(graph, graph.shapes) * 2 == counter.get_total_flops()


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda sample: sample.name)
def test_arithmetic_on_a_plan_equals_the_removed_model(sample):
    model = sample.build()
    graph = build_graph(model, sample.input_shape)
    plan = make_plan(model, graph, PruneSpec(sparsity=0.37, criterion="random", seed=3))
    shapes = shapes_after(graph, plan)
    removed = removed_model(model, graph, plan)
    real = model_cost(removed, build_graph(removed, sample.input_shape))
    assert {name: tuple(p.shape) for name, p in removed.named_parameters()} == {
        name: shapes[name] for name, _ in removed.named_parameters()
    }
    assert (count_parameters(graph, shapes), count_macs(graph, shapes)) == (real.params, real.macs)
    assert sum(layer.macs for layer in layer_costs(graph, shapes)) == real.macs


def test_bytes_by_hand():
    model = nn.Linear(10, 3, bias=True)
    with torch.no_grad():
        model.weight.zero_()
        model.weight[0, :4] = 1.5
    size = model_bytes(model)
    data = model.weight.detach().numpy().tobytes() + model.bias.detach().numpy().tobytes()
    assert size.raw == len(data) == 4 * 33
    assert size.sparse == math.ceil(30 / 8) + 4 * 4 + 4 * 3
    assert abs(size.deflate - len(zlib.compress(data, 6))) <= 8


def test_zeros_cost_macs_but_not_sparse_bytes():
    torch.manual_seed(0)  # of so many random weights one is exactly zero now and then
    model = SAMPLES["lenet5"].build()
    graph = build_graph(model, (1, 28, 28))
    masked = masked_model(model, graph, make_plan(model, graph, PruneSpec(granularity="weight", sparsity=0.9)))
    dense, pruned = model_cost(model, graph), model_cost(masked, graph)
    assert (pruned.params, pruned.macs) == (dense.params, dense.macs)
    assert pruned.nonzero == dense.nonzero - (500 + 25_000 + 400_000 + 5_000) * 9 // 10
    assert pruned.bytes.raw == dense.bytes.raw
    assert pruned.bytes.sparse < 0.2 * dense.bytes.sparse
    assert dense.bytes.sparse > dense.bytes.raw, "a bitmap costs more than it saves where nothing is zero"


def test_peak_activation_memory_by_hand():
    """Input 1×8×8 and conv output 2×6×6 are alive together; then 2×6×6 and the ReLU's result; then flatten (a view)
    and the linear layer's 3 outputs."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    cost = model_cost(model, build_graph(model, (1, 8, 8)))
    assert cost.activation_bytes == 4 * max(64 + 72, 72 + 72, 72 + 3)
