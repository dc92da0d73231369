"""What is counted from where the true class stands among a network's outputs: top-1, top-5, mean over the classes."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from pruning.base.intervals import Z95
from pruning.data.info import DataInfo
from pruning.tasks.metric import Metric, Summary
from pruning.tasks.shares import paired_difference, share_interval

AMONG = 5


def right(outputs: Tensor, labels: Tensor) -> Tensor:
    """bool (images): whether the largest output (N × classes) is that of the true class; one that is NaN is wrong."""
    return (outputs.argmax(1) == labels) & ~outputs.isnan().any(1)


def among_first(outputs: Tensor, labels: Tensor) -> Tensor:
    """bool (images): whether the true class is among the five largest outputs (N × classes); never where one is NaN.

    An output that equals that of the true class counts as larger where it stands before it, so that a network that
    says the same of all classes is not right by a tie.
    """
    own = outputs.gather(1, labels[:, None])
    before = torch.arange(outputs.shape[1]) < labels[:, None]
    rank = ((outputs > own) | ((outputs == own) & before)).sum(1)
    return (rank < AMONG) & ~outputs.isnan().any(1)


def by_guessing(info: DataInfo) -> float:
    """The share that is right by luck, where every class has as many images."""
    return 1 / len(info.classes) if info.classes else 0.0


def by_guessing_five(info: DataInfo) -> float:
    """The share of images whose class is among five different guesses."""
    return min(1.0, AMONG / len(info.classes)) if info.classes else 0.0


def mean_of_classes(scores: Tensor, labels: Tensor) -> Summary:
    """The share that is right of each class that has images, averaged over the classes, with its 95 % interval: the
    images of each class are a sample of their own. For its variance a class's share is drawn towards one half by one
    image of each kind, so that a class with few images does not pass for certain.

    >>> mean_of_classes(torch.tensor([True, True, False]), torch.tensor([0, 0, 1])).value
    0.5
    """
    counts = labels.bincount()
    present = counts > 0
    images, hits = counts[present].double(), labels.bincount(weights=scores.double())[present]
    value = float((hits / images).mean())
    drawn = (hits + 1) / (images + 2)
    half = Z95 * math.sqrt(float((drawn * (1 - drawn) / images).sum())) / len(images)
    return Summary(value=value, interval=(max(0.0, value - half), min(1.0, value + half)))


ACCURACY = Metric(
    name="accuracy",
    title="accuracy",
    unit="%",
    unit_of_change="points",
    scale=100.0,
    digits=1,
    counts=True,
    bounds=(0.0, 1.0),
    score=right,
    interval=share_interval,
    difference=paired_difference,
    guess=by_guessing,
)
TOP5 = replace(ACCURACY, name="top5", title="top-5 accuracy", score=among_first, guess=by_guessing_five)
MEAN_PER_CLASS = replace(
    ACCURACY, name="mean_per_class", title="accuracy, mean over the classes", counts=False, of_all=mean_of_classes
)
