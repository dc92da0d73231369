"""Accuracy, its interval and paired differences, against published tables and counts done by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import Cancelled, InputError
from pruning.base.intervals import wilson_interval
from pruning.data.info import ROLES
from pruning.data.memory import MemoryData
from pruning.data.readers import describe_data
from pruning.tasks.shares import paired_difference
from pruning.training.evaluate import evaluate


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3 (score, without continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_equals_the_published_ones(correct: int, images: int, low: float, high: float) -> None:
    assert wilson_interval(correct, images) == pytest.approx((low, high), abs=6e-5)
    mirrored = wilson_interval(images - correct, images)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=6e-5)


def test_an_accuracy_of_no_images_is_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        wilson_interval(0, 0)


def vector(answers: str) -> Tensor:
    """ "1101" as a bool tensor."""
    return torch.tensor([letter == "1" for letter in answers])


def test_paired_difference_by_hand() -> None:
    before = vector("1110000011")
    after = vector("1101110011")  # the third became wrong; the fourth, fifth and sixth became right
    found = paired_difference(before, after)
    assert (found.newly_wrong, found.newly_right) == (1, 3)
    assert found.value == pytest.approx(0.2)
    # Agresti and Min 2005: cells 1.5 and 3.5 of 12; (3.5 − 1.5) / 12 ± 1.95996 · √(5 − 2² / 12) / 12
    half = 1.959964 * math.sqrt(5 - 4 / 12) / 12
    assert found.interval == pytest.approx((2 / 12 - half, 2 / 12 + half), abs=1e-6)


def test_paired_difference_is_second_minus_first_and_turns_its_sign() -> None:
    before, after = vector("11110000"), vector("11111100")
    there, back = paired_difference(before, after), paired_difference(after, before)
    assert there.value == 0.25 and back.value == -0.25
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))


def test_equal_answers_still_leave_doubt() -> None:
    same = paired_difference(vector("1" * 500), vector("1" * 500))
    assert same.value == 0 and same.newly_wrong == same.newly_right == 0
    assert -0.01 < same.interval[0] < 0 < same.interval[1] < 0.01


def test_paired_interval_covers_the_truth_about_95_times_in_100() -> None:
    chance = np.random.default_rng(0)
    truth, covered, trials = 0.02 - 0.03, 0, 1000
    for _ in range(trials):
        kind = chance.choice(3, size=400, p=[0.03, 0.02, 0.95])  # newly wrong, newly right, unchanged
        low, high = paired_difference(torch.from_numpy(kind != 1), torch.from_numpy(kind != 0)).interval
        covered += low <= truth <= high
    assert 0.93 <= covered / trials <= 0.975  # three standard errors of the count are 0.02


def test_different_images_are_not_compared() -> None:
    with pytest.raises(InputError, match="same images, not on 3 and 4"):
        paired_difference(vector("111"), vector("1111"))


LABELS = (3, 1, 4, 1, 5, 9, 2)


@pytest.fixture
def data() -> MemoryData:
    """Seven one-pixel select images; the pixel of each is ten times its label. The other roles must not be read."""
    labels = torch.tensor(LABELS)
    images = (labels * 10).to(torch.uint8).view(-1, 1, 1, 1)
    bomb = torch.empty(0, 1, 1, 1, dtype=torch.uint8)
    return MemoryData(
        info=replace(describe_data("mnist5k"), sizes={"train": 0, "select": len(LABELS), "test": 0}),
        pixels={role: images if role == "select" else bomb for role in ROLES},
        truth={role: labels if role == "select" else labels[:0] for role in ROLES},
        digest="",
        source="made here",
    )


class Reader(nn.Module):
    """Reads the label off the pixel and answers it, with logit 1 against 0; 1s are answered as `ones`."""

    def __init__(self, data: MemoryData, ones: int = 1, nan_for: int | None = None) -> None:
        super().__init__()
        self.data, self.ones, self.nan_for = data, ones, nan_for
        self.modes: list[bool] = []
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        self.batches.append(len(x))
        mean, std = self.data.info.mean[0], self.data.info.std[0]
        labels = ((x.flatten() * std + mean) * 25.5).round().long()
        logits = nn.functional.one_hot(torch.where(labels == 1, self.ones, labels), 10).float()
        if self.nan_for is not None:
            logits[labels == self.nan_for, 0] = math.nan
        return logits


def test_evaluate_counts_right_answers_in_order(data: MemoryData) -> None:
    found = evaluate(Reader(data, ones=7), data, "select")
    assert found.scores.tolist() == [label != 1 for label in LABELS]
    assert (found.role, found.correct, found.images, found.value) == ("select", 5, 7, 5 / 7)
    assert found.interval == wilson_interval(5, 7)
    # cross-entropy of ten logits, one of them 1 and nine 0: log(9 + e) − 1 where right, log(9 + e) where wrong
    assert found.loss == pytest.approx(math.log(9 + math.e) - 5 / 7, abs=1e-6)


def test_the_size_of_batches_changes_nothing(data: MemoryData) -> None:
    model = Reader(data, ones=7)
    whole, parts = evaluate(model, data, "select"), evaluate(model, data, "select", batch_size=3)
    assert model.batches == [7, 3, 3, 1]
    assert torch.equal(whole.scores, parts.scores)
    assert whole.loss == pytest.approx(parts.loss)


def test_a_limit_takes_the_first_images(data: MemoryData) -> None:
    assert evaluate(Reader(data, ones=7), data, "select", limit=3).scores.tolist() == [True, False, True]


def test_nan_counts_as_wrong_even_where_the_label_has_the_largest_number(data: MemoryData) -> None:
    found = evaluate(Reader(data, nan_for=9), data, "select")
    assert found.scores.tolist() == [label != 9 for label in LABELS]


def test_an_answer_of_nothing_but_nan_is_wrong_for_class_0_too(data: MemoryData) -> None:
    zeros = replace(data, truth={role: labels * 0 for role, labels in data.truth.items()})

    class Nothing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 10), math.nan)  # its argmax is 0

    assert evaluate(Nothing(), zeros, "select").correct == 0


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_measured_in_eval_mode_and_gets_its_mode_back(data: MemoryData, training: bool) -> None:
    model = Reader(data).train(training)
    evaluate(model, data, "select")
    assert model.modes == [False]
    assert model.training is training


def test_cancelling_stops_between_batches_and_restores_the_mode(data: MemoryData) -> None:
    model = Reader(data).train()
    with pytest.raises(Cancelled):
        evaluate(model, data, "select", batch_size=2, cancel=lambda: len(model.batches) == 2)
    assert model.batches == [2, 2]
    assert model.training


def test_no_gradient_is_kept(data: MemoryData) -> None:
    class Affine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(1, 10)
            self.kept = False

        def forward(self, x: Tensor) -> Tensor:
            out = self.fc(x.flatten(1))
            self.kept |= out.requires_grad
            return out

    model = Affine()
    evaluate(model, data, "select")
    assert not model.kept
