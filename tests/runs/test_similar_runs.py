"""Runs similar to a cut: the distance is worked out by hand, and what is no such run is passed over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.graph.model_graph import ModelGraph
from pruning.removal.build import build_graph
from pruning.runs import Run
from pruning.runs.recipe import Recipe
from pruning.runs.result import Result, Stages
from pruning.runs.similar_runs import distance, kept_shares, similar_runs
from pruning.spec import PruneSpec

Layers = tuple[tuple[str, float], ...]


@pytest.fixture(scope="module")
def graph() -> ModelGraph:
    """Groups 0 (10 units) and 2 (20 units); the five answers stay."""
    model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5)).eval()
    return build_graph(model, (torch.zeros(2, 4),))


@pytest.fixture(scope="module")
def run(make_result: Callable[..., Result]) -> Callable[..., Run]:
    def made(name: str = "a", finetuned: bool = True, result: bool = True, **recipe: Any) -> Run:
        settings: dict[str, Any] = {"model": "sample:lenet5", "data": "mnist5k", "sparsity": 0.0} | recipe
        reached = make_result().stages.as_cut
        stages = Stages(as_cut=reached, finetuned=reached if finetuned else None)
        return Run(
            path=Path(name),
            state="done",
            recipe=Recipe.from_values(settings),
            created=datetime(2026, 1, 1, tzinfo=UTC),
            result=make_result(stages=stages) if result else None,
            message=None,
        )

    return made


def find(graph: ModelGraph, runs: list[Run], layers: Layers = (("0", 0.5),), **wanted: Any) -> list[str]:
    found = similar_runs(runs, graph, PruneSpec(layers=layers), model="sample:lenet5", data="mnist5k", **wanted)
    return [one.name for one in found]


def test_distance_weighs_groups_by_the_parameters_they_touch(graph: ModelGraph) -> None:
    first = kept_shares(graph, PruneSpec(layers=(("0", 0.5),)))
    assert first == {"0": 0.5, "2": 1.0}
    second = kept_shares(graph, PruneSpec(layers=(("0", 0.3),)))
    # Group 0 touches its weight and bias (40 + 10) and the weight that reads it (200); group 2 touches 200 + 20 + 100.
    assert distance(graph, "channel", first, second) == pytest.approx(0.2 * 250 / (250 + 320))
    weights = [kept_shares(graph, PruneSpec(granularity="weight", layers=layers)) for layers in ((("0", 0.5),), ())]
    assert distance(graph, "weight", *weights) == pytest.approx(0.5 * 40 / (40 + 200 + 100))


def test_what_units_allow_counts_not_what_was_asked(graph: ModelGraph) -> None:
    asked = [kept_shares(graph, PruneSpec(layers=(("0", share),))) for share in (0.5, 0.59)]
    assert distance(graph, "channel", *asked) == 0.0, "5 of 10 units in both"


def test_similar_runs_come_nearest_first(graph: ModelGraph, run: Callable[..., Run]) -> None:
    runs = [run("far", layers={"0": 0.9}), run("next", layers={"0": 0.6}), run("same", layers={"0": 0.5})]
    assert find(graph, runs) == ["same", "next"]
    assert find(graph, runs, within=0.2) == ["same", "next", "far"]
    assert find(graph, runs, layers=()) == [], "dense needs no fine-tuning"


def test_other_runs_are_passed_over(graph: ModelGraph, run: Callable[..., Run]) -> None:
    good = run("good", layers={"0": 0.5})
    others = [
        run("not tuned", finetuned=False, layers={"0": 0.5}),
        run("not done", result=False, layers={"0": 0.5}),
        replace(good, path=Path("model"), recipe=good.recipe.replace(model="sample:lenet300")),
        replace(good, path=Path("data"), recipe=good.recipe.replace(data="mnist")),
        replace(good, path=Path("weights"), recipe=good.recipe.replace(granularity="weight")),
        run("layers that are no more", layers={"conv9": 0.5}),
    ]
    assert find(graph, [*others, good]) == ["good"]
    with pytest.raises(InputError):
        find(graph, [good], layers=(("conv9", 0.5),))
