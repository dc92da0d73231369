"""Weights as cut are the dense network's at the places that are left; histograms and norms by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pruning.base.errors import InputError
from pruning.compare.weights import LayerChange, filter_norms, layer_change, overlaid
from pruning.opening.models import OpenModel, open_model
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.spec import PruneSpec


@pytest.fixture(scope="module")
def dense() -> OpenModel:
    return open_model("sample:mini_resnet")


def test_of_a_smaller_network_the_same_places_are_compared(dense: OpenModel) -> None:
    plan = make_plan(dense.model, dense.graph, PruneSpec(sparsity=0.4))
    model = removed_model(dense.model, dense.graph, plan).eval()
    for tensor in model.parameters():
        tensor.data += 0.25  # 'fine-tuning'
    small = replace(
        dense,
        model=model,
        graph=build_graph(model, (1, 28, 28)),
        structure=shrinkage(dense.graph, plan),
        digest="small",
    )
    change = layer_change(dense, small, "layer2.0.conv2")
    outs, ins = plan.kept["layer2.0.conv2/own"], plan.kept["layer2.0.conv1"]
    whole = dense.model.layer2[0].conv2.weight.detach()
    assert change.before.shape == change.after.shape and change.before.shape[1] == len(ins) == 12
    assert change.channels == tuple(small.structure.kept["layer2.0.conv2.weight"][0]) and len(outs) == 6
    for place, number in enumerate(change.channels):
        assert torch.equal(change.before[place], whole[number][list(ins)])
    torch.testing.assert_close(change.after - change.before, torch.full_like(change.after, 0.25))
    assert change.moved == pytest.approx(0.25 * change.stays**0.5 / float(change.before.norm()), rel=1e-4)

    norms = filter_norms(change)
    assert len(norms.before) == 20 and [n for n, value in enumerate(norms.after) if value is not None] == list(
        change.channels
    )
    gone = next(n for n, value in enumerate(norms.after) if value is None)
    assert norms.before[gone] == pytest.approx(float(whole[gone][list(ins)].norm()))
    number = change.channels[3]
    assert norms.after[number] == pytest.approx(float((whole[number][list(ins)] + 0.25).norm()))


def test_single_weights_that_went_are_left_out(dense: OpenModel) -> None:
    plan = make_plan(dense.model, dense.graph, PruneSpec(granularity="weight", sparsity=0.8))
    masked = masked_model(dense.model, dense.graph, plan).eval()
    run = replace(dense, model=masked, held_zero=tuple(plan.masks), digest="masked")
    change = layer_change(dense, run, "layer3.0.conv2")
    mask = plan.masks["layer3.0.conv2.weight"]
    assert torch.equal(change.held, ~mask) and change.stays == int(mask.sum())
    assert torch.equal(change.before, change.after) and change.moved == 0, "nothing was trained"
    first, second = overlaid(change)
    assert first == second and sum(first.counts) == int(mask.sum()) and first.left_out == int((~mask).sum())
    whole = dict(dense.model.named_parameters())["layer3.0.conv2.weight"].detach()
    assert filter_norms(change, "l1").before[4] == pytest.approx(float((whole[4] * mask[4]).abs().sum()), rel=1e-5)


def test_histograms_and_empty_filters_by_hand() -> None:
    before = torch.tensor([[0.9, -0.1], [0.0, 0.5]])
    after = torch.tensor([[1.0, -0.2], [0.0, 0.0]])
    held = torch.tensor([[False, False], [True, False]])
    change = LayerChange(layer="fc", before=before, after=after, held=held, dense=before, channels=(2, 5))
    first, second = overlaid(change, bins=5)
    assert first.edges == pytest.approx((-1, -0.6, -0.2, 0.2, 0.6, 1)) and first.edges == second.edges
    assert first.counts == (0, 0, 1, 1, 1) and first.left_out == second.left_out == 1
    assert sum(second.counts) == 3 and second.counts[4] == 1, "the largest value counts in the last bin"
    assert change.empty == (5,)


def test_another_networks_layer_is_refused(dense: OpenModel) -> None:
    with pytest.raises(InputError, match="no layer 'fc7'"):
        layer_change(dense, dense, "fc7")
    with pytest.raises(InputError, match="compare runs of the same network"):
        layer_change(dense, open_model("sample:lenet5"), "conv1")
