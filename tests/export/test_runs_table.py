"""Which columns the table of runs has: those of the metrics that its runs were measured by."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.export.runs_table import COLUMNS, STAGES, run_rows, shown_columns
from pruning.runs import read_run

PER_CENT = {"accuracy_percent", "difference_points"}
ANY = {"metric", "value", "difference"}
GIVEN = {"label", "tags"}


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
    assert set(COLUMNS) - set(shown) == left_out | GIVEN | set(STAGES)
    assert shown == [name for name in COLUMNS if name in shown], "in their order"


@pytest.mark.parametrize("given", sorted(GIVEN))
def test_what_people_call_runs_has_a_column_where_one_is_called_so(given: str) -> None:
    rows = [{"metric": None}, {"metric": None, given: "mine"}]
    assert GIVEN - set(shown_columns(rows)) == GIVEN - {given}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_column_where_a_run_has_it(stage: str) -> None:
    shown = shown_columns([{"metric": None}, {"metric": None, stage: 0.0}])
    assert set(STAGES) & set(shown) == {stage}


def test_stages_of_a_run_stand_in_the_unit_of_its_metric(stored_runs: Path) -> None:
    run = read_run(stored_runs / "channel")
    assert run.result is not None and run.result.stages.as_cut is not None and run.result.stages.finetuned is not None
    (row,) = run_rows([run.summary])
    assert row["as_cut"] == 100 * run.result.stages.as_cut.value
    assert row["finetuned"] == 100 * run.result.stages.finetuned.value
    assert row["repaired"] is None, "it is from before runs repaired"
    assert row["repair"] == "recalibrate"
