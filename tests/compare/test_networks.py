"""Layers before and after are counted as the plan says, and the drawing holds one mark for each channel."""

from __future__ import annotations

import dataclasses
import itertools
import re
from xml.etree import ElementTree

import pytest
import torch

from pruning.compare.drawing import BLOCK, HALL, drawing
from pruning.compare.networks import LayerPair, compare_layers
from pruning.opening.models import OpenModel, open_model
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.spec import PruneSpec


@pytest.fixture(scope="module")
def dense() -> OpenModel:
    return open_model("sample:mini_resnet")


@pytest.fixture(scope="module")
def smaller(dense: OpenModel) -> OpenModel:
    plan = make_plan(dense.model, dense.graph, PruneSpec(granularity="channel", sparsity=0.5))
    model = removed_model(dense.model, dense.graph, plan)
    return dataclasses.replace(
        dense,
        model=model,
        graph=build_graph(model, dense.graph.example_shape),
        structure=shrinkage(dense.graph, plan),
    )


@pytest.fixture(scope="module")
def sparse(dense: OpenModel) -> OpenModel:
    plan = make_plan(dense.model, dense.graph, PruneSpec(granularity="weight", sparsity=0.8))
    return dataclasses.replace(dense, model=masked_model(dense.model, dense.graph, plan))


def test_channels_keep_their_numbers_in_the_dense_network(dense: OpenModel, smaller: OpenModel) -> None:
    pairs = {pair.name: pair for pair in compare_layers(dense, smaller)}
    assert list(pairs) == ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2",
                           "layer3.0.conv1", "layer3.0.conv2", "fc"]  # fmt: skip
    pair = pairs["layer2.0.conv1"]
    assert pair.before is not None and pair.after is not None
    assert (pair.before.channels, pair.after.channels) == (20, 10)
    assert sorted({*pair.gone, *pair.after.kept}) == list(range(20)) and len(pair.gone) == 10
    norms = dense.model.get_submodule("layer2.0.conv1").weight.detach().flatten(1).norm(dim=1)  # type: ignore[union-attr,operator]
    assert float(norms[list(pair.gone)].max()) <= float(norms[list(pair.after.kept)].min()), "the smallest went"
    own = smaller.model.get_submodule("layer2.0.conv1").weight  # type: ignore[union-attr]
    assert pair.after.params == own.numel() == 10 * 5 * 9
    assert pair.after.macs == own.numel() * 14 * 14
    assert pairs["fc"].gone == ()


def test_zeros_are_counted_where_nothing_shrank(dense: OpenModel, sparse: OpenModel) -> None:
    for pair in compare_layers(dense, sparse):
        assert pair.before is not None and pair.after is not None
        weight = sparse.model.get_submodule(pair.name).weight.detach()  # type: ignore[union-attr,operator]
        bias = pair.after.params - weight.numel()
        assert pair.after.nonzero == int(torch.count_nonzero(weight)) + bias
        assert pair.after.channels == pair.before.channels and pair.gone == ()


def test_another_network_has_layers_of_its_own(dense: OpenModel) -> None:
    pairs = compare_layers(dense, open_model("sample:lenet300"))
    assert [pair.name for pair in pairs if pair.before is None] == ["fc1", "fc2", "fc3"]
    assert sum(pair.after is None for pair in pairs) == 8
    assert ElementTree.fromstring(drawing(pairs)).get("role") == "img"


def marks(svg: str, kind: str) -> int:
    """Channels drawn in paths of a kind."""
    return sum(path.count("M") for path in re.findall(rf'class="{kind}"[^>]* d="([^"]*)"', svg))


@pytest.mark.parametrize("hall", [False, True])
def test_the_drawing_has_a_mark_for_every_channel(dense: OpenModel, smaller: OpenModel, hall: bool) -> None:
    pairs = compare_layers(dense, smaller)
    svg = drawing(pairs, look=HALL) if hall else drawing(pairs)
    ElementTree.fromstring(svg)
    gone = sum(len(pair.gone) for pair in pairs)
    first = sum(pair.before.channels for pair in pairs if pair.before is not None)
    second = sum(pair.after.channels for pair in pairs if pair.after is not None)
    assert gone == first - second > 0
    assert marks(svg, "cmp-goes") == gone
    assert marks(svg, "cmp-stays") == (first - gone) + second


def test_blocks_are_to_scale(dense: OpenModel, smaller: OpenModel) -> None:
    """A channel is as high in either network: 96 units for the 28 channels of the widest layer."""
    svg = drawing(compare_layers(dense, smaller))
    steps = set()
    for path in re.findall(r'class="cmp-stays" d="([^"]*)"', svg):
        places = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h", path)]
        steps |= {round((b - a) / (96 / 28), 2) for a, b in itertools.pairwise(places)}
    assert min(steps) == 1.0 and all(step == int(step) for step in steps)


def test_zeros_are_drawn_in_either_network(dense: OpenModel, sparse: OpenModel) -> None:
    pairs = compare_layers(sparse, dense)
    svg = drawing(pairs)
    zeros = [float(width) for width in re.findall(r'class="cmp-zero" [^>]*width="([\d.]+)"', svg)]
    assert zeros == [pytest.approx(BLOCK * (1 - pair.before.density), abs=0.1) for pair in pairs if pair.before]
    assert svg.index("cmp-zero") < svg.index('class="cmp-after"'), "those of the first"


def test_channels_that_go_are_as_wide_as_what_they_hold(sparse: OpenModel, smaller: OpenModel) -> None:
    pairs = [pair for pair in compare_layers(sparse, smaller) if pair.before is not None and pair.gone]
    widths = re.findall(r'class="cmp-goes"[^>]* d="M[\d.]+ [\d.]+h([\d.]+)v', drawing(pairs))
    assert [float(width) for width in widths] == [
        pytest.approx(BLOCK * pair.before.density, abs=0.1) for pair in pairs if pair.before
    ]


def test_names_are_escaped(dense: OpenModel) -> None:
    layer = compare_layers(dense, dense)[0].before
    assert layer is not None
    hostile = dataclasses.replace(layer, name="<img src=x>&'\"")
    svg = drawing([LayerPair(name=hostile.name, before=hostile, after=hostile)], before="<b>", after='"')
    assert "<img" not in svg and "<b>" not in svg
    ElementTree.fromstring(svg)
