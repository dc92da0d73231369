"""The words of the Start page claim no more than the numbers show."""

from __future__ import annotations

import pytest
import torch

from pruning.latency.clock import Comparison, Timing
from pruning.render.story import accuracy_story, next_step, recovery_story, time_story
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Difference
from pruning.training.evaluate import Evaluation


def right(count: int) -> Evaluation:
    """An accuracy of so many in 100 images."""
    return Evaluation(metric=ACCURACY, role="select", scores=torch.arange(100) < count, loss=1.0)


def change(value: float, high: float) -> Difference:
    return Difference(value=value, interval=(2 * value - high, high), newly_wrong=7, newly_right=2)


def timed(low: float, middle: float, high: float) -> Comparison:
    time = Timing(median=2.0, low=1.9, high=2.1)
    return Comparison(batch=32, dense=time, pruned=time, speedup=(low, middle, high), pairs=30, threads=1)


@pytest.mark.parametrize(
    ("gone", "value", "high", "said"),
    [
        (0, 0.0, 0.0, "Nothing is removed yet"),
        (50, -0.3, -0.2, "There is the cliff"),
        (50, -0.02, 0.001, "accuracy the same"),
        (50, -0.02, -0.001, "costs 2.0 points"),
    ],
)
def test_accuracy_is_told_by_its_interval(gone: int, value: float, high: float, said: str) -> None:
    assert said in accuracy_story("channel", gone, right(round(100 + 100 * value)), change(value, high))


@pytest.mark.parametrize(
    ("granularity", "gone", "high", "recovered", "step"),
    [
        ("weight", 0, 0.0, False, "drag"),
        ("weight", 50, 0.001, False, "drag"),
        ("weight", 80, -0.001, False, "recover"),
        ("channel", 50, -0.2, False, "recover"),
        ("weight", 80, -0.2, True, "channels"),
        ("channel", 50, -0.2, True, "harder"),
    ],
)
def test_one_step_is_next(granularity: str, gone: int, high: float, recovered: bool, step: str) -> None:
    assert next_step(granularity, gone, change(high - 0.1, high), recovered) == step


def test_recovered_is_said_where_the_images_show_it() -> None:
    told = recovery_story(right(70), right(98), "harder")
    assert told.startswith("**Recovered: 98.0 %** ◆") and "before 70.0 %" in told and "harder cut" in told
    assert "no sure gain" in recovery_story(right(97), right(98), "channels"), "one image more of a hundred"
    assert "no sure gain" in recovery_story(right(98), right(70), "channels")


@pytest.mark.parametrize(
    ("granularity", "speedup", "said"),
    [
        ("channel", (1.3, 1.5, 1.7), "The clock moves: 1.50× as fast,** with 2.5 times fewer"),
        ("channel", (0.9, 1.1, 1.3), "no sure gain"),
        ("weight", (0.9, 1.0, 1.1), "Time unchanged: why?"),
        ("weight", (1.1, 1.2, 1.3), "do not count on it"),
    ],
)
def test_time_is_told_by_its_interval(granularity: str, speedup: tuple[float, float, float], said: str) -> None:
    assert said in time_story(granularity, 50, 2.5, timed(*speedup))


def test_without_a_time_or_a_cut_nothing_is_said_of_time() -> None:
    assert time_story("channel", 50, 2.5, None) == time_story("channel", 50, 2.5, "a run trains here") == ""
    assert time_story("channel", 0, 1.0, timed(0.9, 1.0, 1.1)) == ""
