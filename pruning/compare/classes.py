"""Accuracy class by class with its change, and which class is taken for which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.base.intervals import paired_interval, wilson_interval
from pruning.base.words import percent
from pruning.compare.casualties import check_same_images
from pruning.tasks.choices import Choices
from pruning.tasks.metric import Difference
from pruning.tasks.shares import paired_difference
from pruning.training.answers import Answers


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """One class before and after."""

    name: str
    images: int
    before: int
    """Images answered rightly."""
    after: int
    difference: Difference
    """Paired, of this class's images alone."""

    @property
    def before_accuracy(self) -> float:
        return self.before / self.images

    @property
    def after_accuracy(self) -> float:
        return self.after / self.images

    @property
    def after_interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy afterwards (Wilson)."""
        return wilson_interval(self.after, self.images)

    @property
    def shows(self) -> bool:
        """Whether the interval of the change leaves zero out."""
        low, high = self.difference.interval
        return not low <= 0 <= high


def per_class(before: Answers, after: Answers, names: Sequence[str]) -> list[ClassChange]:
    """Every class that has images, the greatest loss first; ties in the order of `names`. Empty where no class is
    chosen, or it is not known which is right.

    Raises:
        InputError: the answers are to different images.
    """
    check_same_images(before, after)
    if before.choices is None or after.choices is None or before.choices.labels is None:
        return []
    found, labels = [], before.choices.labels
    for number, name in enumerate(names):
        mine = labels == number
        if bool(mine.any()):
            first, second = before.choices.right[mine], after.choices.right[mine]
            found.append(
                ClassChange(
                    name=name,
                    images=len(first),
                    before=int(first.sum()),
                    after=int(second.sum()),
                    difference=paired_difference(first, second),
                )
            )
    return sorted(found, key=lambda change: change.difference.value)


def by_chance(found: Sequence[ClassChange]) -> float:
    """How often at least one class would show a change if each of its disagreements were equally likely a loss and a
    gain: exact, from the binomial distribution of the losses among them (the null hypothesis of McNemar 1947, "Note on
    the sampling error of the difference between correlated proportions or percentages")."""
    none = 1.0
    for change in found:
        changed = (change.difference.newly_wrong or 0) + (change.difference.newly_right or 0)
        told = sum(
            math.comb(changed, lost)
            for lost in range(changed + 1)
            if not (interval := paired_interval(lost, changed - lost, change.images))[0] <= 0 <= interval[1]
        )
        none *= 1 - told / 2**changed
    return 1 - none


def summary(found: Sequence[ClassChange]) -> str:
    """What the intervals show, and how much of it may be chance."""
    told = sum(change.shows for change in found)
    if not told:
        return "No class's change can be told from chance: every 95 % interval holds zero."
    chance = by_chance(found)
    often = "less than 1 %" if chance < 0.01 else f"about {percent(chance, 0)}"
    return (
        f"In {told} of {len(found)} classes the 95 % interval leaves zero out (coloured). Were all changes mere luck, "
        f"at least one class would be coloured in {often} of comparisons."
    )


def confusion(answers: Choices, classes: int) -> Tensor:
    """How often class `row` was answered with class `column`: int64 (classes, classes). Labels must be known.

    An image without an answer (-1) stands in no column.
    """
    assert answers.labels is not None, "it is known what is right"
    answered = answers.predicted >= 0
    places = answers.labels[answered] * classes + answers.predicted[answered]
    return torch.bincount(places, minlength=classes * classes).reshape(classes, classes)
