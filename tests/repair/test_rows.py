"""Rows of a convolution are what it reads: multiplied by its weights they give its results."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from pruning.repair.rows import Window, at, drawn


def window(layer: Any) -> Window:
    return Window(kernel=layer.kernel_size, stride=layer.stride, padding=layer.padding, dilation=layer.dilation)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 4, 3, padding=1), (2, 3, 7, 6)),
        (nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2)), (2, 3, 8, 9)),
        (nn.Conv2d(2, 3, 1, stride=2), (3, 2, 5, 5)),
        (nn.Conv1d(3, 4, 5, padding=2, stride=2), (2, 3, 11)),
        (nn.Conv3d(2, 3, (2, 3, 2), padding=1), (2, 2, 4, 5, 3)),
    ],
    ids=str,
)
@pytest.mark.parametrize("wanted", [5, 10_000])
def test_rows_times_weights_are_the_results(layer: Any, shape: tuple[int, ...], wanted: int) -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(shape, generator=draw)
    with torch.no_grad():
        results = layer(images)
    out = results.shape[2:]
    places = drawn(len(images), math.prod(out), wanted, draw)
    rows = window(layer).patches(images, places, out).flatten(1)
    given = rows @ layer.weight.detach().flatten(1).T + layer.bias.detach()
    assert len(rows) == len(images) * min(wanted, math.prod(out))
    assert torch.allclose(given, at(results, places), atol=1e-5)
