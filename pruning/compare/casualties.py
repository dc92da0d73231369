"""Which answers changed between two networks, image by image; the worst losses first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pruning.base.errors import InputError
from pruning.tasks.choices import Choices
from pruning.tasks.metric import Difference
from pruning.training.answers import Answers


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Every image counted once."""

    images: int
    same: int
    """The same answer, right or wrong; where `otherwise` is None: right or wrong as before. Of images without labels
    an answer is right here where it is that of the unpruned network."""
    newly_wrong: int
    newly_right: int
    otherwise: int | None
    """Wrong both times, but with different answers; None where only right and wrong were kept."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image that two networks answer differently."""

    index: int
    """Of the image in its role, as in `Data.images`."""
    label: int | None
    """True class; None where it is not known."""
    before: int
    """Class answered; -1 for no answer."""
    after: int
    before_confidence: float
    """Softmax probability of the class answered."""
    after_confidence: float
    before_truth: float | None
    """Softmax probability of the true class, where it is known."""
    after_truth: float | None

    @property
    def lost(self) -> float:
        """How much probability the true class lost; negative where it gained. Only where it is known."""
        assert self.before_truth is not None and self.after_truth is not None, "the true class is known"
        return self.before_truth - self.after_truth


def changes(before: Answers, after: Answers) -> Changes | None:
    """Count what became of the answers; None where right and wrong are not counted.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    first, second = before.choices, after.choices
    if first is None or second is None:
        return changes_of(after.minus(before), after.images)
    same = first.predicted == second.predicted
    right, still = _right(before, first), _right(after, second)
    return Changes(
        images=len(same),
        same=int(same.sum()),
        newly_wrong=int((right & ~still).sum()),
        newly_right=int((~right & still).sum()),
        otherwise=int((~right & ~still & ~same).sum()),
    )


def _right(answers: Answers, choices: Choices) -> Tensor:
    """bool (images)."""
    return choices.right if choices.labels is not None else answers.scores.bool()


def changes_of(difference: Difference, images: int) -> Changes | None:
    """The same from a run's figures alone, where no answers were kept."""
    if difference.newly_wrong is None or difference.newly_right is None:
        return None
    return Changes(
        images=images,
        same=images - difference.newly_wrong - difference.newly_right,
        newly_wrong=difference.newly_wrong,
        newly_right=difference.newly_right,
        otherwise=None,
    )


def casualties(before: Answers, after: Answers) -> list[Case]:
    """The newly wrong answers, worst first: those whose true class lost most probability. Empty where no class is
    chosen, or it is not known which is right.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    if before.choices is None or after.choices is None or before.choices.labels is None:
        return []
    wrong = before.choices.right & ~after.choices.right
    return sorted(cases_at(before.choices, after.choices, _places(wrong)), key=lambda case: -case.lost)


def rescued(before: Answers, after: Answers) -> list[Case]:
    """The newly right answers: those whose true class gained most probability first. Empty where no class is chosen,
    or it is not known which is right.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    if before.choices is None or after.choices is None or before.choices.labels is None:
        return []
    right = ~before.choices.right & after.choices.right
    return sorted(cases_at(before.choices, after.choices, _places(right)), key=lambda case: case.lost)


def of_class(first: Choices, second: Choices, label: int | None) -> tuple[list[int], int]:
    """Places of the images of a class, those first that the two networks answer differently, and how many these are.
    `label`: None for all images, whatever their class."""
    mine = list(range(len(first.predicted))) if label is None else _places(first.labels == label)
    differ = first.predicted != second.predicted
    return sorted(mine, key=lambda place: not bool(differ[place])), int(differ[mine].sum())


def check_same_images(before: Answers, after: Answers) -> None:
    """Raises InputError unless both sets of answers are to the very same images."""
    same = (before.data_digest, before.role, before.images) == (after.data_digest, after.role, after.images)
    if same and before.choices is not None and after.choices is not None:
        first, second = before.choices.labels, after.choices.labels
        same = first is second if first is None or second is None else bool((first == second).all())
    if not same or before.metric != after.metric:
        raise InputError("These two networks looked at different images, so their answers cannot be compared.")


def cases_at(before: Choices, after: Choices, places: Sequence[int]) -> list[Case]:
    """The images at these places, in their order."""
    return [
        Case(
            index=index,
            label=None if before.labels is None else int(before.labels[index]),
            before=int(before.predicted[index]),
            after=int(after.predicted[index]),
            before_confidence=float(before.confidence[index]),
            after_confidence=float(after.confidence[index]),
            before_truth=None if before.truth is None else float(before.truth[index]),
            after_truth=None if after.truth is None else float(after.truth[index]),
        )
        for index in places
    ]


def _places(chosen: Tensor | bool) -> list[int]:
    assert isinstance(chosen, Tensor), "labels are known"
    found: list[int] = chosen.nonzero().reshape(-1).tolist()
    return found
