"""The verdict claims what the intervals show and no more: sentences for every way a comparison can come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pruning.compare.casualties import Changes
from pruning.compare.verdict import Facts, facts_of_result, size_words, speed_words, verdict
from pruning.runs.result import Change, DataUsed, Measurement, Result, Speedup
from pruning.tasks.metric import Difference

SAME = Difference(value=-0.003, interval=(-0.0103, 0.0043), newly_wrong=9, newly_right=6)
WORSE = Difference(value=-0.011, interval=(-0.0183, -0.0037), newly_wrong=12, newly_right=1)
BETTER = Difference(value=0.011, interval=(0.0037, 0.0183), newly_wrong=1, newly_right=12)


def speed(low: float, middle: float, high: float, batch: int = 1, estimated: bool = False) -> Speedup:
    return Speedup(batch=batch, low=low, middle=middle, high=high, estimated=estimated)


def facts(**changed: Any) -> Facts:
    found: dict[str, Any] = {
        "params": (20_000, 10_000),
        "nonzero": (20_000, 10_000),
        "speedups": (speed(1.5, 1.62, 1.7), speed(1.6, 1.8, 2.0, 32)),
        "values": (0.99, 0.987),
        "images": 1000,
        "changes": Changes(images=1000, same=985, newly_wrong=9, newly_right=6, otherwise=0),
        "difference": SAME,
        "things": "digits",
    }
    return Facts(**(found | changed))


def test_same_accuracy_half_the_size_and_faster() -> None:
    said = verdict(facts())
    assert said.headline == "Half the size, 1.6× as fast"
    assert said.rest == (
        "Of 1,000 digits 985 get the same answer, 9 are newly wrong and 6 newly right: no difference that 1,000 images "
        "can show."
    )
    assert said.tone == "same"


def test_worse_and_better_name_points_with_their_interval() -> None:
    worse = verdict(facts(difference=WORSE, changes=Changes(
        images=1000, same=986, newly_wrong=12, newly_right=1, otherwise=1)))  # fmt: skip
    assert worse.tone == "worse"
    assert worse.rest.endswith(
        "986 get the same answer, 12 are newly wrong and 1 newly right; 1 was wrong before and still is: a loss of 1.1 "
        "percentage points (0.4 to 1.8)."
    )
    better = verdict(facts(difference=BETTER, changes=Changes(
        images=1000, same=987, newly_wrong=1, newly_right=12, otherwise=0)))  # fmt: skip
    assert better.tone == "better"
    assert "1 is newly wrong and 12 newly right: a gain of 1.1 percentage points (0.4 to 1.8)." in better.rest


def test_without_answers_nothing_is_concluded() -> None:
    said = verdict(facts(difference=None, changes=None))
    assert said.tone == "unknown"
    assert said.rest.startswith("99.0 % and 98.7 % of the answers are right, but whether that is a difference cannot")


@pytest.mark.parametrize(
    ("speedups", "words"),
    [
        ((speed(0.97, 1.01, 1.05), speed(0.9, 1.1, 1.3, 32)), "same speed"),
        ((speed(1.0, 1.2, 1.4),), "same speed"),
        ((speed(0.7, 0.8, 0.9),), "slower (0.80× as fast)"),
        ((speed(1.01, 1.03, 1.05),), "barely faster"),
        ((speed(1.2, 1.3, 1.4, estimated=True),), "about 1.3× as fast"),
        ((speed(0.6, 0.9, 1.3), speed(1.6, 1.8, 2.0, 32)),
         "same speed for one image but 1.8× as fast for 32 at a time"),
        ((speed(1.5, 1.6, 1.7), speed(0.9, 1.0, 1.1, 32)),
         "1.6× as fast for one image but same speed for 32 at a time"),
        ((), ""),
    ],
)  # fmt: skip
def test_speed_is_claimed_only_where_the_interval_leaves_one_out(speedups: tuple[Speedup, ...], words: str) -> None:
    assert speed_words(speedups) == words


@pytest.mark.parametrize(
    ("params", "nonzero", "words"),
    [
        ((1000, 1000), (1000, 1000), "the same size"),
        ((1000, 1000), (1000, 210), "the same size, with 79 % of its parameters zero"),
        ((1000, 1000), (100, 500), "the same size, with fewer of its parameters zero"),
        ((1000, 508), (1000, 508), "half the size"),
        ((1000, 515), (1000, 515), "52 % of the size"),
        ((1000, 333), (1000, 333), "a third of the size"),
        ((1000, 101), (1000, 101), "a tenth of the size"),
        ((1000, 105), (1000, 105), "10 % of the size"),
        ((1000, 43), (1000, 43), "4.3 % of the size"),
        ((1000, 998), (1000, 998), "nearly the same size"),
        ((1000, 1300), (1000, 1300), "larger, 1.30× the size"),
    ],
)
def test_size_in_words(params: tuple[int, int], nonzero: tuple[int, int], words: str) -> None:
    assert size_words(params, nonzero) == words


def test_larger_and_slower_is_said_as_it_is() -> None:
    said = verdict(facts(params=(10_000, 20_000), nonzero=(10_000, 20_000), speedups=(speed(0.5, 0.6, 0.7),)))
    assert said.headline == "Larger, 2.00× the size, slower (0.60× as fast)"


def test_a_result_alone_says_right_or_wrong_as_before(make_result: Callable[..., Result]) -> None:
    """Without the answers it is not known whether those wrong both times gave the same one."""
    side = make_result().dense
    test = Measurement(value=0.9, interval=(0.88, 0.92), correct=900, images=1000, role="test")
    side = replace(side, test=test, latency={batch: side.latency[1] for batch in (1, 32)})
    found = facts_of_result(
        make_result(
            dense=side,
            pruned=side,
            difference=Change.of(SAME),
            speedups=(speed(0.9, 1.0, 1.1), speed(1.6, 1.8, 2.0, 32)),
            data=DataUsed(name="cifar10", sha256="", source=""),
        )
    )
    assert [speedup.batch for speedup in found.speedups] == [1, 32]
    assert (
        "of 1,000 photos 985 are answered as rightly or wrongly as before, 9 are newly wrong" in verdict(found).answers
    )
