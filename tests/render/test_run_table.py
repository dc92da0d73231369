"""The table of runs on a page: in words, with the interval in the cell, and no column that tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pruning.render.run_table import COLUMNS, select_title, shown_columns, table_rows
from pruning.runs import Run, read_run
from pruning.runs.labels import Label
from pruning.runs.recipe import Recipe
from pruning.runs.result import Measurement, Result, Speedup, Stages
from pruning.runs.summary import Summary
from pruning.spec import PruneSpec

PLAIN = ["what", "select", "params", "macs", "speed", "created"]


def summary(result: Result | None, model: str = "sample:lenet300", **more: object) -> Summary:
    recipe = Recipe(model=model, data="mnist5k", prune=PruneSpec(sparsity=0.5))
    run = Run(
        path=Path("it"), state="queued" if result is None else "done", recipe=recipe, created=datetime.now(UTC),
        result=result, message=None,
    )  # fmt: skip
    return replace(run.summary, **more)  # type: ignore[arg-type]


def test_a_row_is_in_words(make_result: Callable[..., Result]) -> None:
    (row,) = table_rows([summary(make_result())])
    assert row["what"] == "channels by L2 norm, 50 %" and row["state"] == "done"
    assert row["network"] == "LeNet-300-100"
    assert row["select"] == "50.0 % (15.0–85.0) ●", "the interval in the cell; 75 % is its figure on test images"
    assert (row["params"], row["nonzero"], row["macs"]) == (2, 2, 1)
    assert row["speed"] == "1.60× as fast (1.50–1.70)"


def test_the_furthest_stage_stands_in_it(make_result: Callable[..., Result]) -> None:
    cut = make_result().stages.as_cut
    assert cut is not None
    tuned = Measurement(value=0.965, interval=(0.952, 0.975), correct=965, images=1000, role="select")
    (row,) = table_rows([summary(make_result(stages=Stages(as_cut=cut, repaired=cut, finetuned=tuned)))])
    assert row["select"] == "96.5 % (95.2–97.5) ◆"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((0.97, 1.01, 1.05), "no measurable speed-up"),
        ((0.8, 0.85, 0.9), "slower: 0.85× (0.80–0.90)"),
        (None, None),
    ],
)
def test_no_more_is_claimed_than_the_clock_shows(
    make_result: Callable[..., Result], span: tuple[float, float, float] | None, said: str | None
) -> None:
    low, middle, high = span or (1, 1, 1)
    speedups = () if span is None else (Speedup(batch=1, low=low, middle=middle, high=high),)
    (row,) = table_rows([summary(make_result(speedups=speedups))])
    assert row["speed"] == said


def test_columns_that_tell_nothing_are_left_out(make_result: Callable[..., Result]) -> None:
    run = summary(make_result())
    assert shown_columns([run, run]) == PLAIN
    for changed, more in (
        (replace(run, label=Label(title="mine")), {"label"}),
        (replace(run, label=Label(tags=("demo",))), {"tags"}),
        (replace(run, origin="sample:lenet5"), {"network"}),
        (replace(run, data="mnist"), {"network"}),
        (replace(run, state="failed"), {"state"}),
    ):
        shown = shown_columns([run, changed])
        assert set(shown) - set(PLAIN) == more and shown == [name for name in COLUMNS if name in shown]
    assert "speed" not in shown_columns([replace(run, speedup=None)])
    weights = shown_columns([run, replace(run, granularity="weight")])
    assert "nonzero" in weights and "params" not in weights, "where weights go all parameters stay"
    assert [row["network"] for row in table_rows([run, replace(run, data="mnist")])] == [
        "LeNet-300-100 · MNIST, 5,000 digits", "LeNet-300-100 · MNIST, 70,000 digits",
    ]  # fmt: skip


def test_states_and_reasons_are_one_column(make_result: Callable[..., Result]) -> None:
    waiting = summary(None)
    failed = replace(waiting, state="failed", message="No mnist images here.")
    assert [row["state"] for row in table_rows([waiting, failed])] == ["queued", "failed: No mnist images here."]
    assert table_rows([waiting])[0]["select"] is None and table_rows([waiting])[0]["params"] is None


def test_of_several_metrics_each_cell_names_its_own(make_result: Callable[..., Result]) -> None:
    run = summary(make_result())
    other = replace(run, select_metric="agreement")
    assert select_title([run]) == select_title([]) == "Accuracy, select images"
    assert select_title([run, other]) == "Measured, select images"
    first, second = (row["select"] for row in table_rows([run, other]))
    assert first == "accuracy 50.0 % (15.0–85.0) ●" and second.startswith("agreement")


def test_no_two_columns_are_called_alike(stored_runs: Path) -> None:
    runs = [read_run(stored_runs / name).summary for name in ("channel", "weight", "failed")]
    shown = shown_columns(runs)
    assert len(set(shown)) == len(shown) and set(shown) <= set(table_rows(runs)[0])
