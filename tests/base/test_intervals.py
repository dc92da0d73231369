"""What of many changes is beyond chance: the exact test against counting by hand, Holm's procedure against noise."""

from __future__ import annotations

import itertools

import pytest
import torch

from pruning.base import intervals
from pruning.base.intervals import beyond_chance, sign_test


@pytest.mark.parametrize("wrong", range(6))
@pytest.mark.parametrize("right", range(6))
def test_the_exact_test_counts_every_outcome(wrong: int, right: int) -> None:
    changed = wrong + right
    outcomes = [sum(outcome) for outcome in itertools.product((0, 1), repeat=changed)]
    as_lopsided = [abs(2 * gained - changed) >= abs(right - wrong) for gained in outcomes]
    assert sign_test(wrong, right) == pytest.approx(sum(as_lopsided) / len(outcomes))


def test_of_many_changes_the_normal_distribution_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = sign_test(900, 1000)
    monkeypatch.setattr(intervals, "LARGEST_COUNTED", 10)
    assert sign_test(900, 1000) == pytest.approx(exact, rel=0.01)
    assert sign_test(500_000, 500_000) == 1 and sign_test(0, 1_000_000) == 0


def test_the_more_is_looked_at_the_more_it_takes() -> None:
    assert beyond_chance([0.04]) == [True]
    assert beyond_chance([0.04, 0.9]) == [False, False]
    assert beyond_chance([0.9, 0.02]) == [False, True], "in their order"
    assert beyond_chance([]) == []


def test_noise_alone_is_seldom_told() -> None:
    draw = torch.Generator().manual_seed(0)
    told = 0
    for _ in range(400):
        gained = torch.binomial(torch.full((10,), 60.0), torch.full((10,), 0.5), generator=draw).long().tolist()
        told += any(beyond_chance([sign_test(60 - each, each) for each in gained]))
    assert 0 < told <= 400 * 0.07
