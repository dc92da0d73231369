"""A loss is judged by its whole interval."""

from __future__ import annotations

import pytest

from pruning.lessons.stopping import furthest_within, loss_words, standing_of
from pruning.tasks.metric import Difference


@pytest.mark.parametrize(
    ("interval", "standing"),
    [((-0.005, 0.001), "within"), ((-0.01, 0.0), "within"), ((-0.02, -0.005), "open"), ((-0.05, -0.02), "beyond")],
)
def test_a_loss_is_judged_by_its_whole_interval(interval: tuple[float, float], standing: str) -> None:
    change = Difference(value=sum(interval) / 2, interval=interval, newly_wrong=0, newly_right=0)
    assert standing_of(change, 1.0) == standing


def change(low: float, high: float) -> Difference:
    return Difference(value=(low + high) / 2, interval=(low, high), newly_wrong=0, newly_right=0)


def test_the_furthest_stop_is_the_hardest_cut_that_is_surely_within() -> None:
    changes = {0: change(0, 0), 10: change(-0.005, 0), 20: change(-0.009, 0), 30: change(-0.02, 0)}
    assert furthest_within(changes, 1.0) == 20
    assert furthest_within({0: change(0, 0), 30: change(-0.02, 0)}, 1.0) is None, "nothing cut is no stop"


def test_a_loss_is_said_in_points_from_the_smaller_to_the_larger() -> None:
    assert loss_words(change(-0.01, 0.002)) == {"loss": "0.4", "span": "−0.2 to 1.0"}
    assert loss_words(change(0.0, 0.0)) == {"loss": "0.0", "span": "0.0 to 0.0"}
