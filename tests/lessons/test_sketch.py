"""The sketch of lesson 8: how far it is from the measured curve, worked out by hand."""

from __future__ import annotations

import pytest
import torch

from pruning.lessons.sketch import MeasuredPoint, mean_distance, read_sketch
from pruning.sensitivity.figures import Figure, figure
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation


def measured(right: int) -> Figure:
    """An accuracy of so many in 100 images."""
    answers = torch.arange(100) < right
    found = Evaluation(metric=ACCURACY, role="select", scores=answers, loss=1.0)
    return figure(found, found)


def test_a_sketch_is_compared_where_the_curve_was_measured() -> None:
    line = [90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0]  # what is left with 10 to 90 % removed
    points = [
        MeasuredPoint(asked=share / 10, achieved=share / 10, figure=measured(100 - 10 * share))
        for share in range(1, 10)
    ]
    assert mean_distance(line, tuple(points)) == pytest.approx(0)
    # Of 8 channels 7 went for the 90 %: the line stands at 12.5 there, 17.5 below.
    points[-1] = MeasuredPoint(asked=0.9, achieved=0.875, figure=measured(30))
    assert mean_distance(line, tuple(points)) == pytest.approx(17.5 / 9)


@pytest.mark.parametrize("sent", [None, [1.0], [1.0, 101.0], [1.0, True], [1.0, "2"], [1.0, float("nan")]])
def test_what_a_browser_sends_is_checked(sent: object) -> None:
    assert read_sketch(sent, 2) is None


def test_a_sketch_is_read_as_it_was_sent() -> None:
    assert read_sketch([0, 99.5], 2) == [0.0, 99.5]
