"""Layers before and after are counted as the plan says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pruning.compare.networks import compare_layers
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.shrinkage import shrinkage
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


def test_channels_keep_their_numbers_in_the_dense_network(dense: Subject, smaller: Subject) -> None:
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


def test_zeros_are_counted_where_nothing_shrank(dense: Subject, sparse: Subject) -> None:
    for pair in compare_layers(dense, sparse):
        assert pair.before is not None and pair.after is not None
        weight = sparse.model.get_submodule(pair.name).weight.detach()  # type: ignore[union-attr,operator]
        bias = pair.after.params - weight.numel()
        assert pair.after.nonzero == int(torch.count_nonzero(weight)) + bias
        assert pair.after.channels == pair.before.channels and pair.gone == ()


def test_another_network_has_layers_of_its_own(dense: Subject) -> None:
    pairs = compare_layers(dense, open_subject("sample:lenet300"))
    assert [pair.name for pair in pairs if pair.before is None] == ["fc1", "fc2", "fc3"]
    assert sum(pair.after is None for pair in pairs) == 8
