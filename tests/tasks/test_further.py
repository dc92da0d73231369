"""Metrics beside the main one are what their formulas say; names for the command line are those of the table."""

from __future__ import annotations

import math

import pytest
import torch

from pruning.tasks.agreement import AGREEMENT_TASK, soft_cross_entropy
from pruning.tasks.alike import AGREEMENT, DIVERGENCE, WORST
from pruning.tasks.classification import CLASSIFICATION
from pruning.tasks.names import METRIC_NAMES
from pruning.tasks.ranks import MEAN_PER_CLASS, TOP5
from pruning.tasks.table import metrics


def test_the_names_without_torch_are_those_of_the_table() -> None:
    assert set(METRIC_NAMES) == set(metrics())
    assert CLASSIFICATION.further == (TOP5, MEAN_PER_CLASS) and AGREEMENT_TASK.metric is AGREEMENT


def test_top_five_counts_what_stands_among_five() -> None:
    outputs = torch.arange(8.0).repeat(4, 1)
    outputs[3] = math.nan
    right = TOP5.score(outputs, torch.tensor([7, 3, 2, 7]))
    assert right.tolist() == [True, True, False, False]
    alike = TOP5.score(torch.zeros(2, 8), torch.tensor([1, 6]))
    assert alike.tolist() == [True, False], "a tie is no knowledge"


def test_the_mean_over_classes_gives_each_class_the_same_weight() -> None:
    right = torch.tensor([True] * 8 + [False] * 2 + [True, False])
    labels = torch.tensor([0] * 10 + [3, 3])
    found = MEAN_PER_CLASS.summary(right, labels)
    assert found.value == pytest.approx((0.8 + 0.5) / 2)
    variance = sum(p * (1 - p) / n for p, n in ((9 / 12, 10), (2 / 4, 2)))
    half = 1.959963984540054 * math.sqrt(variance) / 2
    assert found.interval == pytest.approx((0.65 - half, min(1.0, 0.65 + half)))
    assert MEAN_PER_CLASS.mean(right) == 9 / 12, "not the plain mean"


def test_agreement_and_divergence_of_outputs() -> None:
    draw = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 50, 4, generator=draw)
    assert AGREEMENT.score(first, first).all() and float(DIVERGENCE.score(first, first).max()) < 1e-6
    agree = AGREEMENT.score(first, second)
    assert agree.tolist() == [int(a.argmax()) == int(b.argmax()) for a, b in zip(first, second, strict=True)]
    p, q = second.double().softmax(1), first.double().softmax(1)
    by_hand = (p * (p / q).log()).sum(1)
    assert torch.allclose(DIVERGENCE.score(first, second).double(), by_hand, atol=1e-5)
    assert float(soft_cross_entropy(first, second, reduction="mean")) == pytest.approx(float(by_hand.mean()), rel=1e-4)
    first[0] = math.nan
    assert not AGREEMENT.score(first, second)[0] and float(DIVERGENCE.score(first, second)[0]) == WORST


def test_the_loss_of_agreement_also_takes_classes_that_stand_in() -> None:
    outputs = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    targets = AGREEMENT_TASK.as_targets(outputs)
    assert float(AGREEMENT_TASK.loss(outputs, targets, reduction="mean")) == pytest.approx(
        float(torch.nn.functional.cross_entropy(outputs, targets))
    )


def test_a_divergence_is_never_below_nothing_and_of_one_image_anything() -> None:
    low, high = DIVERGENCE.interval(torch.tensor([0.0, 0.001, 0.0]))
    assert low == 0.0 and 0 < high < 0.01 and DIVERGENCE.interval(torch.tensor([0.5])) == (0.0, WORST)
