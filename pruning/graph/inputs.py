"""Example inputs: one tensor, a tuple of positional arguments, or a dict of keyword arguments, and their batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from pruning.base.errors import InputError

BatchDims = int | None | Sequence[int | None]
"""Which dimension of each input tensor is the batch, in the order in which they are given; None where there is none.
One number stands for all of them."""


class Way(Enum):
    """How random numbers are made of those of the example."""

    SPREAD = "others, as far apart as they are"
    SCALED = "each times a number between a half and one and a half"
    OWN = "themselves"


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a model is called with, and which dimensions of its tensors are the batch."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None
    dims: tuple[int | None, ...] = ()
    """For each tensor its batch dimension, or None."""
    said: bool = False
    """Whether the caller said so; otherwise it is a guess, to be tried."""

    @staticmethod
    def of(example: Any, dtype: torch.dtype = torch.float32, batch_dims: BatchDims | str = "guess") -> Inputs:
        """From a tensor, a tuple or list, a dict of keyword arguments, or the shape of one sample as whole numbers.

        `batch_dims`: which dimensions are the batch. Guessed, the first of the first tensor, and the first of each
        other tensor that is as long.

        Raises:
            InputError: it holds no tensor, an empty batch, a tensor that is not plain, or no such dimensions.
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
        if isinstance(batch_dims, str):
            return inputs.along([0 if _length(tensor, 0) == len(tensors[0]) else None for tensor in tensors])
        return replace(inputs.along(_checked(tensors, batch_dims)), said=True)

    def along(self, dims: Sequence[int | None]) -> Inputs:
        """The same with these batch dimensions."""
        return replace(self, dims=tuple(dims))

    def guesses(self) -> Iterator[Inputs]:
        """What else may be the batch, likeliest first: for the first two dimensions of the first tensor, with each
        other tensor's first dimension of that length, or alone."""
        tensors = self.tensors
        for dim in range(min(2, tensors[0].dim())):
            batch = tensors[0].shape[dim]
            fits = [next((d for d in range(t.dim()) if t.shape[d] == batch), None) for t in tensors[1:]]
            firsts = [0 if _length(t, 0) == batch else None for t in tensors[1:]]
            for others in dict.fromkeys((tuple(firsts), tuple(fits), (None,) * len(fits))):
                yield self.along((dim, *others))

    @property
    def tensors(self) -> list[Tensor]:
        return [leaf for leaf in pytree.tree_leaves((self.args, self.kwargs)) if isinstance(leaf, Tensor)]

    @property
    def batch(self) -> int:
        """Samples in it; 1 where no dimension is a batch."""
        return next((_length(tensor, dim) for tensor, dim in self._pairs if dim is not None), 1)

    @property
    def has_batch(self) -> bool:
        return any(dim is not None for dim in self.dims)

    @property
    def _pairs(self) -> list[tuple[Tensor, int | None]]:
        return list(zip(self.tensors, self.dims, strict=True))

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of the first tensor without the batch."""
        first, dim = self._pairs[0]
        return tuple(size for place, size in enumerate(first.shape) if place != dim)

    def resized(self, batch: int) -> Inputs:
        """The same with another batch size, samples repeated or left out."""
        return self._map(lambda tensor, dim: _samples(tensor, dim, batch))

    def random(self, batch: int, dtype: torch.dtype, seed: int, ways: Sequence[Way] = ()) -> Inputs:
        """Random inputs of another batch size, spread like the example; integers are the example's own samples.

        What has no batch stays as it is, since it may be a mask or a graph; where nothing has one, all of it is drawn.
        `ways`: of each tensor; all are spread where nothing is said.
        """
        generator = torch.Generator().manual_seed(seed)
        following = iter(ways or [Way.SPREAD] * len(self.tensors))

        def draw(tensor: Tensor, dim: int | None) -> Tensor:
            own, way = _samples(tensor, dim, batch), next(following)
            if not tensor.is_floating_point():
                return own
            if way is not Way.SPREAD:
                factors = torch.rand(own.shape, dtype=dtype, generator=generator) if way is Way.SCALED else 0.5
                return own.to(dtype) * (0.5 + factors)
            if dim is None and self.has_batch:
                return own.to(dtype)
            numbers = tensor[tensor.isfinite()].double()  # a mask has -inf
            spread = float(numbers.std()) if numbers.numel() > 1 else 0.0
            noise = torch.randn(own.shape, dtype=dtype, generator=generator)
            return own.to(dtype) + noise * (spread or 1.0)

        return self._map(draw)

    def cast(self, dtype: torch.dtype) -> Inputs:
        return self._map(lambda tensor, _: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def cloned(self) -> Inputs:
        """The same in memory of its own, one tensor a place."""
        return self._map(lambda tensor, _: tensor.clone())

    def call(self, model: nn.Module) -> Any:
        """What the model makes of these inputs, which stay as they are even if its code writes to them."""
        own = self.cloned()
        return model(*own.args, **(own.kwargs or {}))

    def _map(self, function: Callable[[Tensor, int | None], Tensor]) -> Inputs:
        dims = iter(self.dims)
        args, kwargs = pytree.tree_map_only(Tensor, lambda t: function(t, next(dims)), (self.args, self.kwargs))
        return replace(self, args=args, kwargs=kwargs)


def _length(tensor: Tensor, dim: int) -> int:
    """Of a dimension; 0 where there is none of the kind."""
    return tensor.shape[dim] if dim < tensor.dim() else 0


def _samples(tensor: Tensor, dim: int | None, batch: int) -> Tensor:
    return tensor if dim is None else tensor.index_select(dim, torch.arange(batch) % tensor.shape[dim])


def _checked(tensors: list[Tensor], dims: BatchDims) -> list[int | None]:
    """`batch_dims` of a caller, one for each tensor, counted from the first dimension.

    Raises:
        InputError: not one for each, a dimension that is not there, or batches of several lengths.
    """
    given = list(dims) if isinstance(dims, tuple | list) else [dims] * len(tensors)
    if len(given) != len(tensors):
        raise InputError(f"batch_dims has {len(given)} entries, but the example inputs hold {len(tensors)} tensors.")
    found: list[int | None] = []
    for number, (tensor, dim) in enumerate(zip(tensors, given, strict=True)):
        if dim is not None and (type(dim) is not int or not -tensor.dim() <= dim < tensor.dim()):
            raise InputError(
                f"batch_dims says {dim!r} for tensor {number} of the example inputs, which has {tensor.dim()} "
                "dimensions: name one of them by its number, or None where it has no batch."
            )
        found.append(None if dim is None else dim % tensor.dim())
    lengths = {tensor.shape[dim] for tensor, dim in zip(tensors, found, strict=True) if dim is not None}
    if len(lengths) > 1:
        raise InputError(
            f"batch_dims names dimensions of {' and '.join(map(str, sorted(lengths)))}: a batch has one size."
        )
    return found


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
