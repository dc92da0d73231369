"""Two networks drawn to scale: one mark for each channel, zeros and what goes as wide as they are."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from pruning.compare.networks import LayerPair, compare_layers
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.shrinkage import shrinkage
from pruning.render.markup.drawing import BLOCK, HALL, drawing
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject


@pytest.fixture(scope="module")
def dense() -> Subject:
    return open_subject("sample:mini_resnet")


@pytest.fixture(scope="module")
def smaller(dense: Subject, as_pruned: Callable[..., Subject]) -> Subject:
    plan = make_plan(dense.model, dense.graph, PruneSpec(granularity="channel", sparsity=0.5))
    model = removed_model(dense.model, dense.graph, plan)
    return as_pruned(dense, model, structure=shrinkage(dense.graph, plan))


@pytest.fixture(scope="module")
def sparse(dense: Subject, as_pruned: Callable[..., Subject]) -> Subject:
    plan = make_plan(dense.model, dense.graph, PruneSpec(granularity="weight", sparsity=0.8))
    return as_pruned(dense, masked_model(dense.model, dense.graph, plan))


def test_networks_without_a_layer_in_common_are_drawn(dense: Subject) -> None:
    pairs = compare_layers(dense, open_subject("sample:lenet300"))
    assert ElementTree.fromstring(drawing(pairs)).get("role") == "img"


def marks(svg: str, kind: str) -> int:
    """Channels drawn in paths of a kind."""
    return sum(path.count("M") for path in re.findall(rf'class="{kind}"[^>]* d="([^"]*)"', svg))


@pytest.mark.parametrize("hall", [False, True])
def test_the_drawing_has_a_mark_for_every_channel(dense: Subject, smaller: Subject, hall: bool) -> None:
    pairs = compare_layers(dense, smaller)
    svg = drawing(pairs, look=HALL) if hall else drawing(pairs)
    ElementTree.fromstring(svg)
    gone = sum(len(pair.gone) for pair in pairs)
    first = sum(pair.before.channels for pair in pairs if pair.before is not None)
    second = sum(pair.after.channels for pair in pairs if pair.after is not None)
    assert gone == first - second > 0
    assert marks(svg, "cmp-goes") == gone
    assert marks(svg, "cmp-stays") == (first - gone) + second


def test_blocks_are_to_scale(dense: Subject, smaller: Subject) -> None:
    """A channel is as high in either network: 96 units for the 28 channels of the widest layer."""
    svg = drawing(compare_layers(dense, smaller))
    steps = set()
    for path in re.findall(r'class="cmp-stays" d="([^"]*)"', svg):
        places = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h", path)]
        steps |= {round((b - a) / (96 / 28), 2) for a, b in itertools.pairwise(places)}
    assert min(steps) == 1.0 and all(step == int(step) for step in steps)


def test_zeros_are_drawn_in_either_network(dense: Subject, sparse: Subject) -> None:
    pairs = compare_layers(sparse, dense)
    svg = drawing(pairs)
    zeros = [float(width) for width in re.findall(r'class="cmp-zero" [^>]*width="([\d.]+)"', svg)]
    assert zeros == [pytest.approx(BLOCK * (1 - pair.before.density), abs=0.1) for pair in pairs if pair.before]
    assert svg.index("cmp-zero") < svg.index('class="cmp-after"'), "those of the first"


def test_channels_that_go_are_as_wide_as_what_they_hold(sparse: Subject, smaller: Subject) -> None:
    pairs = [pair for pair in compare_layers(sparse, smaller) if pair.before is not None and pair.gone]
    widths = re.findall(r'class="cmp-goes"[^>]* d="M[\d.]+ [\d.]+h([\d.]+)v', drawing(pairs))
    assert [float(width) for width in widths] == [
        pytest.approx(BLOCK * pair.before.density, abs=0.1) for pair in pairs if pair.before
    ]


def test_names_are_escaped(dense: Subject) -> None:
    layer = compare_layers(dense, dense)[0].before
    assert layer is not None
    hostile = dataclasses.replace(layer, name="<img src=x>&'\"")
    svg = drawing([LayerPair(name=hostile.name, before=hostile, after=hostile)], before="<b>", after='"')
    assert "<img" not in svg and "<b>" not in svg
    ElementTree.fromstring(svg)
