"""The share of a loss that came back: by hand, and with an interval that holds what it says it holds."""

from __future__ import annotations

import pytest
import torch

from pruning.lessons.won_back import GUESSES, WonBack, share_won_back
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation


def answers(scores: torch.Tensor) -> Evaluation:
    return Evaluation(metric=ACCURACY, role="select", scores=scores, loss=1.0)


def first(right: int, images: int = 1000) -> Evaluation:
    """So many right, the first ones."""
    return answers(torch.arange(images) < right)


def test_the_share_is_what_came_back_of_what_was_lost() -> None:
    found = share_won_back(first(900), first(100), first(700))
    assert found is not None and found.share == pytest.approx(0.75), "600 of 800"
    # 100 right throughout, 600 lost and back, 200 lost: back − 0.75 · lost is 0.25 for 600, −0.75 for 200, else 0.
    spread = ((600 * 0.25**2 + 200 * 0.75**2) / 1000) ** 0.5
    assert found.interval[1] - found.share == pytest.approx(1.96 * spread / 0.8 / 1000**0.5)
    everything = share_won_back(first(900), first(100), first(900))
    assert everything is not None and everything.interval == pytest.approx((1, 1))
    worse = share_won_back(first(900), first(100), first(20))
    assert worse is not None and worse.share == pytest.approx(-0.1)


def test_there_is_no_share_of_no_loss() -> None:
    assert share_won_back(first(900), first(900), first(900)) is None
    assert share_won_back(first(900), first(898), first(900)) is None, "two images may be chance"
    assert share_won_back(first(800), first(900), first(900)) is None, "a gain is no loss"


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(400):  # every image is lost with 0.6, and of the lost ones 0.4 come back
        draws = torch.rand(2, 500, generator=generator)
        lost, back = draws[0] < 0.6, draws[1] < 0.4
        found = share_won_back(first(500, 500), answers(~lost), answers(~lost | back))
        assert found is not None
        held += found.interval[0] <= 0.4 <= found.interval[1]
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(
    ("share", "half", "fitting"),
    [
        (0.52, 0.02, (50,)),
        (0.62, 0.03, (50, 75)),
        (1.02, 0.01, (100,)),
        (-0.10, 0.02, (0,)),
        (0.875, 0.0, (75, 100)),
    ],
)
def test_a_prediction_fits_where_the_interval_does_not_rule_it_out(
    share: float, half: float, fitting: tuple[int, ...]
) -> None:
    found = WonBack(share=share, interval=(share - half, share + half))
    assert tuple(guess for guess in GUESSES if found.fits(guess)) == fitting
