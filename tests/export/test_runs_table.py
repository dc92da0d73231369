"""Which columns the table of runs has: those of the metrics that its runs were measured by."""

from __future__ import annotations

import pytest

from pruning.export.runs_table import COLUMNS, shown_columns

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
    assert set(COLUMNS) - set(shown) == left_out | GIVEN
    assert shown == [name for name in COLUMNS if name in shown], "in their order"


@pytest.mark.parametrize("given", sorted(GIVEN))
def test_what_people_call_runs_has_a_column_where_one_is_called_so(given: str) -> None:
    rows = [{"metric": None}, {"metric": None, given: "mine"}]
    assert GIVEN - set(shown_columns(rows)) == GIVEN - {given}
