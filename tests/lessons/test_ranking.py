"""Which criterion did best: one is named only where no other may have done so by chance."""

from __future__ import annotations

import torch

from pruning.lessons.ranking import Row, beats_every_lot, best_first, in_doubt, rows_of, surely_ahead
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation

CRITERIA = ("l2", "l1", "random", "largest")
IMAGES = 1000


def right(count: int, shift: int = 0) -> Evaluation:
    """So many of 1,000 images right; `shift`: from which image on."""
    scores = torch.zeros(IMAGES, dtype=torch.bool)
    scores[[(shift + n) % IMAGES for n in range(count)]] = True
    return Evaluation(metric=ACCURACY, role="select", scores=scores, loss=0.1)


def measured(**counts: int) -> dict[Row, Evaluation]:
    """One figure a row, chance drawn three times alike; all right from the first image on."""
    return {(name, lot): right(counts[name]) for name, lot in rows_of(CRITERIA, 3)}


def test_far_apart_there_is_one_best_and_one_worst() -> None:
    found = measured(l2=900, l1=800, random=500, largest=100)
    assert in_doubt(CRITERIA, found, 0) == ["l2"] and in_doubt(CRITERIA, found, -1) == ["largest"]


def test_a_lead_that_may_be_chance_names_no_best() -> None:
    found = measured(l2=700, l1=701, random=500, largest=100)
    assert best_first(CRITERIA, found)[0] == "l1", "by one image of a thousand"
    assert in_doubt(CRITERIA, found, 0) == ["l1", "l2"] and in_doubt(CRITERIA, found, -1) == ["largest"]
    same = measured(l2=700, l1=700, random=700, largest=700)
    assert set(in_doubt(CRITERIA, same, 0)) == set(in_doubt(CRITERIA, same, -1)) == set(CRITERIA)


def test_the_difference_is_told_image_by_image() -> None:
    """Ten answers more, and no other image answered otherwise: beyond chance; not where hundreds change."""
    nested, crossed = (
        measured(l2=710, l1=700, random=500, largest=100),
        measured(l2=710, l1=700, random=500, largest=100),
    )
    crossed["l1", 0] = right(700, shift=500)
    assert surely_ahead("l2", "l1", nested) and in_doubt(CRITERIA, nested, 0) == ["l2"]
    assert not surely_ahead("l2", "l1", crossed) and in_doubt(CRITERIA, crossed, 0) == ["l2", "l1"]


def test_one_lucky_draw_of_chance_leaves_it_open() -> None:
    found = measured(l2=700, l1=400, random=300, largest=100)
    assert in_doubt(CRITERIA, found, 0) == ["l2"] and beats_every_lot("l2", found)
    found["random", 2] = right(705)
    assert in_doubt(CRITERIA, found, 0) == ["l2", "random"] and beats_every_lot("l2", found) is False
    assert in_doubt(CRITERIA, found, -1) == ["largest"]
    only = {("l2", 0): right(700), ("l1", 0): right(500)}
    assert beats_every_lot("l2", only) is None, "nothing was drawn"
