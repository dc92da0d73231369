"""The benchmark of engines: its networks have half the MACs, and nothing is said of times that were too noisy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from torch import nn

from benchmarks.engines import STEP, figures_of, sparsity_for
from pruning.catalog.openers import open_network
from pruning.cost.counts import model_cost
from pruning.graph.model_graph import ModelGraph
from pruning.latency.clock import Comparison, Timing
from pruning.latency.engines.matrix import Cell
from pruning.latency.noise import Noise
from pruning.planning.plan import make_plan
from pruning.removal.apply import removed_model
from pruning.removal.build import build_graph
from pruning.runs.engine_times import EngineTimes, Variant
from pruning.spec import PruneSpec


def macs_of(model: nn.Module, graph: ModelGraph) -> int:
    return model_cost(model, graph).macs


@pytest.mark.parametrize("ref", ["sample:lenet5", "sample:mini_resnet"])
def test_the_sparsity_is_the_least_that_halves_the_macs(ref: str) -> None:
    network = open_network(ref)
    graph = build_graph(network.model, network.example_inputs)

    def macs(sparsity: float) -> int:
        plan = make_plan(network.model, graph, PruneSpec(sparsity=sparsity))
        small = removed_model(network.model, graph, plan)
        return macs_of(small, build_graph(small, network.example_inputs))

    found, dense = sparsity_for(ref), macs_of(network.model, graph)
    assert 2 * macs(found) <= dense < 2 * macs(found - STEP)


def test_noise_is_not_told() -> None:
    times = Timing(low=1.0, median=2.0, high=3.0)
    quiet = Comparison(batch=1, dense=times, pruned=times, speedup=(1.0, 2.0, 3.0), pairs=9, threads=1)
    noisy = replace(quiet, batch=8, noise=Noise(same=(0.5, 1.2, 2.0), spread=0.4))
    found = EngineTimes(
        at=datetime(2026, 11, 1, tzinfo=UTC), cpu="a processor", threads=1, torch="2.14.1",
        versions={"eager": "2.14.1"}, absent={}, no_int8="none",
        variants=(Variant(kind="dense", bytes=None), Variant(kind="pruned", bytes=None)),
        cells=(Cell(engine="eager", pruning=quiet), Cell(engine="eager", pruning=noisy)),
    )  # fmt: skip
    first, second = figures_of(found)["engines"]
    assert first["dense_ms"] == [1.0, 2.0, 3.0] and first["by_pruning"] == [1.0, 2.0, 3.0]
    assert second == {"engine": "eager", "batch": 8, "by_pruning": "too noisy to measure"}
