"""Pictures that show how two networks answer, in galleries: where the truth is known, what became wrong and what became
right; where it is not, where the two differ and where both say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pruning.compare.casualties import Case, cases_at, casualties, check_same_images, rescued
from pruning.training.answers import Answers


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Images that two networks answer in one of the ways that are told apart."""

    key: str
    """One word, for what is kept of it elsewhere."""
    title: str
    """'Newly wrong', 'They differ'."""
    first: str
    """What comes first, to go on the title: 'worst first'; '' where that is not said."""
    order: str
    """The same as a sentence."""
    worst: str
    """Title of the first few alone."""
    about: str
    """What stands at each picture, as a sentence."""
    total: int
    """Images in it."""
    some: Callable[[int], list[Case]] = field(repr=False)
    """Gives so many of them, the first ones."""


def galleries(before: Answers, after: Answers) -> tuple[Gallery, ...]:
    """All galleries of two networks' answers; none for a task that chooses no class.

    Raises:
        InputError: the answers are to different images.
    """
    check_same_images(before, after)
    if before.choices is None or after.choices is None:
        return ()
    return _of_agreement(before, after) if before.choices.labels is None else _of_truth(before, after)


def _of_truth(before: Answers, after: Answers) -> tuple[Gallery, ...]:
    lost, won = casualties(before, after), rescued(before, after)
    about = "The image's true class, and what each network says it is."
    return (
        Gallery(
            key="lost",
            title="Newly wrong",
            first="worst first",
            order="Worst first: where the true class lost most probability.",
            worst="The worst of the newly wrong",
            about=about,
            total=len(lost),
            some=lambda most: lost[:most],
        ),
        Gallery(
            key="won",
            title="Newly right",
            first="",
            order="First where the true class gained most.",
            worst="The best of the newly right",
            about=about,
            total=len(won),
            some=lambda most: won[:most],
        ),
    )


def _of_agreement(before: Answers, after: Answers) -> tuple[Gallery, ...]:
    """Nobody knows what is right, so that only the two answers can be held against each other."""
    first, second = before.classes, after.classes
    same = first.predicted == second.predicted
    sure = (first.confidence.double() + second.confidence.double()).masked_fill(same, -1.0)
    lost = (first.confidence.double() - second.confidence.double()).masked_fill(~same, -2.0)
    apart, alike = (ranks.argsort(descending=True, stable=True) for ranks in (sure, lost))
    count = int(same.sum())
    about = "What each network says it is; without labels, that is all there is to compare."

    def at(order: list[int]) -> Callable[[int], list[Case]]:
        return lambda most: cases_at(first, second, order[:most])

    return (
        Gallery(
            key="apart",
            title="They differ",
            first="surest first",
            order="First where both are surest of what they say.",
            worst="Where they differ, the surest first",
            about=about,
            total=len(same) - count,
            some=at(apart.tolist()[: len(same) - count]),
        ),
        Gallery(
            key="alike",
            title="Both say the same",
            first="first where the second became less sure",
            order="First where the second network became less sure of it.",
            worst="Where both say the same, the least sure first",
            about=about,
            total=count,
            some=at(alike.tolist()[:count]),
        ),
    )
