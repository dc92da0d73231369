"""Roles drawn by shares: every image in one part, every class in its shares, the same draw each time."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from pruning.data import splits
from pruning.data.splits import drawn_by_share

SHARES = (0.6, 0.2, 0.2)


def labels_of(*counts: int) -> np.ndarray:
    """So many images of classes 0, 1, ..., in no order."""
    return np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))


def test_worked_examples() -> None:
    found = doctest.testmod(splits)
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    "labels",
    [labels_of(50, 50), labels_of(1, 2, 3, 7, 100), labels_of(*[2] * 30), labels_of(*[1] * 40), labels_of(0, 5, 0, 9)],
)
@pytest.mark.parametrize("shares", [SHARES, (0.5, 0.5), (0.29, 0.71)])
def test_parts_hold_their_share_of_each_class_and_of_all(labels: np.ndarray, shares: tuple[float, ...]) -> None:
    parts = drawn_by_share(labels, shares)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels))), "each image in one part"
    for share, part in zip(shares, parts, strict=True):
        assert abs(len(part) - share * len(labels)) < 2
        for number in np.unique(labels):
            of_class, fair = int((labels[part] == number).sum()), share * int((labels == number).sum())
            assert fair - 1 < of_class <= fair + 1
            assert abs(of_class - round(fair)) < 1e-9 or abs(fair - round(fair)) > 1e-9, "exact where it can be"


def test_the_seed_alone_decides_which() -> None:
    labels = labels_of(30, 41)
    first, again, other = (drawn_by_share(labels, SHARES, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert [len(part) for part in first] == [len(part) for part in other]


@pytest.mark.parametrize("shares", [(0.6, 0.6), (1.2, -0.2), (1.0, 0.0)])
def test_what_are_no_shares_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(AssertionError, match="no shares"):
        drawn_by_share(labels_of(4), shares)
