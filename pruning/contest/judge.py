"""Who won a race, if anybody did: no winner is named on luck with the seeds, nor on luck with the images."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from scipy.special import stdtrit

from pruning.base.errors import InputError
from pruning.contest.race import Finish, Race
from pruning.runs.recipe import Schedule
from pruning.tasks.means import mean_interval

Reason = Literal["bands", "seeds", "images"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Iterative minus one-shot at the finish, in the metric on select images."""

    winner: Schedule | None
    """Only where the bands are apart, and both intervals below leave out zero."""
    reason: Reason | None
    """What first speaks against a winner: bands that meet, or an interval that holds zero. None where one is named."""
    mean: float
    seeds: int
    over_seeds: tuple[float, float]
    """95 % interval of the mean difference, were other seeds drawn: Student's t of the paired differences."""
    over_images: tuple[float, float]
    """The same, were other images of the same kind shown to these networks."""


def judge(races: Sequence[Race]) -> Verdict:
    """The verdict on finished races of the same terms but for their seeds.

    Each seed is a pair: both lanes meet the training images in orders drawn from it. A few seeds give a wide interval:
    with three, the mean must be 2.5 times the differences' spread to leave out zero.

    Raises:
        InputError: a race is not finished, or they are not of the same terms.
    """
    pairs = _pairs(races)
    differences = [iterative.value - oneshot.value for oneshot, iterative in pairs]
    mean = statistics.mean(differences)
    half = t95(len(pairs) - 1) * statistics.stdev(differences) / math.sqrt(len(pairs))
    over_seeds = (mean - half, mean + half)
    over_images = _over_images(pairs)
    once, rounds = ([lane.value for lane in side] for side in zip(*pairs, strict=True))
    reason: Reason | None = None
    if min(once) <= max(rounds) and min(rounds) <= max(once):
        reason = "bands"
    elif over_seeds[0] <= 0 <= over_seeds[1]:
        reason = "seeds"
    elif over_images[0] <= 0 <= over_images[1]:
        reason = "images"
    winner: Schedule = "iterative" if pairs[0][0].metric.gain(mean) > 0 else "oneshot"
    return Verdict(
        winner=None if reason else winner,
        reason=reason,
        mean=mean,
        seeds=len(pairs),
        over_seeds=over_seeds,
        over_images=over_images,
    )


def t95(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t.

    >>> round(t95(2), 3)
    4.303
    """
    return float(stdtrit(freedom, 0.975))


def _pairs(races: Sequence[Race]) -> list[tuple[Finish, Finish]]:
    """(one-shot, iterative) for each seed."""
    pairs: list[tuple[Finish, Finish]] = []
    for entry in races:
        for once, again in zip(entry.of("oneshot"), entry.of("iterative"), strict=True):
            if once.finish is None or again.finish is None:
                raise InputError("A race is judged when all its lanes have finished.")
            assert once.seed == again.seed
            pairs.append((once.finish, again.finish))
    if len(pairs) < 2 or len({len(finish.scores) for pair in pairs for finish in pair}) > 1:
        raise InputError("A verdict needs at least two seeds, all measured on the same images.")
    return pairs


def _over_images(pairs: Sequence[tuple[Finish, Finish]]) -> tuple[float, float]:
    """Normal interval over the images, of each image's difference averaged over the seeds."""
    each = torch.stack(
        [
            torch.tensor(iterative.scores, dtype=torch.float64) - torch.tensor(oneshot.scores, dtype=torch.float64)
            for oneshot, iterative in pairs
        ]
    ).mean(0)
    return mean_interval(each)
