"""Example inputs: one tensor, a tuple of positional arguments, or a dict of keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from pruning.base.errors import InputError


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a model is called with. Tensors whose first dimension equals that of the first tensor have a batch."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None

    @staticmethod
    def of(example: Any, dtype: torch.dtype = torch.float32) -> Inputs:
        """From a tensor, a tuple or list, a dict of keyword arguments, or the shape of one sample as whole numbers.

        Raises:
            InputError: it holds no tensor, an empty batch, or a tensor that is not plain.
        """
        if isinstance(example, Inputs):
            return example
        if isinstance(example, Mapping):
            inputs = Inputs((), dict(example))
        elif isinstance(example, tuple | list) and example and all(type(size) is int for size in example):
            inputs = Inputs((_zeros(tuple(example), dtype),))
        elif isinstance(example, tuple | list):
            inputs = Inputs(tuple(example))
        else:
            inputs = Inputs((example,))
        tensors = inputs.tensors
        for tensor in tensors:
            _check_plain(tensor)
        if not tensors or tensors[0].dim() == 0 or tensors[0].shape[0] == 0:
            raise InputError(
                "example_inputs must be a tensor with a batch dimension, a tuple of arguments, or a dict of keyword "
                f"arguments that holds such a tensor, not {type(example).__name__}."
            )
        return inputs

    @property
    def tensors(self) -> list[Tensor]:
        return [leaf for leaf in pytree.tree_leaves((self.args, self.kwargs)) if isinstance(leaf, Tensor)]

    @property
    def batch(self) -> int:
        return self.tensors[0].shape[0]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of the first tensor without the batch."""
        return tuple(self.tensors[0].shape[1:])

    def resized(self, batch: int) -> Inputs:
        """The same with another batch size, rows repeated or left out."""
        return self._map(lambda tensor: tensor[torch.arange(batch) % len(tensor)] if self._batched(tensor) else tensor)

    def random(self, batch: int, dtype: torch.dtype, seed: int) -> Inputs:
        """Random inputs of another batch size, spread like the example; integers are the example's own rows."""
        generator = torch.Generator().manual_seed(seed)

        def draw(tensor: Tensor) -> Tensor:
            if not self._batched(tensor):
                return tensor.to(dtype) if tensor.is_floating_point() else tensor
            rows = tensor[torch.arange(batch) % len(tensor)]
            if not tensor.is_floating_point():
                return rows
            numbers = tensor[tensor.isfinite()].double()  # a mask has -inf
            spread = float(numbers.std()) if numbers.numel() > 1 else 0.0
            noise = torch.randn(rows.shape, dtype=dtype, generator=generator)
            return rows.to(dtype) + noise * (spread or 1.0)

        return self._map(draw)

    def cast(self, dtype: torch.dtype) -> Inputs:
        return self._map(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def call(self, model: nn.Module) -> Any:
        """What the model makes of these inputs, which stay as they are even if its code writes to them."""
        own = self._map(torch.clone)
        return model(*own.args, **(own.kwargs or {}))

    def _batched(self, tensor: Tensor) -> bool:
        return tensor.dim() > 0 and tensor.shape[0] == self.batch

    def _map(self, function: Any) -> Inputs:
        args, kwargs = pytree.tree_map_only(Tensor, function, (self.args, self.kwargs))
        return Inputs(args, kwargs)


def _zeros(sample_shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    if min(sample_shape) < 1:
        raise InputError(f"The sizes of one sample must be at least 1, not {sample_shape}.")
    try:
        return torch.zeros(2, *sample_shape, dtype=dtype)
    except RuntimeError as error:
        raise InputError(f"Samples of {sample_shape} do not fit into memory: give a smaller shape.") from error


def _check_plain(tensor: Tensor) -> None:
    kinds = {
        "nested": tensor.is_nested,
        "sparse or packed": tensor.layout != torch.strided,
        "quantized": tensor.is_quantized,
        "complex": tensor.is_complex(),
    }
    kind = next((kind for kind, found in kinds.items() if found), None)
    if kind is not None:
        advice = "two real ones (torch.view_as_real)" if kind == "complex" else "a dense tensor of plain numbers"
        raise InputError(f"The example inputs hold a {kind} tensor, which removal cannot follow: give {advice}.")


def output_tensors(output: Any) -> Sequence[Tensor]:
    """All tensors in a model's output, however nested."""
    return [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor)]
