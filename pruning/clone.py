"""A copy of a model that works where `copy.deepcopy` alone does not."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from pruning.errors import InputError


def clone(model: nn.Module) -> nn.Module:
    """A deep copy with the same values, modes, flags and shared parameters.

    Weights that a module computes anew at every call (weight_norm, `torch.nn.utils.prune`) lie in plain attributes
    that deepcopy refuses; they are copied detached.

    Raises:
        InputError: something in the model cannot be copied.
    """
    memo: dict[int, object] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        raise InputError(
            f"This network cannot be copied ({str(error).strip() or type(error).__name__}). "
            "Removal works on a copy: keep locks, open files and generators out of its attributes."
        ) from error
