"""A model from a function in a Python file of the user's own, which is trusted: it is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pruning.base.errors import InputError, excerpt
from pruning.base.words import a_kind
from pruning.catalog.first_layer import own_device
from pruning.catalog.guests import Option, arguments_of_guest, call_guest
from pruning.catalog.network import SEED
from pruning.catalog.wrapped import unwrapped

CLASSES = ("classes", "num_classes", "n_classes", "num_labels", "nclasses")
"""Arguments of a factory that take the number of classes."""
SIZE = ("size", "image_size", "img_size")
"""Arguments that take the height and width of images."""


def call_factory(
    path: Path, factory: str, *, classes: int | None = None, size: int | None = None, seed: int = SEED
) -> tuple[nn.Module, Any]:
    """Run a file and call a function in it; the model, and its example inputs or None.

    The function returns a model or `(model, example_inputs)`. `classes` is handed to it, and so is `size` where it has
    an argument for that. `seed`: of all random numbers that it draws.

    Raises:
        InputError: no such file or function, an error in it (with file and line), or something else is returned.
    """
    made = call_guest(path, factory, _options(classes, size), seed=seed)
    model, example = made if isinstance(made, tuple | list) and len(made) == 2 else (made, None)
    if not isinstance(model, nn.Module):
        hint = ": make the network, and name these weights with ?weights=FILE" if isinstance(made, Mapping) else ""
        raise InputError(
            f"{factory}() in {path.name} returned {_kind(made)}, not an nn.Module or (model, example_inputs){hint}."
        )
    if not isinstance(example, torch.Tensor | Mapping | tuple | list | None):
        raise InputError(
            f"{factory}() in {path.name} returned (model, {_kind(example)}): what stands second is a batch of two as a "
            "tensor, a tuple of arguments or a dict of keyword arguments; leave it out, and the network is asked."
        )
    return model, example


def factory_arguments(
    path: Path, factory: str, *, classes: int | None = None, size: int | None = None
) -> dict[str, Any]:
    """The keyword arguments that `call_factory` calls the function with, by their names in its signature.

    Raises:
        InputError: as `call_factory`.
    """
    return arguments_of_guest(path, factory, _options(classes, size))


def _options(classes: int | None, size: int | None) -> list[Option]:
    options = [] if classes is None else [Option(name="classes", arguments=CLASSES, value=classes)]
    return options + ([] if size is None else [Option(name="size", arguments=SIZE, value=size, needed=False)])


def on_cpu(model: nn.Module, where: str) -> tuple[nn.Module, str]:
    """The model itself in float32 on the CPU, where all is measured; and what was changed, '' for nothing.

    Raises:
        InputError: it has no numbers, or lies where they cannot be fetched from.
    """
    model, around = unwrapped(model)
    device = own_device(model)
    if device == "meta":
        raise InputError(f"{where} returned a network on the meta device, which has no weights: build it on the CPU.")
    said = [f"taken out of {', '.join(around)}"] if around else []
    if device != "cpu":
        try:
            model = model.cpu()
        except RuntimeError as error:
            raise InputError(f"{where} returned a network on '{device}' that cannot be moved to the CPU.") from error
        said.append(f"moved here from '{device}'")
    kinds = {tensor.dtype for tensor in model.parameters() if tensor.is_floating_point()}
    if kinds - {torch.float32}:
        model = model.float()
        words = ", ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32}))
        said.append(f"turned into float32 from {words}")
    return model, " and ".join(said)


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {excerpt(value.__name__)}"
    return "None" if value is None else a_kind(type(value).__name__)
