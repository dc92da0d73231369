"""One image, one answer: the softmax of the outputs, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.training.one_image import Said, ask


class Constant(nn.Module):
    """Says the same to every image, and keeps what it was shown."""

    def __init__(self, *outputs: float) -> None:
        super().__init__()
        self.outputs = torch.tensor(outputs)
        self.shown = torch.empty(0)

    def forward(self, images: Tensor) -> Tensor:
        self.shown = images
        return self.outputs.expand(len(images), -1)


@pytest.fixture(scope="module")
def data() -> Data:
    return open_data("mnist5k")


def test_an_answer_is_the_softmax(data: Data) -> None:
    model = Constant(math.log(1), math.log(6), math.log(3)).eval()
    said = ask(model, data, torch.full((1, 28, 28), 255, dtype=torch.uint8))
    assert said.shares == pytest.approx((0.1, 0.6, 0.3))
    assert said.output == 1 and said.confidence == pytest.approx(0.6)
    assert model.shown.shape == (1, 1, 28, 28)
    assert model.shown.unique().tolist() == pytest.approx([(1 - 0.1307) / 0.3081]), "normalised as the data set says"


def test_outputs_that_are_no_numbers_are_no_answer() -> None:
    said = Said(shares=(float("nan"), float("nan")))
    assert said.output == -1 and said.confidence == 0
