"""Calls with float64 in place of any narrower float type, as proofs run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

DOUBLES = {
    **dict.fromkeys((torch.float16, torch.bfloat16, torch.float32), torch.float64),
    **dict.fromkeys((torch.complex32, torch.complex64), torch.complex128),
}
"""Types that are too narrow for a proof, and those in their places."""


def in_double(value: Any) -> Any:
    """Arguments of a call with float64 in place of any narrower float type, complex or not; tensors are left as they
    are."""
    if isinstance(value, torch.dtype):
        return DOUBLES.get(value, value)
    if isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        return {key: in_double(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(in_double(item) for item in value) if type(value) in (tuple, list) else value
    return value


def double(tensor: Tensor) -> Tensor:
    """A copy of its own, since calls may write into it: `to` alone gives a float64 tensor as it is."""
    return tensor.detach().to(DOUBLES.get(tensor.dtype, tensor.dtype), copy=True)


def model_in_double(model: nn.Module) -> nn.Module:
    """The model itself with all its real and complex numbers in float64."""
    return model._apply(lambda tensor: tensor.to(DOUBLES.get(tensor.dtype, tensor.dtype)))


@contextmanager
def float64_by_default() -> Iterator[None]:
    """Constants that code makes without saying of what type are float64 here."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(usual)
