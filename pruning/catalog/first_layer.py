"""What a network of somebody's own takes: told by its first layer, and tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, first_line

SIZES = (224, 32, 28, 64, 96, 128, 48, 160, 192, 256, 299, 384, 112, 227, 512, 16, 8)
"""Heights and widths in pixels that are tried, likeliest first."""
FRAMES = 16
LENGTH = 1024
"""Of a signal."""


def example_for(model: nn.Module, size: int | None, make: Callable[..., Tensor], where: str) -> Tensor:
    """Two samples that a network can be called with, tried in eval mode.

    `size`: height and width that were asked for; None: what it takes. `make`: numbers in a shape without the batch.
    `where`: what made the network, for the sentence.

    Raises:
        InputError: it cannot be called with any that are usual.
    """
    training = model.training
    failed: list[tuple[tuple[int, ...], Exception]] = []
    try:
        model.eval()
        for shape in _shapes(model, size):
            try:
                with torch.no_grad():
                    model(make(*shape))
                return make(*shape)
            except Exception as error:  # somebody's code
                failed.append((shape, error))
    finally:
        model.train(training)
    if not failed:
        raise InputError(
            f"It cannot be told what the network of {where} takes, for it begins with no convolution or linear layer: "
            "return (model, example_inputs)."
        )
    shape, reason = failed[0]
    tried = "×".join(map(str, (2, *shape)))
    hint = "give another size=PIXELS, or return (model, example_inputs)" if size else "return (model, example_inputs)"
    raise InputError(
        f"The network of {where} cannot be called with a batch of {tried} ({type(reason).__name__}: "
        f"{first_line(reason)}): {hint}, where example_inputs is a batch of two."
    ) from reason


def _shapes(model: nn.Module, size: int | None) -> Iterator[tuple[int, ...]]:
    """Shapes of one sample, likeliest first."""
    layer = next(
        (one for one in model.modules() if isinstance(one, nn.modules.conv._ConvNd | nn.Linear | nn.Embedding)), None
    )
    sizes = (size,) if size is not None else SIZES
    if isinstance(layer, nn.modules.conv._ConvNd):
        channels = layer.in_channels if layer.in_channels else 3  # 0 where it waits for its first input
        for side in sizes:
            if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
                yield (channels, FRAMES, side, side)
            elif isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                yield (channels, size or LENGTH)
            else:
                yield (channels, side, side)
    elif isinstance(layer, nn.Linear) and layer.in_features:
        for channels in (1, 3):
            side = math.isqrt(layer.in_features // channels)
            if channels * side * side == layer.in_features and side > 3 and size in (None, side):
                yield (channels, side, side)
        yield (layer.in_features,)
        yield from ((3, side, side) for side in sizes)  # patches of an image, perhaps
    elif isinstance(layer, nn.Linear):
        yield from ((3, side, side) for side in sizes)


def called(model: nn.Module, example: Any) -> Any:
    """What a network gives for example inputs: a tensor, a tuple of arguments, a dict of keyword arguments, or the
    shape of one sample."""
    if isinstance(example, tuple | list) and example and all(isinstance(length, int) for length in example):
        return model(torch.randn(2, *example, generator=torch.Generator().manual_seed(0)))
    if isinstance(example, dict):
        return model(**example)
    return model(*example) if isinstance(example, tuple | list) else model(example)


def own_device(model: nn.Module) -> str:
    """Where its parameters lie: 'cpu', 'cuda', 'meta' or another."""
    return next((tensor.device.type for tensor in (*model.parameters(), *model.buffers())), "cpu")


def first_output(outputs: Any) -> Any:
    """The answer among what a network gives, which may be a tuple, a dict or a record with further outputs.

    >>> first_output({"logits": 1, "aux": 2}), first_output((3, 4)), first_output(5)
    (1, 3, 5)
    """
    if isinstance(outputs, dict):
        return next(
            (outputs[name] for name in ("logits", "out", "output") if name in outputs),
            next(iter(outputs.values()), None),
        )
    if hasattr(outputs, "logits"):
        return outputs.logits
    if isinstance(outputs, tuple | list) and outputs:
        return outputs[0]
    return outputs
