"""Rows of a convolution are what it reads: multiplied by its weights they give its results."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from pruning.graph.inputs import Inputs
from pruning.graph.ops import of
from pruning.graph.trace import trace
from pruning.repair.rows import Window, at, drawn


def window(layer: Any, shape: tuple[int, ...]) -> Window:
    """As the traced call of a layer has it."""
    call = next(node for node in trace(layer, Inputs.of(shape[1:])).nodes if of(node).layer is not None)
    return Window.of(call, transposed=of(call).layer == "transposed convolution")


LAYERS = [
    (nn.Conv2d(3, 4, 3, padding=1), (2, 3, 7, 6)),
    (nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2)), (2, 3, 8, 9)),
    (nn.Conv2d(3, 4, (4, 3), padding="same", dilation=(1, 2)), (2, 3, 8, 9)),
    (nn.Conv2d(3, 4, 3, padding="valid"), (2, 3, 8, 9)),
    (nn.Conv2d(2, 3, 1, stride=2), (3, 2, 5, 5)),
    (nn.Conv1d(3, 4, 5, padding=2, stride=2), (2, 3, 11)),
    (nn.Conv3d(2, 3, (2, 3, 2), padding=1), (2, 2, 4, 5, 3)),
    (nn.ConvTranspose2d(3, 4, 2, stride=2), (2, 3, 5, 4)),
    (nn.ConvTranspose2d(3, 4, (3, 4), stride=(2, 3), padding=(0, 2), output_padding=(1, 2), dilation=2), (2, 3, 5, 4)),
    (nn.ConvTranspose1d(3, 4, 3, padding=2), (2, 3, 9)),
    (nn.ConvTranspose3d(2, 3, 2, stride=2), (2, 2, 2, 3, 2)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=str)
@pytest.mark.parametrize("wanted", [5, 10_000])
def test_rows_times_weights_are_the_results(layer: Any, shape: tuple[int, ...], wanted: int) -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(shape, generator=draw)
    with torch.no_grad():
        results = layer(images)
    out = results.shape[2:]
    places = drawn(len(images), math.prod(out), wanted, draw)
    rows = window(layer, shape).patches(images, places, out).flatten(1)
    weight = layer.weight.detach()
    if "Transpose" in type(layer).__name__:
        weight = weight.flip(tuple(range(2, weight.dim()))).transpose(0, 1)
    given = rows @ weight.flatten(1).T + layer.bias.detach()
    assert len(rows) == len(images) * min(wanted, math.prod(out))
    assert torch.allclose(given, at(results, places), atol=1e-5)
