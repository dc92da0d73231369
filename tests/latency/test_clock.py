"""The clock: claims follow the interval, models are timed fairly, and noise is told from time. By a clock that the
models themselves turn: nothing here asserts a real time."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from datetime import UTC, datetime

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import Cancelled, StorageError
from pruning.base.fields import Fields
from pruning.latency.clock import Comparison, Timing, compare_latency, median_interval
from pruning.latency.comparison_json import comparison_of, comparison_values
from pruning.latency.noise import BLOCKS, MOST_APART, MOST_SPREAD, Noise, against_itself

NOW = [0.0]
"""Seconds by the clock that the models turn."""


class Ticker(nn.Module):
    """Takes so long by the clock `NOW`, times what each of its copies is slower by chance."""

    def __init__(self, seconds: float, slower: object = lambda: 1.0) -> None:
        super().__init__()
        self.seconds, self._draw, self.copy = seconds, slower, 1.0

    def __deepcopy__(self, memo: dict[int, object]) -> Ticker:
        made = Ticker(self.seconds, self._draw)
        made.copy = self._draw()  # type: ignore[operator]
        return made

    def forward(self, x: Tensor) -> Tensor:
        NOW[0] += self.seconds * self.copy
        return x


def compare(dense: nn.Module, pruned: nn.Module, seconds: float = 1.0, **options: object) -> Comparison:
    return compare_latency(dense, pruned, (3,), 2, seconds=seconds, clock=lambda: NOW[0], **options)  # type: ignore[arg-type]


def comparison(low: float, middle: float, high: float, noise: Noise | None = None) -> Comparison:
    timing = Timing(median=1.0, low=1.0, high=1.0)
    return Comparison(
        batch=1, dense=timing, pruned=timing, speedup=(low, middle, high), pairs=9, threads=1, noise=noise
    )


def test_a_known_ratio_is_found():
    found = compare(Ticker(0.012), Ticker(0.004))
    assert found.speedup == pytest.approx((3, 3, 3)) and found.quiet
    assert found.dense.median == pytest.approx(12) and found.pruned.median == pytest.approx(4), "milliseconds"
    assert found.noise is not None and found.noise.same == pytest.approx((1, 1, 1)) and found.noise.spread < 1e-6


def test_the_whole_takes_as_long_as_was_said():
    NOW[0] = 0.0
    compare(Ticker(1e-4), Ticker(1e-4), seconds=1.2)
    assert 1.1 < NOW[0] < 1.3
    NOW[0] = 0.0
    compare(Ticker(0.1), Ticker(0.1), seconds=1.2)
    assert NOW[0] == pytest.approx(BLOCKS * 3 * 0.1 * (5 + 1)), "a slow one takes five turns a block"


def test_a_true_tenth_is_found_among_copies_that_differ_by_chance():
    draw = random.Random(1)

    def by_chance() -> float:
        return math.exp(draw.gauss(0, 0.015))

    found = [compare(Ticker(0.0011, by_chance), Ticker(0.001, by_chance), seconds=0.2) for _ in range(50)]
    assert sum(one.quiet and one.speedup[0] > 1 for one in found) >= 45
    covered = sum(one.speedup[0] <= 1.1 <= one.speedup[2] for one in found)
    assert covered >= 44, "a 95 % interval"


def test_a_network_is_not_found_faster_than_itself():
    draw = random.Random(2)

    def by_chance() -> float:
        return math.exp(draw.gauss(0, 0.015))

    found = [compare(Ticker(0.001, by_chance), Ticker(0.001, by_chance), seconds=0.2) for _ in range(50)]
    assert sum(not one.speedup[0] <= 1 <= one.speedup[2] for one in found) <= 6


@pytest.mark.parametrize("size", [0.15, 0.5])
def test_copies_that_differ_much_are_noise(size):
    draw = random.Random(3)
    found = [compare(Ticker(0.001, lambda: math.exp(draw.gauss(0, size))), Ticker(0.001), 0.2) for _ in range(20)]
    assert not any(one.quiet for one in found)
    assert all(one.verdict == "too noisy to measure" for one in found)


def test_who_is_first_changes_from_turn_to_turn():
    seen = []

    class Seen(Ticker):
        def __init__(self, name: str) -> None:
            super().__init__(0.002)
            self.name = name

        def __deepcopy__(self, memo: dict[int, object]) -> Seen:
            seen.append(self.name)
            return Seen(self.name)

    compare(Seen("dense"), Seen("pruned"), seconds=0.01)
    blocks = [tuple(seen[i : i + 3]) for i in range(0, len(seen), 3)]
    assert len(blocks) == BLOCKS and all(sorted(block) == ["dense", "dense", "pruned"] for block in blocks)
    orders = [block.index("pruned") for block in blocks]
    assert sorted(orders) == [0, 0, 1, 1, 2, 2], "made first, second and last, equally often"


def test_others_are_let_compute_before_each_block_and_slow_turn():
    asked: list[float] = []

    def rest(seconds: float) -> bool:
        asked.append(seconds)
        return False

    compare(Ticker(0.1), Ticker(0.1), seconds=0.6, rest=rest)
    assert len(asked) == BLOCKS * (1 + 5), "before each block, and each of its turns"
    assert asked[0] == pytest.approx(0.1) and asked[2] == pytest.approx(0.3), "as long as the turn before took"


def test_after_a_rest_the_networks_run_once_untimed():
    """Others have filled the caches meanwhile."""
    cold = [False]

    class Cold(Ticker):
        def __deepcopy__(self, memo: dict[int, object]) -> Cold:
            return Cold(self.seconds)

        def forward(self, x: Tensor) -> Tensor:
            NOW[0] += 10.0 if cold[0] else 0.0
            return super().forward(x)

    class Rest:
        def __call__(self, seconds: float) -> bool:
            NOW[0] += 4.0
            cold[0] = True
            return True

    rest = Rest()
    runs = itertools.count()

    class Warms(Cold):
        def __deepcopy__(self, memo: dict[int, object]) -> Warms:
            return Warms(self.seconds)

        def forward(self, x: Tensor) -> Tensor:
            found = super().forward(x)
            if next(runs) % 3 == 2:  # all three ran
                cold[0] = False
            return found

    found = compare(Warms(0.01), Warms(0.01), seconds=0.01, rest=rest)
    assert found.dense.high == pytest.approx(10), "milliseconds: no turn was timed cold"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_is_as_asked_and_put_back(threads):
    before, seen = torch.get_num_threads(), set()

    class Watching(Ticker):
        def __deepcopy__(self, memo: dict[int, object]) -> Watching:
            return Watching(0.001)

        def forward(self, x: Tensor) -> Tensor:
            seen.add(torch.get_num_threads())
            return super().forward(x)

    found = compare(Watching(0.001), Watching(0.001), seconds=0.01, threads=threads)
    assert seen == {threads} and found.threads == threads and torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.98, 1.02, 1.07), "no measurable speed-up"),
        ((1.5, 1.6, 1.7), "1.60× as fast (1.50–1.70)"),
        ((0.5, 0.6, 0.7), "slower"),
    ],
)
def test_no_speed_up_is_claimed_that_the_interval_does_not_show(interval, words):
    assert words in comparison(*interval).verdict


def test_the_bounds_of_noise():
    quiet = Noise(same=(0.9, 1 + MOST_APART / 2, 1.1), spread=MOST_SPREAD)
    assert quiet.is_quiet
    assert not Noise(same=(0.9, math.exp(-MOST_APART * 1.01), 1.1), spread=0.0).is_quiet, "apart in either direction"
    assert not Noise(same=(1.0, 1.0, 1.0), spread=MOST_SPREAD * 1.01).is_quiet
    assert comparison(2, 3, 4, quiet).verdict.startswith("3.00×")


def test_the_interval_by_hand():
    logs, same = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3], [0.0, 0.02, 0.0, 0.02, 0.0, 0.02]
    ratio, noise = against_itself(logs, same)
    half = 2.571 * statistics.stdev(logs) / math.sqrt(6) + 0.01
    assert ratio == pytest.approx((math.exp(0.2 - half), math.exp(0.2), math.exp(0.2 + half)))
    assert noise.spread == pytest.approx(statistics.stdev(logs)) and noise.same[1] == pytest.approx(math.exp(0.01))
    wide, _ = against_itself([0.2] * 6, [-0.1, 0.1] * 3)
    deviation = math.sqrt(3 / 4) * statistics.stdev([-0.1, 0.1] * 3)
    assert math.log(wide[2]) == pytest.approx(0.2 + 2.571 * deviation / math.sqrt(6)), (
        "the copies say how much is chance"
    )


def test_median_interval_by_hand():
    low, middle, high = median_interval([float(i) for i in range(1, 101)])
    assert middle == 50.5
    assert (low, high) == (40.0, 61.0), "ranks 40 and 61 of 100: Conover's table"


def test_the_models_timed_are_copies():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    compare_latency(model, model, (3,), 4, seconds=0.05)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_cancel():
    with pytest.raises(Cancelled):
        compare(Ticker(0.001), Ticker(0.001), cancel=lambda: True)


def test_a_comparison_as_json_and_back():
    found = comparison(1.5, 1.6, 1.7, Noise(same=(0.98, 1.0, 1.02), spread=0.01))
    dated = compare(Ticker(0.002), Ticker(0.001))
    for one in (found, dated):
        assert comparison_of(Fields(comparison_values(one), "it")) == one
    assert dated.at is not None and dated.at.tzinfo is UTC and dated.at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "damage",
    [{"speedup": [2, 1, 3]}, {"dense": {"median": 0, "low": 0, "high": 0}}, {"spread": -1}, {"batch": 0},
     {"pruned": None}, {"speedup": [1, 1, 1e300]}, {"same": [1, 2]}],
)  # fmt: skip
def test_a_damaged_comparison_is_refused(damage):
    values = comparison_values(comparison(1.5, 1.6, 1.7, Noise(same=(0.98, 1.0, 1.02), spread=0.01)))
    with pytest.raises(StorageError):
        comparison_of(Fields({**values, **damage}, "it"))
