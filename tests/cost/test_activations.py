"""Peak activation memory by hand, and after a plan as the removed network's own graph has it."""

import pytest
import torch
from torch import nn

from pruning.catalog.openers import open_network
from pruning.cost.activations import Peak, activation_peak
from pruning.planning.plan import make_plan
from pruning.removal.apply import removed_model
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from sample_models import SAMPLES


def test_by_hand() -> None:
    """Input 1×8×8 and conv output 2×6×6 are alive together; then 2×6×6 and the ReLU's result; then flatten (a view)
    and the linear layer's 3 outputs."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    peak = activation_peak(build_graph(model, (1, 8, 8)))
    assert peak == Peak(bytes=4 * max(64 + 72, 72 + 72, 72 + 3), place="1")


def test_a_call_that_writes_into_its_input_takes_no_memory() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, 3))
    assert activation_peak(build_graph(model, (1, 8, 8))) == Peak(bytes=4 * (64 + 72), place="0")


def test_what_a_residual_sum_still_needs_stays() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.wide, self.narrow = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 6, 1), nn.Conv2d(6, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.stem(x)
            return x + self.narrow(self.wide(x))

    model = Sum()
    graph = build_graph(model, (1, 4, 4))
    assert activation_peak(graph) == Peak(bytes=4 * 16 * (2 + 6 + 2), place="narrow")
    halved = make_plan(model, graph, PruneSpec(layers=(("wide", 0.5),)))
    assert activation_peak(graph, halved) == Peak(bytes=4 * 16 * (2 + 3 + 2), place="narrow")


@pytest.mark.parametrize(
    "name",
    [
        *SAMPLES,
        "torchvision:squeezenet1_1?size=64",
        *(
            pytest.param(f"torchvision:{name}?size=64", marks=pytest.mark.slow)
            for name in ("shufflenet_v2_x0_5", "vit_b_32", "densenet121")
        ),
    ],
)
def test_after_a_plan_it_is_that_of_the_removed_network(name: str) -> None:
    network = open_network(name if ":" in name else f"sample:{name}")
    graph = build_graph(network.model, network.example_inputs)
    for sparsity in (0.37, 0.8):
        plan = make_plan(network.model, graph, PruneSpec(sparsity=sparsity, criterion="random", seed=2))
        small = removed_model(network.model, graph, plan)
        assert activation_peak(graph, plan) == activation_peak(build_graph(small, network.example_inputs))
    assert activation_peak(graph, make_plan(network.model, graph, PruneSpec())) == activation_peak(graph)
