"""Complex numbers as real ones, which can be ranked and counted."""

from __future__ import annotations

import torch
from torch import Tensor


def real_numbers(tensor: Tensor) -> Tensor:
    """Complex numbers as two real ones each, along a dimension at the end; others as they are.

    >>> real_numbers(torch.tensor([3 + 4j]))
    tensor([[3., 4.]])
    """
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
