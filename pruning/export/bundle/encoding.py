"""Plain values, and tensors among them, as JSON that a bundle's load.py reads: what JSON has no form of stands under
the name of its kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

Keep = Callable[[Tensor], str | int]
"""Takes a tensor, and gives the name by which it is found again."""


class NotPlain(TypeError):
    """A value that is no plain one."""


def encoded(value: Any, keep: Keep) -> Any:
    """The value as JSON.

    >>> encoded({"size": (3, 4.5), "on": True}, keep=lambda tensor: "x")
    {'dict': {'size': {'tuple': [3, 4.5]}, 'on': True}}

    Raises:
        NotPlain: there is something in it that has no form here.
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"float": repr(number)}
    if isinstance(value, torch.Size):
        return {"size": list(value)}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if type(value) is Tensor:
        return {"tensor": keep(value)}
    if type(value) is tuple:
        return {"tuple": [encoded(item, keep) for item in value]}
    if type(value) is list:
        return [encoded(item, keep) for item in value]
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: encoded(item, keep) for key, item in value.items()}}
    raise NotPlain(type(value).__name__)
