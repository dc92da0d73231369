"""Packed sequences (`pack_padded_sequence`) in a trace.

How many sequences are left at each step is data, and decides the sizes of what follows, so that torch.export cannot
follow it. Here it is held as it is with the example inputs: found by running the network once, and written into ops of
our own (`pruning.graph.packed_ops`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import _VF, Tensor, nn

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.graph.packed_ops import LAYERS, lengths, pack_padded, pad_packed

Steps = tuple[int, ...]
"""How many sequences are left at each step of a packed one, descending."""


class LengthsNeeded(InputError):
    """A network packs sequences of which nobody knows the lengths."""


class BatchSizes(tuple[int, ...]):
    """Stands for the tensor `batch_sizes` of a packed sequence while a network is traced."""

    device = torch.device("cpu")

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self),))

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def tolist(self) -> list[int]:
        return list(self)


@torch.no_grad()
def steps_of(model: nn.Module, inputs: Inputs, training: bool) -> tuple[Steps, ...]:
    """The steps of each sequence that a network packs, in that order, with these inputs; a copy of it runs."""
    found: list[Steps] = []
    usual = _VF._pack_padded_sequence

    def watched(*args: Any) -> Any:
        data, sizes = usual(*args)
        found.append(tuple(sizes.tolist()))
        return data, sizes

    with _replaced("_pack_padded_sequence", watched):
        inputs.call(clone(model).train(training))
    return tuple(found)


@contextlib.contextmanager
def packing(known: Sequence[Steps]) -> Iterator[None]:
    """Inside, sequences that are packed have these steps, one after the other.

    Raises:
        LengthsNeeded: inside, where the network packs more than are known.
    """
    left = list(known)
    unpack = _VF._pad_packed_sequence

    def packed(data: Tensor, given: Tensor, batch_first: bool) -> tuple[Tensor, BatchSizes]:
        if not left:
            raise LengthsNeeded("This network packs another number of sequences than before.")
        steps = left.pop(0)
        return pack_padded(data, list(steps), batch_first), BatchSizes(steps)

    def padded(data: Tensor, steps: Any, *options: Any) -> tuple[Tensor, Tensor]:
        if not isinstance(steps, BatchSizes):
            return unpack(data, steps, *options)
        return pad_packed(data, list(steps), *options), torch.tensor(lengths(steps))

    with contextlib.ExitStack() as stack:
        stack.enter_context(_replaced("as_tensor", _of_numbers(torch.as_tensor), torch))
        stack.enter_context(_replaced("_pack_padded_sequence", packed))
        stack.enter_context(_replaced("_pad_packed_sequence", padded))
        for name, op in LAYERS.items():
            usual = name.removeprefix("packed_")
            stack.enter_context(_replaced(usual, _either(getattr(_VF, usual), op)))
        yield


def _either(usual: Callable[..., Any], op: Callable[..., Any]) -> Callable[..., Any]:
    """A recurrent layer of torch, or ours where what it gets is packed."""

    def run(*args: Any) -> Any:
        if not isinstance(args[1], BatchSizes):
            return usual(*args)
        data, steps, state, weights, *options = args
        return op(data, list(steps), list(state) if isinstance(state, tuple | list) else [state], weights, *options)

    return run


def _of_numbers(usual: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.as_tensor` that also takes numbers nobody knows while tracing, as `lengths.tolist()` gives them."""

    def run(data: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(data, list | tuple) and any(isinstance(number, torch.SymInt) for number in data):
            return torch.stack([torch.scalar_tensor(number, dtype=torch.int64) for number in data])
        return usual(data, *args, **kwargs)

    return run


@contextlib.contextmanager
def _replaced(name: str, function: Callable[..., Any], home: Any = _VF) -> Iterator[None]:
    """A function in place of torch's own, which its modules look up by name, for this thread."""
    here, usual, before = threading.get_ident(), getattr(home, name), vars(home).get(name)

    def run(*args: Any, **kwargs: Any) -> Any:
        return (function if threading.get_ident() == here else usual)(*args, **kwargs)

    setattr(home, name, run)
    try:
        yield
    finally:
        if before is None:
            delattr(home, name)
        else:
            setattr(home, name, before)
