"""Networks of libraries, judged by the benchmark's oracle; `python -m benchmarks.removal` does all of them."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks.networks import all_networks, build
from benchmarks.oracle import judge, runs_in_training
from pruning.removal.remove import remove
from pruning.spec import PruneSpec
from tests.invariants import changes, state

LEAST = {
    # name: the share of the parameters that must go at sparsity 0.5
    "torchvision:shufflenet_v2_x0_5": 0.5,
    "torchvision:mobilenet_v3_small": 0.5,
    "torchvision:squeezenet1_1": 0.5,
    "torchvision:mnasnet0_5": 0.4,
    "torchvision:googlenet": 0.6,
    "torchvision:regnet_y_400mf": 0.6,
    "torchvision:swin_t": 0.5,
    "segmentation:lraspp_mobilenet_v3_large": 0.6,
    "segmentation:deeplabv3_mobilenet_v3_large": 0.6,
    "segmentation:fcn_resnet50": 0.6,
    "timm:vit_tiny_patch16_224": 0.5,
    "timm:swin_tiny_patch4_window7_224": 0.5,
    "timm:coat_lite_tiny": 0.2,
    "timm:convnextv2_atto": 0.5,
    "timm:ghostnet_050": 0.4,
}
SLOW = {
    "torchvision:swin_t", "torchvision:googlenet", "torchvision:regnet_y_400mf", "torchvision:mnasnet0_5",
    "segmentation:fcn_resnet50", "segmentation:lraspp_mobilenet_v3_large", "timm:ghostnet_050",
}  # fmt: skip
NETWORKS = {network.name: network for network in all_networks()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in LEAST]
)
def test_half_of_the_channels_go_exactly(name):
    if name.startswith("timm:") and importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed (requirements-dev.txt)")
    model, images = build(NETWORKS[name])
    before = state(model)
    done = remove(model, images, PruneSpec(sparsity=0.5))
    assert not changes(before, model)
    assert done.check is not None and done.check.status == "exact"
    verdict = judge(model, done.model, images, done.what.kept)
    assert verdict.outcome == "exact", verdict.reason
    assert not runs_in_training(model, done.model, images)
    sizes = [sum(parameter.numel() for parameter in network.parameters()) for network in (done.model, model)]
    assert 1 - sizes[0] / sizes[1] >= LEAST[name]
