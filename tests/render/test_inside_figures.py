"""Figures of what lies inside two networks say what they were given."""

from __future__ import annotations

import pytest
import torch

from pruning.compare.knockout import Knockout, class_changes
from pruning.compare.weights import FilterNorms
from pruning.render.figures import inside as plots_inside
from pruning.render.figures.style import palette
from pruning.statistics.distributions import Histogram
from pruning.tasks.classification import ACCURACY
from pruning.tasks.shares import paired_difference
from pruning.training.evaluate import Evaluation

COLOURS = palette(False)


def knockout(lost: int, channel: int = 0) -> Knockout:
    """Of 100 images of class 0, all right before, so many are wrong; class 1 stays as it is."""
    before = torch.ones(200, dtype=torch.bool)
    after = before.clone()
    after[:lost] = False
    labels = torch.tensor([0] * 100 + [1] * 100)
    sides = [Evaluation(metric=ACCURACY, role="select", scores=right, loss=0.0) for right in (before, after)]
    return Knockout(
        layer="conv1", channel=channel, tied=(), before=sides[0], after=sides[1],
        difference=paired_difference(before, after), classes=class_changes(before, after, labels, ("cat", "dog")),
    )  # fmt: skip


def drawn(figure) -> list:  # type: ignore[no-untyped-def]
    """Traces with points, those of the legend aside."""
    return [trace for trace in figure.data if trace.x is not None and trace.x[0] is not None]


def test_the_class_that_loses_stands_on_top_and_is_full() -> None:
    figure = plots_inside.knockout_changes(
        [("dense", "dense", knockout(20)), ("pruned", "kept", knockout(2))], False
    )  # fmt: skip
    assert list(figure.layout.yaxis.ticktext) == ["dog", "cat"], "drawn from below"
    first, second = drawn(figure)
    assert list(first.x) == [0, -20] and list(second.x) == [0, -2]
    assert list(first.marker.color) == [COLOURS.paper, COLOURS.dense]
    assert list(second.marker.color) == [COLOURS.paper, COLOURS.paper], "two of a hundred may be chance"
    low, high = (100 * end for end in knockout(20).classes[0].difference.interval)
    assert first.x[1] - first.error_x.arrayminus[1] == pytest.approx(low)
    assert first.x[1] + first.error_x.array[1] == pytest.approx(high)


def test_each_alone_colours_what_the_second_network_has_no_more() -> None:
    before = {number: knockout(lost, number) for number, lost in ((0, 0), (1, 40), (2, 10))}
    figure = plots_inside.each_alone(before, {1: knockout(60, 1)}, True, names=("dense", "pruned"), unit="filter")
    dark = palette(True)
    stays, gone, after = drawn(figure)
    assert [point[0] for point in stays.customdata] == [1] and list(stays.y) == [-20]
    assert [point[0] for point in gone.customdata] == [0, 2] and list(gone.marker.color) == [dark.paper, dark.removed]
    assert list(after.y) == [-30] and list(after.marker.color) == [dark.kept]


def test_removed_filters_are_orange_under_their_numbers() -> None:
    norms = FilterNorms(norm="l2", before=(3.0, 1.0, 2.0), after=(2.5, None, 4.0))
    left, gone, dots = plots_inside.norms_overlay(norms, False, names=("as cut", "after")).data
    assert (list(left.x), list(left.y)) == ([0, 2], [3, 2])
    assert (list(gone.x), list(gone.y)) == ([1], [1])
    assert (list(dots.x), list(dots.y)) == ([0, 2], [2.5, 4])


def test_many_filters_stand_in_order_of_their_norms() -> None:
    count = plots_inside.MANY + 1
    norms = FilterNorms(
        norm="l2", before=tuple(float(count - n) for n in range(count)), after=(9.0,) + (None,) * (count - 1)
    )
    left, gone, dots = plots_inside.norms_overlay(norms, False, names=("as cut", "after")).data
    assert list(left.x) == list(dots.x) == [count - 1], "the strongest stands last"
    assert list(left.customdata) == [0] and list(gone.x) == list(range(count - 2, -1, -1))


def test_histograms_are_drawn_on_their_common_edges() -> None:
    first, second = (
        Histogram(edges=(-1.0, 0.0, 1.0), counts=counts, log=False, left_out=0) for counts in ((3, 1), (2, 2))
    )
    before, after = plots_inside.weights_overlay(first, second, False, names=("as cut", "after")).data
    assert list(before.x) == list(after.x) == [-1, 0, 1]
    assert list(before.y)[:2] == [3, 1] and list(after.y)[:2] == [2, 2]
    assert before.fill == "tozeroy" and after.fill is None
