"""Changed answers: counted once each, the worst loss first."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pruning.base.errors import InputError
from pruning.compare.casualties import Changes, casualties, changes, changes_of, rescued
from pruning.compare.classes import ClassChange, by_chance, confusion, per_class
from pruning.tasks.choices import Choices
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Difference
from pruning.tasks.shares import paired_difference
from pruning.training.answers import Answers


def answers(predicted: list[int], truth: list[float], digest: str = "images") -> Answers:
    labels = [0, 0, 0, 1, 1, 2, 2]
    return of(
        Choices(
            labels=torch.tensor(labels),
            predicted=torch.tensor(predicted),
            confidence=torch.tensor([max(share, 1 - share) for share in truth]),
            truth=torch.tensor(truth),
        ),
        digest,
    )


def of(choices: Choices, digest: str = "images") -> Answers:
    return Answers(role="test", data_digest=digest, metric=ACCURACY, scores=choices.right, choices=choices)


BEFORE = answers([0, 0, 0, 1, 2, 1, 0], [0.9, 0.6, 0.95, 0.7, 0.2, 0.4, 0.3])
AFTER = answers([0, 1, -1, 1, 1, 1, 1], [0.8, 0.5, 0.0, 0.9, 0.8, 0.3, 0.1])
"""Same, newly wrong, newly wrong (no answer), same, newly right, the same wrong answer, another wrong answer."""


def test_every_image_is_counted_once() -> None:
    assert changes(BEFORE, AFTER) == Changes(images=7, same=3, newly_wrong=2, newly_right=1, otherwise=1)


def test_a_difference_alone_does_not_know_other_wrong_answers() -> None:
    difference = Difference(value=0.0, interval=(-0.1, 0.1), newly_wrong=2, newly_right=1)
    assert changes_of(difference, 7) == Changes(images=7, same=4, newly_wrong=2, newly_right=1, otherwise=None)


def test_the_worst_loss_stands_first() -> None:
    lost = casualties(BEFORE, AFTER)
    assert [(case.index, case.label, case.before, case.after) for case in lost] == [(2, 0, 0, -1), (1, 0, 0, 1)]
    assert [case.lost for case in lost] == pytest.approx([0.95, 0.1])
    (won,) = rescued(BEFORE, AFTER)
    assert (won.index, won.before, won.after) == (4, 2, 1)
    assert won.lost == pytest.approx(-0.6)


def test_other_images_are_refused() -> None:
    other = answers([0] * 7, [0.5] * 7, digest="others")
    relabelled = of(dataclasses.replace(BEFORE.classes, labels=torch.tensor([1, 0, 0, 1, 1, 2, 2])))
    for wrong in (other, relabelled):
        with pytest.raises(InputError, match="different images"):
            changes(BEFORE, wrong)


def test_classes_count_by_hand_the_worst_first() -> None:
    found = per_class(BEFORE, AFTER, ("zero", "one", "two", "nobody"))
    assert [(c.name, c.images, c.before, c.after) for c in found] == [
        ("zero", 3, 3, 1), ("two", 2, 0, 0), ("one", 2, 1, 2),
    ]  # fmt: skip
    assert found[0].difference.value == pytest.approx(-2 / 3)


def test_the_interval_of_a_class_by_hand() -> None:
    """100 images, 5 newly wrong, none newly right: 5.5 and 0.5 of 102."""
    labels = torch.zeros(100, dtype=torch.long)
    predicted = torch.tensor([1] * 5 + [0] * 95)
    half = torch.full((100,), 0.5)
    before, after = (
        of(Choices(labels=labels, predicted=given, confidence=half, truth=half)) for given in (labels, predicted)
    )
    (found,) = per_class(before, after, ("all", "none"))
    reach = 1.959963984540054 * (6 - 25 / 102) ** 0.5 / 102
    assert found.difference.interval == pytest.approx((-5 / 102 - reach, -5 / 102 + reach))
    assert found.shows


def test_how_often_luck_alone_looks_like_a_change() -> None:
    """Against tossing a coin for each disagreement: 10 classes of 100 images, 8 of them answered otherwise."""
    before = torch.tensor([True] * 4 + [False] * 4 + [True] * 92)
    after = torch.tensor([False] * 4 + [True] * 4 + [True] * 92)
    change = ClassChange(name="c", images=100, before=96, after=96, difference=paired_difference(before, after))
    draw, told, rounds = torch.Generator().manual_seed(0), 0, 1000
    for _ in range(rounds):
        lost = torch.rand((10, 8), generator=draw) < 0.5
        shows = []
        for row in lost:
            first, second = before.clone(), after.clone()
            first[:8], second[:8] = row, ~row
            low, high = paired_difference(first, second).interval
            shows.append(not low <= 0 <= high)
        told += any(shows)
    assert by_chance([change] * 10) == pytest.approx(told / rounds, abs=0.04)
    none = dataclasses.replace(change, difference=paired_difference(before, before))
    assert by_chance([none] * 10) == 0 and by_chance([]) == 0


def test_confusion_by_hand() -> None:
    assert confusion(BEFORE.classes, 3).tolist() == [[3, 0, 0], [0, 1, 1], [1, 1, 0]]
    assert confusion(AFTER.classes, 3).tolist() == [[1, 1, 0], [0, 2, 0], [0, 2, 0]], "no answer stands in no column"
