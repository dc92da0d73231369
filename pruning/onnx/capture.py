"""A network's data flow as the ONNX exporter takes it, for a batch of any size or for one size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, ShapesCollection
from torch.fx.experimental import _config as symbolic

from pruning.base.clone import twin
from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.graph.leftovers import cleared
from pruning.graph.outputs import output_tensors
from pruning.graph.plain_attention import plain_attention
from pruning.graph.trace import ALONE
from pruning.onnx.failures import not_captured
from pruning.onnx.silence import silence

TRACED_BATCH = 2
"""Samples with which the network runs, at least: torch.export takes a batch of one for a fixed size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Captured:
    """What torch.export makes of a network."""

    program: ExportedProgram
    outputs: int
    """Tensors that the network gives."""


@contextlib.contextmanager
def captured(model: nn.Module, inputs: Inputs, batch: int | None) -> Iterator[Captured]:
    """The data flow of `model` in eval mode and float32, which is left as it was; the program is of use inside only.
    `batch`: the number of samples that it is for; None: any. One thread at a time, and nothing is printed.

    Raises:
        InputError: torch.export cannot follow the network, with the place in its code.
    """
    with ALONE, silence():
        copy = twin(model).float().eval()
        with cleared(copy), plain_attention(), torch.no_grad():
            found = _program(copy, inputs.cast(torch.float32), batch)
            yield found


def _program(copy: nn.Module, inputs: Inputs, batch: int | None) -> Captured:
    kinds: list[torch.dtype] = []

    def flat(module: nn.Module, args: object, output: object) -> tuple[Tensor, ...]:
        found = tuple(output_tensors(output))
        kinds[:] = [tensor.dtype for tensor in found]
        return found

    hook = copy.register_forward_hook(flat)
    own = inputs.resized(max(TRACED_BATCH, inputs.batch) if batch is None else batch).cloned()
    try:
        with symbolic.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]  # a batch of one is like any other
            program = torch.export.export(
                copy,
                own.args,
                dict(own.kwargs or {}),
                dynamic_shapes=_any_batch(copy, own) if batch is None else None,
                strict=False,
            )
    except Exception as error:
        raise not_captured(error, batch) from error
    finally:
        hook.remove()
    if not kinds:
        raise InputError("This network gives no tensor, so there is nothing to write: let forward return one.")
    if any(kind.is_complex for kind in kinds):
        raise InputError("This network gives complex numbers, which ONNX lacks: let forward return torch.view_as_real.")
    return Captured(program=program, outputs=len(kinds))


def _any_batch(copy: nn.Module, inputs: Inputs) -> object:
    shapes = ShapesCollection()
    for tensor, dim in zip(inputs.tensors, inputs.dims, strict=True):
        if dim is not None:
            shapes[tensor] = {dim: Dim.DYNAMIC}
    return shapes.dynamic_shapes(copy, inputs.args, dict(inputs.kwargs or {}))
