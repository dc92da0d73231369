"""Metrics of right and wrong: the share of images that are right, by counting."""

from __future__ import annotations

from torch import Tensor

from pruning.base.errors import InputError
from pruning.base.intervals import paired_interval, wilson_interval
from pruning.tasks.metric import Difference


def share_interval(right: Tensor) -> tuple[float, float]:
    """95 % interval of the share of `right` (bool, one entry an image), after Wilson."""
    return wilson_interval(int(right.sum()), len(right))


def paired_difference(before: Tensor, after: Tensor) -> Difference:
    """Share that is right of `after` minus that of `before` on the same images, with its 95 % interval.

    Both are bool, one entry an image; only images on which the two disagree carry information.
    """
    check_same_length(before, after)
    return difference_of(int((before & ~after).sum()), int((~before & after).sum()), len(before))


def difference_of(newly_wrong: int, newly_right: int, images: int) -> Difference:
    """The same from counts alone: of `images`, those that only the first and only the second has right."""
    return Difference(
        value=(newly_right - newly_wrong) / images,
        interval=paired_interval(newly_wrong, newly_right, images),
        newly_wrong=newly_wrong,
        newly_right=newly_right,
    )


def check_same_length(before: Tensor, after: Tensor) -> None:
    """Raises InputError where two networks were not measured on as many images."""
    if len(before) != len(after):
        raise InputError(f"Two models must be compared on the same images, not on {len(before)} and {len(after)}.")
