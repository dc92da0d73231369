"""A network's weights in one short text."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn


def weights_digest(model: nn.Module) -> str:
    """SHA-256 over names, shapes and bytes of all parameters and buffers."""
    sha = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        if isinstance(tensor, Tensor):  # a module may add a state of its own
            sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            values = tensor.detach().contiguous().reshape(-1).view(torch.uint8)  # NumPy has no bfloat16
            sha.update(values.numpy().data)
    return sha.hexdigest()
