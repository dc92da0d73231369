"""Without one filter: image by image what plain evaluation of the masked network gives; words claim no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.compare.knockout import (
    Knockout,
    class_changes,
    find_unit,
    importance_words,
    knock_out,
    knockout_engine,
    verdict,
    without,
)
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.shrinkage import shrinkage
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.tasks.classification import ACCURACY
from pruning.tasks.shares import paired_difference
from pruning.training.evaluate import Evaluation, evaluate

NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("mnist5k")


@pytest.fixture(scope="module")
def dense() -> Subject:
    return open_subject("sample:mini_resnet")


@pytest.fixture(scope="module")
def cut(as_pruned: Callable[..., Subject]) -> Callable[[Subject, Plan], Subject]:
    """The removed model, opened as a run's is."""

    def made(dense: Subject, plan: Plan) -> Subject:
        model = removed_model(dense.model, dense.graph, plan).eval()
        return as_pruned(dense, model, structure=shrinkage(dense.graph, plan))

    return made


def test_it_is_plain_evaluation_of_the_masked_network(dense: Subject, digits: Data) -> None:
    found = knock_out(knockout_engine(dense), dense, "layer2.0.conv2", 17)
    assert found.tied == ("layer3.0.conv2",), "which adds into the same channels; the shortcut's are 5 to 14"
    group, unit = find_unit(dense, "layer2.0.conv2", 17)
    masked = masked_model(dense.model, dense.graph, without(group, unit))
    assert torch.equal(found.before.scores, evaluate(dense.model, digits, "select").scores)
    assert torch.equal(found.after.scores, evaluate(masked, digits, "select").scores)
    assert sum(change.after for change in found.classes) == found.after.correct
    labels = digits.labels("select")
    for change in found.classes:
        mine = labels == int(change.name)
        assert (change.images, change.after) == (int(mine.sum()), int(found.after.scores[mine].sum()))


def test_in_a_pruned_network_the_original_number_counts(
    dense: Subject, digits: Data, cut: Callable[[Subject, Plan], Subject]
) -> None:
    """Without training: the smaller network without filter n is dense without the cut and without filter n."""
    plan = make_plan(
        dense.model, dense.graph, PruneSpec(sparsity=0.4, layers=(("conv1", 0.0), ("layer2.0.conv2/own", 0.0)))
    )
    small = cut(dense, plan)
    left = plan.kept["layer2.0.conv1"]
    number = left[5]
    assert number != 5, "or the test could not tell original numbers from places"
    found = knock_out(knockout_engine(small), small, "layer2.0.conv1", number)
    more = {**plan.kept, "layer2.0.conv1": tuple(unit for unit in left if unit != number)}
    masked = masked_model(dense.model, dense.graph, replace(plan, kept=more))
    assert torch.equal(found.after.scores, evaluate(masked, digits, "select").scores)
    assert found.tied == ()


def test_what_cannot_be_removed_is_refused_in_words(dense: Subject, cut: Callable[[Subject, Plan], Subject]) -> None:
    with pytest.raises(InputError, match="outputs stay"):
        find_unit(dense, "fc", 3)
    plan = make_plan(dense.model, dense.graph, PruneSpec(layers=(("layer2.0.conv1", 0.95),)))
    small = cut(dense, plan)
    (last,) = plan.kept["layer2.0.conv1"]
    with pytest.raises(InputError, match="one channel, which stays"):
        find_unit(small, "layer2.0.conv1", last)
    with pytest.raises(InputError, match="was removed"):
        find_unit(small, "layer2.0.conv1", (last + 1) % 20)


def made_up(changes: dict[int, tuple[int, int]], images: int = 100) -> Knockout:
    """Of each of ten classes so many newly wrong and so many newly right; half of the others right."""
    before, after, labels = [], [], []
    for label in range(10):
        wrong, right = changes.get(label, (0, 0))
        same = images - wrong - right
        before += [True] * wrong + [False] * right + [True] * (same // 2) + [False] * (same - same // 2)
        after += [False] * wrong + [True] * right + [True] * (same // 2) + [False] * (same - same // 2)
        labels += [label] * images
    sides: list[Tensor] = [torch.tensor(before), torch.tensor(after)]
    evaluations = [Evaluation(metric=ACCURACY, role="select", scores=right, loss=0.0) for right in sides]
    return Knockout(
        layer="conv1",
        channel=3,
        tied=(),
        before=evaluations[0],
        after=evaluations[1],
        difference=paired_difference(*sides),
        classes=class_changes(*sides, torch.tensor(labels), NAMES),
    )


def test_classes_by_hand_the_greatest_loss_first() -> None:
    found = made_up({7: (12, 2), 1: (3, 0), 4: (0, 4)}).classes
    assert [change.name for change in found[:2]] == ["7", "1"] and found[-1].name == "4"
    seven = found[0]
    assert (seven.images, seven.before, seven.after) == (100, 55, 45), "86 alike, half of them right"
    assert seven.difference.value == pytest.approx(-0.10) and seven.shows
    assert (seven.difference.newly_wrong, seven.difference.newly_right) == (12, 2)
    assert not found[1].shows, "three of a hundred may be chance"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({7: (12, 2), 1: (3, 0)}, "Loses: 7 (−10 points). The others cannot be told from before."),
        (
            {0: (30, 0), 1: (25, 0), 2: (20, 0), 3: (15, 0), 4: (10, 0)},
            "Loses: 0 (−30 points), 1 (−25 points), 2 (−20 points) and 2 more. The others cannot be told from before.",
        ),
        (
            {5: (0, 20), 6: (20, 0)},
            "Loses: 6 (−20 points); gains: 5 (+20 points). The others cannot be told from before.",
        ),
        (
            {n: (3, 0) for n in range(5)},
            "Accuracy falls by 1.5 points in all; no single class can be told from before.",
        ),
        ({n: (30, 0) for n in range(10)}, "Loses: 0 (−30 points), 1 (−30 points), 2 (−30 points) and 7 more."),
        ({1: (1, 1), 2: (1, 0)}, "Cannot be told from nothing: 2 of 1,000 images newly wrong, 1 newly right."),
    ],
)  # fmt: skip
def test_the_words_claim_no_more_than_the_intervals(changes: dict[int, tuple[int, int]], words: str) -> None:
    assert verdict(made_up(changes)) == words


def test_left_out_filters_are_counted_where_there_are_some() -> None:
    felt, not_felt = (SimpleNamespace(felt=felt) for felt in (True, False))
    names = ("dense", "pruned")
    assert importance_words({1: felt, 2: not_felt}, {1: felt}, names) == (  # type: ignore[dict-item]
        "Missed when left out alone: in dense 1 of the 1 that stay and 0 of the 1 that were removed; in pruned 1 of 1."
    )
    words = importance_words({}, {1: felt}, names)  # type: ignore[dict-item]
    assert words == "Missed when left out alone: in pruned 1 of 1."
