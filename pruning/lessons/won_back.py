"""How much of what a cut lost comes back, and whether a prediction of it was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.training.evaluate import Scores

GUESSES = (0, 25, 50, 75, 100)
"""Shares of the loss that can be predicted, in per cent."""
_NORMAL = 1.96
"""Standard deviations on either side that 95 % of a normal distribution lie within."""


@dataclass(frozen=True, kw_only=True)
class WonBack:
    """The share of a loss that came back."""

    share: float
    """0: nothing; 1: all of it. Below 0 where it became worse."""
    interval: tuple[float, float]
    """95 %, were other images looked at."""

    def fits(self, guess: int) -> bool:
        """Whether a prediction (one of `GUESSES`) may be right: some share within the interval is nearer to it than to
        any other. What is beyond all of them is nearest to the last."""
        half = (GUESSES[1] - GUESSES[0]) / 200
        low, high = (min(max(end, 0.0), 1.0) for end in self.interval)
        return low <= guess / 100 + half and high >= guess / 100 - half


def share_won_back(dense: Scores, before: Scores, after: Scores) -> WonBack | None:
    """The share of the loss from `dense` to `before` that `after` has won back, all three on the same images; None
    where there is no measurable loss.

    The interval is that of a ratio of two means over the same images, by linearisation.
    """
    low, _ = dense.metric.gains(dense.minus(before).interval)
    if low <= 0:
        return None
    lost = dense.scores.double() - before.scores.double()
    back = after.scores.double() - before.scores.double()
    share = float(back.mean() / lost.mean())
    half = _NORMAL * float((back - share * lost).std(correction=0) / lost.mean().abs()) / len(lost) ** 0.5
    return WonBack(share=share, interval=(share - half, share + half))
