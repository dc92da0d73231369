"""Which columns the table of runs has: those of the metrics that its runs were measured by."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.export.runs_table import COLUMNS, run_rows, shown_columns
from pruning.runs import Run, read_run
from pruning.runs.result_json import STAGES

PER_CENT = {"accuracy_percent", "difference_points"}
ANY = {"metric", "value", "difference"}
GIVEN = {"label", "tags"}
OF_STAGES = {name for stage in STAGES for name in (stage, f"{stage}_interval")}


@pytest.mark.parametrize(
    ("metrics", "left_out"),
    [
        ([], ANY),
        ([None], ANY),
        (["accuracy", None], ANY),
        (["agreement", None], PER_CENT),
        (["agreement", "accuracy"], set()),
    ],
)
def test_columns_of_what_was_measured(metrics: list[str | None], left_out: set[str]) -> None:
    shown = shown_columns([{"metric": metric} for metric in metrics])
    assert set(COLUMNS) - set(shown) == left_out | GIVEN | OF_STAGES
    assert shown == [name for name in COLUMNS if name in shown], "in their order"


@pytest.mark.parametrize("given", sorted(GIVEN))
def test_what_people_call_runs_has_a_column_where_one_is_called_so(given: str) -> None:
    rows = [{"metric": None}, {"metric": None, given: "mine"}]
    assert GIVEN - set(shown_columns(rows)) == GIVEN - {given}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_column_where_a_run_has_it(stage: str) -> None:
    shown = shown_columns([{"metric": None}, {"metric": None, stage: 0.0}])
    assert OF_STAGES & set(shown) == {stage, f"{stage}_interval"}


def test_stages_of_a_run_stand_in_the_unit_of_its_metric(stored_runs: Path) -> None:
    run = read_run(stored_runs / "channel")
    assert run.result is not None and run.result.stages.as_cut is not None and run.result.stages.finetuned is not None
    (row,) = run_rows([run.summary])
    assert row["as_cut"] == 100 * run.result.stages.as_cut.value
    assert row["finetuned"] == 100 * run.result.stages.finetuned.value
    assert row["repaired"] is None and row["repaired_interval"] is None, "it is from before runs repaired"
    assert row["repair"] == "recalibrate"


def test_each_number_that_is_a_sample_has_its_interval(repaired_run: Run) -> None:
    result = repaired_run.result
    assert result is not None and result.pruned.test is not None
    (row,) = run_rows([repaired_run.summary])
    for stage in STAGES:
        found = getattr(result.stages, stage)
        assert (row[stage] is None) == (row[f"{stage}_interval"] is None) == (found is None)
        if found is not None:
            low, high = (100 * end for end in found.interval)
            assert low < row[stage] < high and row[f"{stage}_interval"] == f"{low:.1f}–{high:.1f}"
    low, high = (100 * end for end in result.pruned.test.interval)
    assert row["value_interval"] == f"{low:.1f}–{high:.1f}"
