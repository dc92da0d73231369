"""Refit over families of networks: what it hands out is exact, and closer to the dense network than the cut was."""

from __future__ import annotations

import pytest
import torch

from benchmarks.networks import build, torchvision_networks
from pruning.calls.parts import Parts
from pruning.planning.plan import make_plan
from pruning.removal.apply import inflate, pruned_model
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import check_removal
from pruning.repair.candidates import batches_for, put
from pruning.repair.reference import make_reference
from pruning.repair.refit import refit
from pruning.repair.unlabelled import of_tensors
from pruning.spec import PruneSpec

NETWORKS = {network.name.partition(":")[2]: network for network in torchvision_networks()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x0_5", "swin_t"])
def test_it_is_exact_and_closer_on_other_images(name: str) -> None:
    network = NETWORKS[name]
    model = build(network)[0].eval()
    graph = build_graph(model, (3, network.size, network.size))
    plan = make_plan(model, graph, PruneSpec(sparsity=0.3))
    small, parts = pruned_model(model, graph, plan).eval(), Parts(model, graph)
    draw = torch.Generator().manual_seed(0)
    images = of_tensors([torch.randn(60, 3, network.size, network.size, generator=draw)])
    found = refit(make_reference(parts, batches_for(parts, images), plan), plan)
    fitted = put(small, found)
    others = torch.randn(20, 3, network.size, network.size, generator=draw)
    with torch.no_grad():
        wanted, before, after = (one(others) for one in (model, small, fitted))
    assert float((after - wanted).square().mean()) < 0.5 * float((before - wanted).square().mean())
    assert sum(layer.left is None for layer in found.layers) > 0.8 * len(found.layers)
    what = shrinkage(graph, plan)
    assert check_removal(inflate(model, fitted, what), fitted, graph, plan).status == "exact"
