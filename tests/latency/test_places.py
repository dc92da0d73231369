"""Where layers' times may be of: engines of this machine, and machines that times were brought from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from pruning.graph.model_graph import ModelGraph
from pruning.latency.cache import brought_job, brought_key, job_of, publish_steps, steps_key
from pruning.latency.engines.table import ENGINES
from pruning.latency.places import USUAL, Places
from pruning.latency.steps import Steps
from pruning.removal.build import build_graph


def graph_of(width: int = 4) -> ModelGraph:
    return build_graph(nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2)), torch.zeros(1, 3))


def made() -> Steps:
    return Steps(batch=1, threads=5, torch="2", cpu="Abacus 9000", dense=3.0, grids=(), calls=(), fixed=1.0,
                 per_element=0.0, error=0.1, checks=(), drift=0.0)  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    return tmp_path


def test_engines_of_this_machine_that_take_layers_each_have_times_of_their_own() -> None:
    graph = graph_of()
    found = Places(graph, 1).found()
    assert next(iter(found)) == USUAL and found[USUAL].job == job_of(steps_key(graph, 1)) and not found[USUAL].where
    assert set(found) == {name for name, one in ENGINES.items() if one.takes_layers and one.why_not() is None}
    assert all(place.is_here for place in found.values())
    assert len({repr(place.job) for place in found.values()}) == len(found)


def test_a_machine_is_there_once_times_of_this_network_and_batch_were_brought(cache: Path) -> None:
    graph = graph_of()
    there = Places(graph, 1)
    assert "on Abacus 9000" not in there.found()
    with brought_job(brought_key(graph, 1), "Abacus 9000").working() as work:
        publish_steps(work, made())
    with brought_job(brought_key(graph, 1), "Broken").working() as work:
        publish_steps(work, replace(made(), cpu="Broken"))
    place = there.found()["on Abacus 9000"]
    assert (place.title, place.threads, place.where, place.is_here) == ("Abacus 9000", 5, "Abacus 9000", False)
    assert "on Abacus 9000" not in Places(graph, 2).found() and "on Abacus 9000" not in Places(graph_of(5), 1).found()
    for path in (cache / "latency" / "brought").rglob("steps.json"):
        if "Broken" in path.read_text():
            path.write_text("{")
    assert "on Abacus 9000" in there.found() and "on Broken" not in there.found(), "what is damaged harms no other"
