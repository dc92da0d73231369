"""What filters answer is what the network computes, under the numbers that its channels had before pruning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from pruning.base.errors import InputError
from pruning.compare.features import Maps, common_reach, feature_maps, kept_channels
from pruning.opening.models import OpenModel, open_model
from pruning.planning.plan import make_plan
from pruning.removal.apply import removed_model
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.spec import PruneSpec


@pytest.fixture(scope="module")
def dense() -> OpenModel:
    return open_model("sample:mini_resnet")


@pytest.fixture(scope="module")
def small(dense: OpenModel) -> OpenModel:
    """Without 40 % of its channels, as cut."""
    plan = make_plan(dense.model, dense.graph, PruneSpec(sparsity=0.4))
    model = removed_model(dense.model, dense.graph, plan).eval()
    return replace(
        dense,
        model=model,
        graph=build_graph(model, (1, 28, 28)),
        structure=shrinkage(dense.graph, plan),
        digest="small",
    )


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(3))


def test_maps_are_the_layers_own_output_after_its_normalisation(dense: OpenModel, image: torch.Tensor) -> None:
    found = feature_maps(dense, "conv1", image)
    net = dense.model
    by_hand = F.batch_norm(
        F.conv2d(image[None], net.conv1.weight, padding=1),
        net.bn1.running_mean, net.bn1.running_var, net.bn1.weight, net.bn1.bias,
    )[0]  # fmt: skip
    assert found.place == "bn1" and found.channels == tuple(range(10))
    torch.testing.assert_close(found.values, by_hand.detach())


def test_a_layer_without_normalisation_shows_its_own_output() -> None:
    lenet = open_model("sample:lenet300")
    image = torch.randn(1, 28, 28)
    found = feature_maps(lenet, "fc1", image)
    assert found.place == "fc1" and found.values.shape == (300, 1, 1)
    by_hand = lenet.model.fc1.weight @ image.reshape(-1) + lenet.model.fc1.bias
    torch.testing.assert_close(found.values[:, 0, 0], by_hand.detach(), rtol=1e-4, atol=1e-5)


def test_channels_that_are_left_keep_their_original_numbers(
    dense: OpenModel, small: OpenModel, image: torch.Tensor
) -> None:
    """The first layer reads the image itself, so without training what is left answers as before."""
    whole, left = feature_maps(dense, "conv1", image), feature_maps(small, "conv1", image)
    kept = small.structure.kept["conv1.weight"][0]
    assert left.channels == tuple(kept) == kept_channels(small, "conv1") and len(kept) == 6
    for number in range(10):
        mine = left.of(number)
        assert (mine is None) == (number not in kept), "a removed channel is where the structure says"
        if mine is not None:
            torch.testing.assert_close(mine, whole.of(number))


def test_the_shared_model_keeps_no_hooks_and_its_mode(dense: OpenModel, image: torch.Tensor) -> None:
    feature_maps(dense, "layer3.0.conv2", image)
    assert not any(module._forward_hooks for module in dense.model.modules())
    assert not dense.model.training


def test_an_unknown_layer_is_refused_in_words(dense: OpenModel, image: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"no layer 'conv9'.*layer1\.0\.conv1"):
        feature_maps(dense, "conv9", image)


def test_the_common_scale_leaves_out_the_strongest_hundredth() -> None:
    first = Maps(layer="a", place="a", channels=(0,), values=torch.arange(100.0).view(1, 10, 10))
    second = Maps(layer="a", place="a", channels=(0,), values=-torch.arange(101.0, 202.0).view(1, 1, 101))
    assert common_reach(first) == 98.0
    assert common_reach(first, second) == 199.0, "the 199th of 201 magnitudes, which leaves two beyond it"
    assert common_reach(Maps(layer="a", place="a", channels=(0,), values=torch.zeros(1, 2, 2))) == 1.0
