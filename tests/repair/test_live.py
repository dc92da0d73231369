"""`pruning.refit`: one line after `remove_channels`, for any network of one's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import pruning
from pruning.base.errors import InputError


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def images(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_it_gives_the_dense_answers_more_often() -> None:
    model = network()
    values = {name: value.clone() for name, value in model.state_dict().items()}
    removal = pruning.remove_channels(model, images(2), sparsity=0.5)
    found = pruning.refit(removal, [images(200), images(100)])
    assert found.check is not None and found.check.status == "exact"
    assert found.agreement[found.method] > found.agreement["as_cut"]
    assert model.training and all(torch.equal(value, values[name]) for name, value in model.state_dict().items())
    assert found.model(images(2)).shape == (2, 10)
    assert repr(found).startswith("Refitted(Sequential: ") and "the dense model's answer" in repr(found)


def test_one_output_is_held_against_its_spread() -> None:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    draw = torch.Generator().manual_seed(0)
    removal = pruning.remove_channels(model, torch.randn(2, 8), sparsity=0.5)
    found = pruning.refit(removal, torch.randn(500, 8, generator=draw))
    assert found.agreement[found.method] >= found.agreement["as_cut"]


def test_too_few_images_are_refused() -> None:
    removal = pruning.remove_channels(network(), images(2), sparsity=0.5)
    with pytest.raises(InputError, match="at least 10 images"):
        pruning.refit(removal, images(5))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 8)
        self.last = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.a(x) + self.b(y)))


def test_what_cannot_be_run_call_by_call_is_said() -> None:
    removal = pruning.remove_channels(TwoInputs(), (torch.randn(2, 4), torch.randn(2, 4)), sparsity=0.5)
    with pytest.raises(InputError, match="cannot be refitted, since it does not take one batch"):
        pruning.refit(removal, torch.randn(20, 4))
