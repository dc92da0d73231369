"""Times that a bundle's bench.py took on another machine: of this very network, in quiet, and under no other name."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import InputError, NoisyError, StorageError
from pruning.base.fields import Fields
from pruning.catalog.openers import open_network
from pruning.cli.main import main
from pruning.cost.table import cost_table
from pruning.export.bundle.of_run import export_run
from pruning.latency.abroad import layers_to_time, steps_abroad
from pruning.latency.cache import brought_key, brought_steps, read_steps, steps_key
from pruning.latency.steps import predict, time_at
from pruning.removal.build import build_graph
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.abroad import kept_units, machines, read_times, take_in_times
from pruning.runs.pack import pack
from pruning.runs.recipe import Recipe
from pruning.runs.unpack import unpack
from pruning.spec import PruneSpec


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """LeNet-5 with half its channels."""
    folder = tmp_path_factory.mktemp("made") / "half"
    execute(create_run(Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=folder))
    return read_run(folder)


def told(kind: dict[str, Any], rounds: int = 9) -> list[list[float]]:
    """Times of a layer that takes a microsecond for each output times each input."""
    return [[1e-6 * rows * columns] * rounds for rows, columns in kind["points"]]


def record(run: Run, **changes: Any) -> dict[str, Any]:
    """What bench.py would write on a machine without any noise."""
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    listed = layers_to_time(graph, 1)
    sure = {"median": 2.0, "low": 1.9, "high": 2.1}
    return {
        "format": "pruning-explorer-times",
        "version": 1,
        "run": run.name,
        "weights_sha256": network.digest,
        "machine": {"cpu": "Abacus 9000", "system": "wood", "python": "3.11", "torch": "2.9"},
        "at": "2026-11-28T00:00:00+00:00",
        "comparisons": [
            {"batch": 1, "dense": sure, "pruned": {"median": 1.0, "low": 0.9, "high": 1.1}, "speedup": [1.8, 2.0, 2.2],
             "pairs": 30, "threads": 1, "engine": "ONNX Runtime, float32, CPU", "quiet": True,
             "same": [0.99, 1.0, 1.01], "spread": 0.01, "at": "2026-11-28T00:00:00+00:00"}
        ],
        "widths": [
            {"batch": 1, "threads": 1, "key": listed["layers_key"], "taken": [told(kind) for kind in listed["layers"]],
             "dense_ms": [500.0] * 4, "pruned_ms": [130.0] * 4}
        ],
        **changes,
    }  # fmt: skip


def test_times_of_layers_are_read_as_they_were_taken(run: Run) -> None:
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    kept = kept_units(graph, network)
    assert run.result is not None
    assert kept == {group.name: group.units // 2 for group in graph.groups}
    steps = steps_abroad(graph, Fields(record(run)["widths"][0], "it"), kept, cpu="Abacus 9000", torch="2.9")
    for call in steps.calls:
        grid = steps.grids[call.grid]
        for rows in grid.rows:
            for columns in grid.columns:
                assert time_at(grid, rows, columns) == pytest.approx(1e-3 * rows * columns, rel=0.02)
    table = cost_table(graph)
    assert predict(steps, table, {}).middle == pytest.approx(500.0)
    assert steps.checks[0][0] == pytest.approx(130.0)


def test_times_are_noted_with_the_run_and_its_widths_in_the_cache(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(run.path, tmp_path / "half")
    (tmp_path / "times.json").write_text(json.dumps(record(run)))
    assert main(["latency", f"run:{folder}", "--import", str(tmp_path / "times.json")]) == 0
    said = capsys.readouterr().out
    assert "on Abacus 9000: 2.00× as fast (1.80–2.20), 2 → 1 ms, 1 sample at a time, 1 thread, ONNX Runtime" in said
    (machine,) = machines(folder)
    assert machine.cpu == "Abacus 9000" and machine.comparisons[0].speedup == (1.8, 2.0, 2.2)
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    assert brought_steps(brought_key(graph, 1))["Abacus 9000"].threads == 1 and not brought_steps(brought_key(graph, 2))
    assert read_steps(steps_key(graph, 1)) is None, "they are not this machine's"


def test_they_travel_with_a_packed_run_and_damaged_ones_do_not(run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(run.path, tmp_path / "half")
    (tmp_path / "times.json").write_text(json.dumps(record(run)))
    take_in_times(folder, read_times(tmp_path / "times.json"), open_network(run.ref))
    found = unpack(pack(folder, tmp_path / "half.zip"), tmp_path / "runs")
    assert machines(found.path) == machines(folder)
    (folder / "abroad.json").write_text('{"schema_version": 1, "machines": [{"cpu": 7}]}')
    with pytest.raises(StorageError):
        unpack(pack(folder, tmp_path / "half.zip"), tmp_path / "runs")


def test_what_is_noisy_says_no_time(run: Run, tmp_path: Path) -> None:
    told = record(run)
    told["comparisons"][0] |= {"spread": 0.5, "quiet": False}
    (tmp_path / "times.json").write_text(json.dumps(told))
    (words,) = read_times(tmp_path / "times.json").machine.words
    assert "too noisy to measure" in words and " ms" not in words
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    told["widths"][0]["dense_ms"] = [500.0, 500.0, 900.0, 500.0]
    with pytest.raises(NoisyError):
        steps_abroad(graph, Fields(told["widths"][0], "it"), {}, cpu="x", torch="")


def test_times_of_another_network_and_damaged_ones_are_refused(run: Run, tmp_path: Path) -> None:
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    path = tmp_path / "times.json"
    path.write_text(json.dumps(record(run, weights_sha256="0" * 64)))
    with pytest.raises(InputError, match="of other weights"):
        take_in_times(shutil.copytree(run.path, tmp_path / "half"), read_times(path), network)
    sound = record(run)["widths"][0]
    with pytest.raises(InputError, match="another network"):
        steps_abroad(graph, Fields({**sound, "key": "0" * 24}, "it"), {}, cpu="x", torch="")
    for damage in (
        {"taken": sound["taken"][:-1]},
        {"taken": [[], *sound["taken"][1:]]},
        {"taken": [[["a"] * 9, *sound["taken"][0][1:]], *sound["taken"][1:]]},
        {"taken": [[[-1.0] * 9, *sound["taken"][0][1:]], *sound["taken"][1:]]},
        {"dense_ms": None},
        {"pruned_ms": [1e99] * 4},
    ):
        with pytest.raises(StorageError):
            steps_abroad(graph, Fields({**copy.deepcopy(sound), **damage}, "it"), {}, cpu="x", torch="")
    path.write_text('{"format": "something else"}')
    with pytest.raises(InputError, match="holds no times"):
        read_times(path)


@pytest.mark.slow
def test_a_bundle_times_itself_without_the_explorer(run: Run, tmp_path: Path) -> None:
    bundle = export_run(run, tmp_path / "bündel").path
    command = [sys.executable, "bench.py", "--batch=1", "--batch=3", "--seconds=0.3", "--out", str(tmp_path / "t.json")]
    done = subprocess.run(command, cwd=bundle, env={"PATH": ""}, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found = read_times(tmp_path / "t.json")
    engines = {comparison.engine.partition(",")[0] for comparison in found.machine.comparisons}
    assert "PyTorch eager" in engines and {one.batch for one in found.machine.comparisons} == {1, 3}
    network = open_network(run.ref)
    graph = build_graph(open_network(network.root).model, network.example_inputs)
    try:
        steps = steps_abroad(graph, found.widths[0], kept_units(graph, network), cpu="x", torch="")
    except NoisyError:
        return  # said so
    assert all(value > 0 for grid in steps.grids for row in grid.times for value in row)
