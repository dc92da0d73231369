"""The sketch of lesson 7: how far it is from the measured curve, worked out by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit")

import torch

from pruning.sensitivity.curves import Figure, figure
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation
from ui.learn.activities import sketch


def measured(right: int) -> Figure:
    """An accuracy of so many in 100 images."""
    answers = torch.arange(100) < right
    found = Evaluation(metric=ACCURACY, role="select", scores=answers, loss=1.0)
    return figure(found, found)


def test_a_sketch_is_compared_where_the_curve_was_measured() -> None:
    line = [90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0]  # what is left with 10 to 90 % removed
    points = {share / 10: (share / 10, measured(100 - 10 * share)) for share in range(1, 10)}
    assert sketch._off(line, points) == pytest.approx(0)
    points[0.9] = (0.875, measured(30))  # 7 of 8 channels: the line stands at 12.5 there, 17.5 below
    assert sketch._off(line, points) == pytest.approx(17.5 / 9)
