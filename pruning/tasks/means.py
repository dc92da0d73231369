"""Metrics that are the mean of a number an image."""

from __future__ import annotations

import math

from torch import Tensor

from pruning.base.errors import InputError
from pruning.base.intervals import Z95
from pruning.tasks.metric import Difference
from pruning.tasks.shares import check_same_length


def mean_interval(scores: Tensor) -> tuple[float, float]:
    """95 % interval of the mean of one score an image (normal approximation, at least two images)."""
    if len(scores) < 2:
        raise InputError("The interval of a mean needs at least two images.")
    each = scores.double()
    half = Z95 * float(each.std()) / math.sqrt(len(each))
    return float(each.mean()) - half, float(each.mean()) + half


def mean_difference(before: Tensor, after: Tensor) -> Difference:
    """Mean of `after` minus that of `before`, with the 95 % interval of the mean of the differences image by image."""
    check_same_length(before, after)
    each = after.double() - before.double()
    return Difference(value=float(each.mean()), interval=mean_interval(each))
