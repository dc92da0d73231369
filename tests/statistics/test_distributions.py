"""Distributions against values worked out by hand."""

import pytest
import torch

from pruning.base.errors import InputError
from pruning.statistics.distributions import (
    kernel_pictures,
    magnitude_histogram,
    unit_norms,
    weight_histogram,
    weight_stats,
)


def test_stats_by_hand() -> None:
    # The largest magnitude is 2, so near zero is below 0.02: the 0 and the 0.01, not the 0.03.
    stats = weight_stats(torch.tensor([[0.0, 0.01, 0.03], [-2.0, 1.0, 0.96]]))
    assert (stats.weights, stats.zeros, stats.near_zero, stats.largest) == (6, 1, 2, 2.0)
    assert stats.share_near_zero == pytest.approx(1 / 3)
    assert stats.mean == pytest.approx(0.0, abs=1e-7)
    assert stats.std == pytest.approx(((0.01**2 + 0.03**2 + 4 + 1 + 0.96**2) / 6) ** 0.5)


def test_a_layer_of_zeros_is_all_near_zero() -> None:
    stats = weight_stats(torch.zeros(2, 2))
    assert (stats.zeros, stats.near_zero, stats.largest) == (4, 4, 0.0)
    assert sum(weight_histogram(torch.zeros(2, 2)).counts) == 4
    histogram = magnitude_histogram(torch.zeros(2, 2))
    assert (sum(histogram.counts), histogram.left_out) == (0, 4)


def test_linear_histogram_by_hand() -> None:
    # Four bins of width 1 over −2 … 2; a value on an inner edge counts above it.
    histogram = weight_histogram(torch.tensor([-2.0, -1.5, -1.0, 0.0, 0.5, 2.0]), bins=4)
    assert histogram.edges == pytest.approx((-2, -1, 0, 1, 2))
    assert histogram.counts == (2, 1, 2, 1)
    assert not histogram.log


def test_log_histogram_by_hand() -> None:
    # Two decades below the largest, 1: bins 0.01–0.1 and 0.1–1. What is smaller counts in the first, zeros nowhere.
    histogram = magnitude_histogram(torch.tensor([0.0, 0.0, 0.001, -0.05, 0.5, -1.0]), bins=2, decades=2)
    assert histogram.edges == pytest.approx((0.01, 0.1, 1.0))
    assert (histogram.counts, histogram.left_out, histogram.log) == ((2, 2), 2, True)


@pytest.mark.parametrize(("norm", "values"), [("l1", (1.0, 7.0, 7.5)), ("l2", (1.0, 5.0, 7.5))])
def test_norms_by_hand(norm: str, values: tuple[float, ...]) -> None:
    norms = unit_norms(torch.tensor([[3.0, -4.0], [0.0, -7.5], [1.0, 0.0]]), norm)  # type: ignore[arg-type]
    assert norms.values == pytest.approx(values)
    assert norms.units == (2, 0, 1)


def test_norms_of_another_dimension() -> None:
    assert unit_norms(torch.tensor([[3.0, 0.0], [4.0, 1.0]]), "l2", dim=1).values == pytest.approx((1.0, 5.0))


def test_kernel_pictures_keep_zero_grey() -> None:
    pictures = kernel_pictures(torch.tensor([[[[0.0, 2.0], [-1.0, 1.0]]]]))
    assert pictures.tolist() == [[[0.5, 1.0], [0.25, 0.75]]]
    assert kernel_pictures(torch.zeros(5, 3, 2, 2)).shape == (5, 2, 2, 3)


def test_bad_weights_are_named() -> None:
    with pytest.raises(InputError, match="1 of 2 weights are NaN"):
        weight_stats(torch.tensor([1.0, float("nan")]))
    with pytest.raises(InputError, match="1 or 3 input channels"):
        kernel_pictures(torch.zeros(4, 20, 3, 3))
    with pytest.raises(InputError, match="l1 or l2"):
        unit_norms(torch.ones(2, 2), "l3")  # type: ignore[arg-type]
