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
        twin = copy.deepcopy(model, memo)
    except Exception as error:
        raise InputError(
            f"This network cannot be copied ({str(error).strip() or type(error).__name__}). "
            "Removal works on a copy: keep locks, open files and generators out of its attributes."
        ) from error
    named = dict(twin.named_parameters())
    for first, second, transposed in shared_memory(model):  # deepcopy gives every parameter memory of its own
        named[second].data = named[first].data.t() if transposed else named[first].data
    return twin


def shared_memory(model: nn.Module) -> tuple[tuple[str, str, bool], ...]:
    """Pairs of different parameters on the same memory: (first, other, transposed)."""
    first: dict[int, tuple[str, Tensor]] = {}
    pairs = []
    for name, tensor in model.named_parameters():
        if tensor.numel() < 2:
            continue
        storage = tensor.untyped_storage().data_ptr()
        if storage in first:
            known, other = first[storage]
            same = tensor.shape == other.shape and tensor.stride() == other.stride()
            turned = tensor.dim() == 2 and tensor.shape == other.t().shape and tensor.stride() == other.t().stride()
            if same or turned:
                pairs.append((known, name, not same))
        else:
            first[storage] = (name, tensor)
    return tuple(pairs)
