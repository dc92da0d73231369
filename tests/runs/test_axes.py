"""The costs that runs are held against."""

from __future__ import annotations

from collections.abc import Callable

from pruning.runs.axes import AXES
from pruning.runs.result import Result
from pruning.runs.summary import Figures


def test_every_axis_has_its_value_and_words(make_result: Callable[..., Result]) -> None:
    dense = make_result().dense
    assert {name: axis.value(Figures.of(dense)) for name, axis in AXES.items()} == {
        "params": 100, "nonzero": 90, "macs": 1000, "time": 2.0, "bytes": 380,
    }  # fmt: skip
    assert all(axis.title and axis.words for axis in AXES.values())
