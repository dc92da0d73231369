"""The table of runs for other programs: absolute numbers with their settings, which read back as they were written."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pruning.data.readers import describe_data
from pruning.export.runs_table import COLUMNS, ENDS, SETTINGS, run_rows, runs_csv
from pruning.export.runs_table import STAGES as NAMED
from pruning.runs import Run, list_runs, read_run
from pruning.runs.labels import Label
from pruning.runs.recipe import Recipe
from pruning.runs.result import Measurement, Result
from pruning.runs.result_json import STAGES
from pruning.spec import PruneSpec


def read_back(runs: list[Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(runs_csv(lambda: runs).decode())))


def finished(run: Run) -> Result:
    assert run.result is not None
    return run.result


def ends(row: dict[str, str], name: str) -> tuple[float, ...] | None:
    """A figure with the ends of its interval: low, middle, high; None where its cells are empty."""
    cells = [row[f"{name}{end}"] for end in ENDS]
    if not any(cells):
        return None
    middle, low, high = map(float, cells)
    return low, middle, high


def of(found: Measurement | None) -> tuple[float, float, float] | None:
    return None if found is None else (found.interval[0], found.value, found.interval[1])


def test_names_of_columns_are_for_machines_and_stay() -> None:
    assert all(name.isidentifier() and name == name.lower() for name in COLUMNS) and len(set(COLUMNS)) == len(COLUMNS)
    assert NAMED == STAGES
    kept = {
        "name", "label", "tags", "state", "network", "data", "seed", "finetune_steps", "finetune_epochs",
        "weights_sha256", "images_sha256", "select_pruned", "select_pruned_low", "select_pruned_high", "test_pruned",
        "test_looks", "dense_params", "pruned_params", "dense_macs", "pruned_macs", "dense_bytes_raw",
        "pruned_bytes_sparse", "dense_ms", "pruned_ms", "speedup",
    }  # fmt: skip
    assert kept <= set(COLUMNS), "scripts read them"


def test_all_of_a_recipe_is_in_it() -> None:
    """Whoever adds a field to a recipe adds its column."""
    recipe = {field.name for field in (*fields(Recipe), *fields(PruneSpec))} - {"prune", "model", "data"}
    assert set(SETTINGS) == recipe | {"finetune_epochs"}


@pytest.mark.parametrize("name", ["channel", "weight", "iterative", "continued"])
def test_figures_read_back_as_they_were_measured(stored_runs: Path, name: str) -> None:
    run = read_run(stored_runs / name)
    result, (row,) = finished(run), read_back([run.summary])
    assert set(row) == set(COLUMNS)
    for side in ("dense", "pruned"):
        network = getattr(result, side)
        said = {cost: int(row[f"{side}_{cost}"]) for cost in ("params", "nonzero", "macs", "bytes_raw", "bytes_sparse")}
        assert said == {
            "params": network.params, "nonzero": network.nonzero, "macs": network.macs,
            "bytes_raw": network.bytes.raw, "bytes_sparse": network.bytes.sparse,
        }  # fmt: skip
        assert ends(row, f"test_{side}") == of(network.test)
        timing = network.latency[1]
        assert ends(row, f"{side}_ms") == (timing.low, timing.median, timing.high)
    assert row["select_metric"] == row["test_metric"] == "accuracy"
    for stage in STAGES:
        assert ends(row, f"select_{stage}") == of(getattr(result.stages, stage))
    furthest = next(stage for stage in reversed(STAGES) if getattr(result.stages, stage) is not None)
    assert row["select_stage"] == furthest and ends(row, "select_pruned") == of(getattr(result.stages, furthest))
    assert ends(row, "select_dense") is None and row["test_looks"] == "", "it is from before these were kept"
    change, speedup = result.difference, result.speedup()
    assert change is not None and speedup is not None
    assert ends(row, "test_difference") == (change.interval[0], change.value, change.interval[1])
    assert ends(row, "speedup") == speedup.span
    assert result.data is not None
    assert (row["weights_sha256"], row["images_sha256"]) == (result.model_digest, result.data.sha256)


@pytest.mark.parametrize("name", ["channel", "weight", "iterative", "continued", "cancelled", "failed"])
def test_settings_read_back_to_the_recipe(stored_runs: Path, name: str) -> None:
    run = read_run(stored_runs / name)
    (row,) = read_back([run.summary])
    values: dict[str, Any] = {"model": run.recipe.model, "data": run.recipe.data}
    for setting, value in run.recipe.to_values().items():
        if setting in SETTINGS and row[setting]:
            cell = row[setting]
            values[setting] = cell if isinstance(value, str) else json.loads(cell)
    assert Recipe.from_values(values) == run.recipe


def test_steps_stand_as_epochs_too(stored_runs: Path) -> None:
    run = read_run(stored_runs / "channel")
    (row,) = read_back([run.summary])
    each = describe_data("mnist5k").steps_per_epoch(run.recipe.batch_size)
    assert run.recipe.finetune_steps and float(row["finetune_epochs"]) == run.recipe.finetune_steps / each


def test_the_dense_network_on_select_images_and_the_looks(repaired_run: Run) -> None:
    result, (row,) = finished(repaired_run), read_back([repaired_run.summary])
    assert result.dense_select is not None and ends(row, "select_dense") == of(result.dense_select)
    assert row["test_looks"] == ("" if result.looks is None else str(result.looks))
    assert row["select_stage"] == "repaired" and row["repair"] == "refit"


def test_runs_of_any_state_have_all_columns_and_their_titles(stored_runs: Path) -> None:
    rows = {row["name"]: row for row in run_rows([run.summary for run in list_runs()])}
    assert set(rows) == {"channel", "weight", "iterative", "continued", "cancelled", "failed"}
    assert all(tuple(row) == COLUMNS for row in rows.values())
    assert (rows["failed"]["state"], rows["failed"]["pruned_params"]) == ("failed", None)
    assert "No mnist images" in rows["failed"]["message"]
    assert (rows["channel"]["network"], rows["channel"]["network_title"]) == ("mini_resnet", "Mini ResNet")
    assert (rows["channel"]["data"], rows["channel"]["data_title"]) == ("mnist5k", "MNIST, 5,000 digits")


def test_what_people_call_a_run_is_in_it(stored_runs: Path) -> None:
    from dataclasses import replace

    label = Label(title='The "small", fast one', tags=("demo", "monday"), note="Show it\nlast.")
    (row,) = read_back([replace(read_run(stored_runs / "channel").summary, label=label)])
    assert (row["label"], row["tags"], row["note"]) == (label.title, "demo monday", label.note)
