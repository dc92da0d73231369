"""Layers and parameters that the example inputs do not reach are named, where they may read channels that are gone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels

ROWS = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


class Optional(nn.Module):
    """Beside its usual way: a token, a block of layers, one for training, a layer of another width, and a method."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.o = nn.Linear(6, 24), nn.Linear(24, 16), nn.Linear(16, 3)
        self.token, self.scale = nn.Parameter(torch.randn(24)), nn.Parameter(torch.ones(()))
        self.block = nn.Sequential(nn.Linear(24, 5), nn.BatchNorm1d(5), nn.Linear(5, 24))
        self.early, self.narrow, self.project = nn.Linear(16, 3), nn.Linear(7, 9), nn.Linear(16, 8)

    def forward(self, x: Tensor, masked: Tensor | None = None) -> tuple[Tensor, ...]:
        x = F.relu(self.a(x))
        if masked is not None:
            x = torch.where(masked, self.token, x)
        if len(x) > 100:
            x = x + self.scale * self.block(x)
        x = F.relu(self.b(x))
        return (self.o(x), self.early(x)) if self.training else (self.o(x),)

    def projected(self, x: Tensor) -> Tensor:
        return self.project(F.relu(self.b(F.relu(self.a(x)))))


def test_what_keeps_its_width_though_it_may_read_less_is_named() -> None:
    done = remove_channels(Optional().eval(), ROWS, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and done.model.early.in_features == 8
    assert done.unreached == ("token", "block", "project")
    assert repr(done).endswith("2 locked, 3 unreached, exact)")


def test_what_the_example_reaches_is_not_named() -> None:
    done = remove_channels(Optional().eval(), (ROWS, torch.rand(4, 1) > 0.5), sparsity=0.5)
    assert done.unreached == ("block", "project") and done.model.token.shape == (12,)


def test_nothing_is_named_where_nothing_shrinks() -> None:
    assert remove_channels(Optional().eval(), ROWS, sparsity=0.0).unreached == ()
