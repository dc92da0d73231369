"""Answers kept image by image: what they say is what evaluation counts, and they come back from a file as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pruning.base.errors import StorageError
from pruning.data.readers import open_data
from pruning.subject import open_subject
from pruning.tasks.choices import Choices
from pruning.tasks.classification import ACCURACY
from pruning.training.answers import Answers, answer, read_answers, save_answers
from pruning.training.evaluate import evaluate


def test_answers_count_as_evaluation_does() -> None:
    subject, data = open_subject("sample:lenet300"), open_data("mnist5k")
    found, counted = answer(subject.model, data, "select"), evaluate(subject.model, data, "select")
    assert torch.equal(found.scores, counted.scores)
    said = found.choices
    assert said is not None and said.truth is not None and torch.equal(said.right, found.scores)
    assert float(-said.truth.double().log().mean()) == pytest.approx(counted.loss, rel=1e-4)
    assert torch.equal(said.confidence[said.right], said.truth[said.right])
    wrong = ~said.right
    assert bool((said.confidence[wrong] >= said.truth[wrong]).all()), "what is answered is what is likeliest"


class Undecided(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.full((len(images), 10), float("nan"))


def test_an_output_that_is_no_number_answers_nothing() -> None:
    found = answer(Undecided(), open_data("mnist5k"), "select", limit=20)
    assert found.choices is not None and found.choices.predicted.tolist() == [-1] * 20 and not found.scores.any()


def test_answers_come_back_from_a_file(tmp_path: Path) -> None:
    made = Answers(
        role="test",
        data_digest="abc",
        metric=ACCURACY,
        scores=torch.tensor([True, False]),
        choices=Choices(
            labels=torch.tensor([1, 2]),
            predicted=torch.tensor([1, -1]),
            confidence=torch.tensor([0.9, 0.0]),
            truth=torch.tensor([0.9, 0.0]),
        ),
    )
    save_answers(tmp_path / "answers.safetensors", {"dense": made})
    (found,) = read_answers(tmp_path / "answers.safetensors").values()
    assert (found.role, found.data_digest) == ("test", "abc")
    assert found.metric == ACCURACY and found.scores.tolist() == [True, False]
    assert found.choices is not None and found.choices.predicted.tolist() == [1, -1]
    assert found.choices.truth is not None and found.choices.truth.tolist() == pytest.approx([0.9, 0.0])


def test_answers_kept_before_the_metric_was_named_are_of_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "answers.safetensors"
    tensors = {
        "dense.labels": torch.tensor([1, 2]), "dense.predicted": torch.tensor([1, 1]),
        "dense.confidence": torch.tensor([0.9, 0.6]), "dense.truth": torch.tensor([0.9, 0.2]),
    }  # fmt: skip
    save_file(tensors, path, metadata={"dense": "test abc"})
    found = read_answers(path)["dense"]
    assert (found.role, found.data_digest, found.metric) == ("test", "abc", ACCURACY)
    assert found.scores.tolist() == [True, False] and found.value == 0.5
    save_file(tensors | {"dense.truth": torch.tensor([0.9])}, path, metadata={"dense": "test abc"})
    with pytest.raises(StorageError, match="do not fit"):
        read_answers(path)


@pytest.mark.parametrize("content", [None, b"", b"x" * 100])
def test_a_damaged_file_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "answers.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=r"answers\.safetensors cannot be read"):
        read_answers(path)
