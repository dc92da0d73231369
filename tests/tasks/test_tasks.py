"""Every row of the tasks' table keeps its word, and top-1 classification is what it always was, to the bit."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from pruning.base.errors import InputError
from pruning.base.intervals import Z95, paired_interval, wilson_interval
from pruning.data.readers import data_names, describe_data, open_data
from pruning.tasks.agreement import AGREEMENT_TASK
from pruning.tasks.classification import ACCURACY, CLASSIFICATION
from pruning.tasks.means import mean_difference, mean_interval
from pruning.tasks.table import TASKS, find_metric, task_of


@pytest.mark.parametrize("name", TASKS)
def test_a_row_keeps_its_word(name: str) -> None:
    task = TASKS[name]
    metric = task.metric
    assert task.name == name and task.title and metric.title and find_metric(metric.name) is metric
    assert pickle.loads(pickle.dumps(metric)) == metric, "pages keep what holds a metric by pickling it"
    assert metric.bounds[0] < metric.bounds[1]
    assert metric.gain(0.5) == (0.5 if metric.higher_is_better else -0.5)


def test_every_data_set_that_comes_along_is_for_a_task() -> None:
    for name in data_names():
        assert task_of(describe_data(name)) is CLASSIFICATION
    with pytest.raises(InputError, match="for the task 'counting'; there is classification"):
        task_of(replace(describe_data("mnist"), task="counting"))
    with pytest.raises(InputError, match="no metric 'f1'; there is accuracy"):
        find_metric("f1")


def test_classification_scores_and_learns_as_the_formulas_say() -> None:
    draw = torch.Generator().manual_seed(0)
    outputs, other = torch.randn(2, 40, 5, generator=draw)
    labels = torch.randint(0, 5, (40,), generator=draw)
    outputs[3] = math.nan
    right, others = ACCURACY.score(outputs, labels), ACCURACY.score(other, labels)
    assert right.tolist() == [i != 3 and int(row.argmax()) == labels[i] for i, row in enumerate(outputs)]
    count = int(right.sum())
    assert ACCURACY.mean(right) == count / 40 and ACCURACY.interval(right) == wilson_interval(count, 40)
    found = ACCURACY.difference(right, others)
    wrong, won = int((right & ~others).sum()), int((~right & others).sum())
    assert (found.newly_wrong, found.newly_right) == (wrong, won)
    assert found.value == (won - wrong) / 40 and found.interval == paired_interval(wrong, won, 40)
    for reduction in ("mean", "sum"):
        assert torch.equal(
            CLASSIFICATION.loss(other, labels, reduction=reduction),  # type: ignore[arg-type]
            F.cross_entropy(other, labels, reduction=reduction),
        )
    assert CLASSIFICATION.same_answer(other, other * 2).all()
    choices = CLASSIFICATION.choices
    assert choices is not None and torch.equal(choices(outputs, labels).right, right)
    assert choices(outputs, labels).predicted[3] == -1


def test_labels_are_the_targets_and_their_absence_is_said() -> None:
    data = open_data("mnist5k")
    index = torch.tensor([5, 2])
    labels = data.labels("test")
    assert labels is not None and torch.equal(CLASSIFICATION.targets(data, "test", index), labels[index])
    with pytest.raises(InputError, match=r"test images of MNIST.* have no labels.*sorted into classes"):
        CLASSIFICATION.targets(replace(data, truth={}), "test", index)  # type: ignore[type-var]


def test_outputs_that_cannot_be_answers_are_named() -> None:
    info = describe_data("cifar10")
    assert CLASSIFICATION.misfit((2, 10), info) is None
    assert CLASSIFICATION.misfit((2, 1000), info) == "it tells 1,000 classes apart, and CIFAR-10, 60,000 photos has 10"
    assert "21×8×8 for an image" in str(CLASSIFICATION.misfit((2, 21, 8, 8), info))
    for shape in ((2,), (2, 1)):  # a sigmoid
        assert "one number for an image" in str(CLASSIFICATION.misfit(shape, info))
        assert "torch.cat([-z, z], 1)" in str(AGREEMENT_TASK.misfit(shape, info))
    assert CLASSIFICATION.misfit((2, 1000), replace(info, classes=())) is None


def test_values_are_shown_in_the_metrics_own_words() -> None:
    assert ACCURACY.words(0.9873) == "98.7 %" and ACCURACY.span((0.981, 0.992)) == "98.1–99.2 %"
    error = replace(ACCURACY, unit="px", scale=1.0, digits=2, higher_is_better=False)
    assert error.words(1.234) == "1.23 px" and error.gain(0.5) == -0.5
    assert replace(error, unit="").span((1.0, 2.0)) == "1.00–2.00"


def test_the_interval_of_a_mean_by_hand() -> None:
    """1, 2, 3, 4: mean 2.5, deviation √(5/3)."""
    scores = torch.tensor([1.0, 2.0, 3.0, 4.0])
    half = Z95 * math.sqrt(5 / 3) / 2
    assert mean_interval(scores) == pytest.approx((2.5 - half, 2.5 + half))
    found = mean_difference(scores, scores + torch.tensor([0.0, 1.0, 0.0, 1.0]))
    assert found.value == 0.5 and (found.newly_wrong, found.newly_right) == (None, None)
    assert found.interval == pytest.approx((0.5 - Z95 / math.sqrt(12), 0.5 + Z95 / math.sqrt(12)))
    with pytest.raises(InputError, match="same images, not on 4 and 3"):
        mean_difference(scores, scores[:3])
    with pytest.raises(InputError, match="at least two images"):
        mean_interval(scores[:1])
