"""Weights from a file into a model: every name and shape must fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pruning.base.errors import InputError, excerpt, first_line

WRAPPED = ("state_dict", "model", "model_state_dict")
"""Keys under which training scripts keep the state dict beside other things."""
SHOWN = 3


def load_state_file(model: nn.Module, path: Path) -> None:
    """Fill a model with the state dict of a `.safetensors`, `.pt` or `.pth` file, in place.

    Raises:
        InputError: the file cannot be read, or its names and shapes are not the model's.
    """
    state = _read(path)
    wanted = model.state_dict(keep_vars=True)
    given = {id(tensor) for name, tensor in wanted.items() if name in state}
    missing = [name for name, tensor in wanted.items() if name not in state and id(tensor) not in given]
    complaints = [
        ("lacks {} of the model's", missing),
        ("has {} too many", [name for name in state if name not in wanted]),
        (
            "has {} of another shape",
            [
                f"{name} ({_by(state[name])}, not {_by(tensor)})"
                for name, tensor in wanted.items()
                if name in state and isinstance(tensor, Tensor) and tensor.shape != state[name].shape
            ],
        ),
    ]
    found = [f"{text.format(len(names))}: {_few(names)}" for text, names in complaints if names]
    if found:
        raise InputError(
            f"The weights in {path} do not fit the model; the file {'; it '.join(found)}. "
            "Give the file that was saved from this very network."
        )
    model.load_state_dict(state, strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix not in (".safetensors", ".pt", ".pth"):
        raise InputError(
            f"weights= takes 'default' or a .safetensors, .pt or .pth file, not '{excerpt(str(path), 200)}'."
        )
    if not path.is_file():
        raise InputError(f"There is no file {excerpt(str(path), 200)} to take weights from: check the path.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise InputError(f"{path} is no readable safetensors file ({first_line(error)}): save it again.") from error
    except Exception as error:  # torch.load raises nearly anything for a damaged file
        raise InputError(
            f"{path} cannot be loaded as weights alone ({first_line(error)}): save it again as "
            "torch.save(model.state_dict(), FILE), or as safetensors."
        ) from error
    for key in WRAPPED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(
            f"{path} holds a {type(content).__name__} that is no state dict: save torch.save(model.state_dict(), FILE)."
        )
    return dict(content)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _by(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
