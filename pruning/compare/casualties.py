"""Which answers changed between two networks, image by image; the worst losses first."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from pruning.base.errors import InputError
from pruning.training.answers import Answers
from pruning.training.evaluate import Difference


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Every image counted once."""

    images: int
    same: int
    """The same answer, right or wrong; where `otherwise` is None: right or wrong as before."""
    newly_wrong: int
    newly_right: int
    otherwise: int | None
    """Wrong both times, but with different answers; None where only right and wrong were kept."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image that two networks answer differently."""

    index: int
    """Of the image in its role, as in `Dataset.images[role]`."""
    label: int
    """True class."""
    before: int
    """Class answered; -1 for no answer."""
    after: int
    before_confidence: float
    """Softmax probability of the class answered."""
    after_confidence: float
    before_truth: float
    """Softmax probability of the true class."""
    after_truth: float

    @property
    def lost(self) -> float:
        """How much probability the true class lost; negative where it gained."""
        return self.before_truth - self.after_truth


def changes(before: Answers, after: Answers) -> Changes:
    """Count what became of the answers.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    same = before.predicted == after.predicted
    return Changes(
        images=len(same),
        same=int(same.sum()),
        newly_wrong=int((before.right & ~after.right).sum()),
        newly_right=int((~before.right & after.right).sum()),
        otherwise=int((~before.right & ~after.right & ~same).sum()),
    )


def changes_of(difference: Difference, images: int) -> Changes:
    """The same from a run's figures alone, where no answers were kept."""
    changed = difference.newly_wrong + difference.newly_right
    return Changes(
        images=images,
        same=images - changed,
        newly_wrong=difference.newly_wrong,
        newly_right=difference.newly_right,
        otherwise=None,
    )


def casualties(before: Answers, after: Answers) -> list[Case]:
    """The newly wrong answers, worst first: those whose true class lost most probability.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    return _cases(before, after, before.right & ~after.right, lambda case: -case.lost)


def rescued(before: Answers, after: Answers) -> list[Case]:
    """The newly right answers: those whose true class gained most probability first.

    Raises:
        InputError: they are to different images.
    """
    check_same_images(before, after)
    return _cases(before, after, ~before.right & after.right, lambda case: case.lost)


def check_same_images(before: Answers, after: Answers) -> None:
    """Raises InputError unless both sets of answers are to the very same images."""
    same = (before.data_digest, before.role, len(before.labels)) == (after.data_digest, after.role, len(after.labels))
    if not same or not bool((before.labels == after.labels).all()):
        raise InputError("These two networks looked at different images, so their answers cannot be compared.")


def png(image: Tensor) -> str:
    """A picture (uint8, 1 or 3 × height × width) as a data URI, pixel by pixel."""
    pixels = image.permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _cases(before: Answers, after: Answers, chosen: Tensor, order: Callable[[Case], float]) -> list[Case]:
    found = [
        Case(
            index=index,
            label=int(before.labels[index]),
            before=int(before.predicted[index]),
            after=int(after.predicted[index]),
            before_confidence=float(before.confidence[index]),
            after_confidence=float(after.confidence[index]),
            before_truth=float(before.truth[index]),
            after_truth=float(after.truth[index]),
        )
        for index in chosen.nonzero().reshape(-1).tolist()
    ]
    return sorted(found, key=order)
