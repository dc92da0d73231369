"""The spec: values are settled and checked when it is built, and its digest names what goes."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from torch import nn

from pruning.base.errors import InputError
from pruning.planning.allocation import ALLOCATIONS, kept_per_target, per_target, same_cut
from pruning.removal.build import build_graph
from pruning.spec import ALLOCATIONS as NAMES
from pruning.spec import PruneSpec
from sample_models import SAMPLES

FULL = PruneSpec(
    granularity="channel",
    criterion="taylor",
    parameters=(("batches", 3),),
    sparsity=0.5,
    layers=(("conv2", 0.25), ("conv1", 0.75)),
    round_to=4,
    seed=7,
)


def test_equal_specs_are_equal_however_they_are_written() -> None:
    other = PruneSpec.from_values(
        {"criterion": "taylor", "parameters": {"batches": 3}, "sparsity": 0.5, "seed": 7, "round_to": 4,
         "layers": {"conv1": 0.75, "conv2": 0.25}}
    )  # fmt: skip
    assert other == FULL and hash(other) == hash(FULL) and other.digest == FULL.digest
    assert FULL.layers == (("conv1", 0.75), ("conv2", 0.25))
    assert PruneSpec.from_values(FULL.to_values()) == FULL
    assert PruneSpec(criterion="taylor") == PruneSpec(criterion="taylor", parameters=(("batches", 16),))
    assert PruneSpec(sparsity=0) == PruneSpec(sparsity=0.0) and isinstance(PruneSpec(sparsity=0).sparsity, float)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.sparsity = 0.1  # type: ignore[misc]


CHANGES: dict[str, Any] = {
    "granularity": "weight", "criterion": "l1", "parameters": (("batches", 4),), "sparsity": 0.51,
    "layers": (("conv1", 0.75),), "round_to": 2, "seed": 8, "head_rounding": "up",
}  # fmt: skip


def test_the_digest_follows_everything_that_decides_what_goes() -> None:
    assert set(CHANGES) | {"allocation"} == {field.name for field in dataclasses.fields(PruneSpec)}
    base = FULL.replace(round_to=1)
    found = [base, *(base.replace(**{name: value}) for name, value in CHANGES.items())]
    assert all(a.digest != b.digest and a != b for a, b in itertools.combinations(found, 2))


def test_a_seed_counts_only_where_the_criterion_draws() -> None:
    for criterion, counts in (("l2", False), ("bn_scale", False), ("random", True), ("taylor", True)):
        one, other = (PruneSpec(criterion=criterion, seed=seed) for seed in (1, 2))
        assert one != other and (one.digest != other.digest) is counts is one.draws


def test_another_criterion_begins_with_its_own_parameters() -> None:
    assert FULL.replace(criterion="l2").parameters == ()
    assert FULL.replace(criterion="taylor", seed=1).parameters == (("batches", 3),)
    assert PruneSpec().replace(criterion="taylor", parameters=(("batches", 5),)).parameters == (("batches", 5),)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"granularity": "filter"}, "'channel' or 'weight', not 'filter'"),
        ({"granularity": ["channel"]}, "'channel' or 'weight'"),
        ({"criterion": "l3"}, "Choose one of: l2, l1"),
        ({"criterion": None}, "no criterion None"),
        ({"criterion": "\ud800"}, "no criterion"),
        ({"granularity": "weight", "criterion": "bn_scale"}, "BN scale ranks channels only"),
        ({"parameters": (("batches", 3),)}, "l2 has no parameter 'batches': it takes none"),
        ({"criterion": "taylor", "parameters": (("images", 3),)}, "it takes batches"),
        ({"criterion": "taylor", "parameters": (("batches", 0),)}, "from 1 to 1,000"),
        ({"criterion": "taylor", "parameters": (("batches", 2.0),)}, "whole number"),
        ({"criterion": "taylor", "parameters": (("batches", 2), ("batches", 3))}, "two values"),
        ({"allocation": "fair"}, "one of uniform"),
        ({"sparsity": 1.0}, "below 1"),
        ({"sparsity": float("nan")}, "below 1"),
        ({"sparsity": "half"}, "below 1"),
        ({"layers": (("conv1", -0.1),)}, "layer conv1"),
        ({"layers": (("conv1", 0.1), ("conv1", 0.2))}, "two values for 'conv1'"),
        ({"layers": ((3, 0.1),)}, "no name"),
        ({"layers": (("\udfff", 0.1),)}, "no name"),
        ({"layers": (("x" * 5000, 0.1),)}, "no name"),
        ({"round_to": 0}, "at least 1"),
        ({"round_to": 1.5}, "at least 1"),
        ({"granularity": "weight", "round_to": 8}, "for channels"),
        ({"seed": -1}, "between 0 and"),
        ({"seed": 2**31}, "between 0 and"),
        ({"seed": True}, "between 0 and"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        PruneSpec(**wrong)
    said = str(caught.value)
    assert words in said and "\n" not in said and len(said) < 400
    said.encode()


def test_every_allocation_has_its_function() -> None:
    assert set(ALLOCATIONS) == set(NAMES)


def test_channels_are_kept_in_multiples() -> None:
    graph = build_graph(SAMPLES["lenet5"].build(), (1, 28, 28))  # 20, 50 and 500 channels
    spec = PruneSpec(sparsity=0.5, round_to=8)
    assert per_target(graph, spec) == dict.fromkeys(("conv1", "conv2", "fc1"), 0.5)
    assert kept_per_target(graph, spec) == {"conv1": 16, "conv2": 32, "fc1": 256}
    assert kept_per_target(graph, spec.replace(round_to=1)) == {"conv1": 10, "conv2": 25, "fc1": 250}


@pytest.mark.parametrize(
    ("made", "sparsity", "kept"),
    [
        (64, 0.7, 8),  # 6 units would be 24 channels made, but 6 read
        (24, 0.5, 4),  # 16 channels made; of the 6 that are read no multiple of 8 is left
        (20, 0.5, 4),
        (12, 0.5, 2),
    ],
)
def test_every_layer_of_a_group_counts_in_rounding(made: int, sparsity: float, kept: int) -> None:
    """Four channels that are made for each that is read."""
    model = nn.Sequential(nn.Conv2d(3, made, 1), nn.PixelShuffle(2), nn.Conv2d(made // 4, 5, 1))
    graph = build_graph(model, (3, 4, 4))
    assert kept_per_target(graph, PruneSpec(sparsity=sparsity, round_to=8)) == {"0": kept}


def test_the_same_cut_may_be_put_in_several_ways() -> None:
    graph = build_graph(SAMPLES["lenet5"].build(), (1, 28, 28))
    half = PruneSpec(sparsity=0.5)
    named = PruneSpec(layers=(("conv1", 0.5), ("conv2", 0.51), ("fc1", 0.5)), seed=3)
    assert same_cut(graph, half, named), "51 % of 50 are 25, and nothing draws"
    assert not same_cut(graph, half, named.replace(criterion="l1"))
    assert not same_cut(graph, half, half.replace(sparsity=0.6))
    by_lot = half.replace(criterion="random", seed=1)
    assert same_cut(graph, by_lot, by_lot) and not same_cut(graph, by_lot, by_lot.replace(seed=2))
    assert not same_cut(graph, half, PruneSpec(layers=(("nowhere", 0.5),))), "of another network"


def test_options_of_the_command_line_give_the_same_spec() -> None:
    from pruning.cli.main import build_parser
    from pruning.cli.spec import spec_of

    spec = FULL.replace(layers=(("a=b", 0.1 + 0.2), ("conv1", 1 / 3)))
    names = ("granularity", "criterion", "parameters", "sparsity", "layers", "round_to", "seed")
    args = build_parser().parse_args(["prune", "sample:lenet5", *spec.to_arguments(*names)])
    assert spec_of(args, PruneSpec()) == spec
