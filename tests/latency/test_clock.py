"""The clock: claims follow the interval, and models are timed fairly. Nothing here asserts a speed."""

import time

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import Cancelled
from pruning.latency.clock import Comparison, Timing, compare_latency, median_interval, quiet_machine


class Sleeper(nn.Module):
    """Takes a known time, whatever the machine is doing."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        return x


def comparison(low: float, middle: float, high: float) -> Comparison:
    timing = Timing(median=1.0, low=1.0, high=1.0)
    return Comparison(batch=1, dense=timing, pruned=timing, speedup=(low, middle, high), pairs=9, threads=1)


def test_a_known_ratio_is_found():
    found = compare_latency(Sleeper(0.012), Sleeper(0.004), (3,), 2, seconds=0.1)
    low, middle, high = found.speedup
    assert low <= middle <= high
    assert middle == pytest.approx(3, rel=0.25), "12 ms of sleep against 4 ms"
    assert found.dense.median >= 12 and found.pruned.median >= 4, "milliseconds"


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
        compare_latency(Sleeper(0.001), Sleeper(0.001), (3,), 1, cancel=lambda: True)


def test_one_run_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    told = []
    with quiet_machine(), pytest.raises(Cancelled), quiet_machine(lambda: bool(told), lambda: told.append(1)):
        raise AssertionError("two at once")
    assert told == [1]
    with quiet_machine():
        pass
