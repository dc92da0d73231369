"""A copy of a network shares memory where the network does."""

import torch
from torch import nn

from pruning.base.clone import shared_memory


def test_parameters_on_one_memory_in_several_shapes_are_no_pair() -> None:
    model = nn.Sequential(nn.Linear(6, 2), nn.Conv2d(1, 3, 2), nn.Linear(2, 6))
    model[1].weight.data = model[0].weight.data.view(3, 1, 2, 2)
    assert shared_memory(model) == ()
    model[2].weight.data = model[0].weight.data.t()
    assert shared_memory(model) == (("0.weight", "2.weight", True),)
    assert torch.equal(model[2].weight, model[0].weight.t())
