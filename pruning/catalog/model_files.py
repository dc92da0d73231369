"""A model from a function in a Python file of the user's own, which is trusted: it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from pruning.base.errors import InputError, excerpt
from pruning.catalog.first_layer import own_device
from pruning.catalog.guests import call_guest

CLASSES = "classes,num_classes,n_classes,num_labels,nclasses"
"""Arguments of a factory that take the number of classes."""
SIZE = "size,image_size,img_size,input_size"
"""Arguments that take the height and width of images; where a factory has none, its example inputs have that size."""


def call_factory(path: Path, factory: str, *, classes: int | None = None) -> tuple[nn.Module, Any]:
    """Run a file and call a function in it; the model, and its example inputs or None.

    The function takes no arguments, or the number of classes, and returns a model or `(model, example_inputs)`.

    Raises:
        InputError: no such file or function, an error in it (with file and line), or something else is returned.
    """
    options = {} if classes is None else {"classes": (CLASSES, classes)}
    made = call_guest(path, factory, options)
    model, example = made if isinstance(made, tuple | list) and len(made) == 2 else (made, None)
    if not isinstance(model, nn.Module):
        raise InputError(
            f"{factory}() in {path.name} returned {_kind(made)}, not an nn.Module or (model, example_inputs)."
        )
    return model, example


def on_cpu(model: nn.Module, where: str) -> tuple[nn.Module, str]:
    """The model in float32 on the CPU, where all is measured; and what was changed, '' for nothing.

    Raises:
        InputError: it has no numbers, or lies where they cannot be fetched from.
    """
    device = own_device(model)
    if device == "meta":
        raise InputError(f"{where} returned a network on the meta device, which has no weights: build it on the CPU.")
    said = []
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
    return "None" if value is None else f"a {excerpt(type(value).__name__)}"
