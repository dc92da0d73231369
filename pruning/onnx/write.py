"""A network as an ONNX file, by torch's exporter: float32, eval mode, plain names, for a batch of any size."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pruning.base.errors import InputError, StorageError
from pruning.base.extras import need
from pruning.base.words import size
from pruning.graph.inputs import Inputs
from pruning.onnx.capture import captured
from pruning.onnx.failures import not_translated

OPSET = 18
"""The one that torch's exporter has its translations for: another would be converted from it."""
LARGEST = 1_900_000_000
"""Bytes of weights: a protobuf file ends at 2 GiB."""
BATCH = "batch"
"""Name of the dimension that any number of samples goes along."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """An ONNX file."""

    path: Path
    opset: int
    inputs: tuple[str, ...]
    """Names, in the order of `Inputs.tensors`: 'input', or 'input_1' and so on where there are several."""
    outputs: tuple[str, ...]
    """Names, in the order of `output_tensors`: 'output', or 'output_1' and so on."""
    batch: int | None
    """How many samples it takes; None: any number."""
    bytes: int


def write_onnx(model: nn.Module, inputs: Inputs, path: Path, *, batch: int | None = None) -> Written:
    """Write `model`, which is not changed, into one file, whole or not at all. `batch`: the number of samples that it
    is for; None: any. Batch norm that follows a layer may be folded into it, so measure its statistics before.

    Raises:
        InputError: the packages of the extra `export` are not here, a part of the network has no counterpart in ONNX
            (which operation, in which module and line), or its weights do not fit into one file.
        StorageError: the file cannot be written.
    """
    need("export", "An ONNX file")
    held = sum(tensor.numel() * 4 for tensor in (*model.parameters(), *model.buffers()))
    if held > LARGEST:
        raise InputError(
            f"This network has {size(held)} of weights, and an ONNX file holds {size(LARGEST)}: take it along as "
            "safetensors."
        )
    with captured(model, inputs, batch) as found:
        names_in, names_out = _names("input", len(inputs.tensors)), _names("output", found.outputs)
        try:
            made = _translated(found.program, names_in, names_out)
        except Exception as error:
            raise not_translated(error) from error
        _save(made, path)
    return Written(path=path, opset=OPSET, inputs=names_in, outputs=names_out, batch=batch, bytes=path.stat().st_size)


def _names(word: str, count: int) -> tuple[str, ...]:
    """
    >>> _names("input", 1), _names("output", 2)
    (('input',), ('output_1', 'output_2'))
    """
    return (word,) if count == 1 else tuple(f"{word}_{number}" for number in range(1, count + 1))


def _translated(program: Any, names_in: tuple[str, ...], names_out: tuple[str, ...]) -> Any:
    import torch.onnx
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    made = torch.onnx.export(
        program,
        input_names=names_in,
        output_names=names_out,
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert made is not None, "as it is with dynamo"
    made.rename_axes(_plain_axes(made.model))
    ClearMetadataAndDocStringPass()(made.model)  # files and lines of the machine where it was made
    return made


def _plain_axes(model: Any) -> dict[Any, str]:
    """What each dimension of no fixed size is to be called: they are all the batch."""
    sizes = [size for value in model.graph.inputs for size in value.shape or ()]
    return {size.value: BATCH for size in sizes if isinstance(getattr(size, "value", None), str)}


def _save(made: Any, path: Path) -> None:
    part = path.with_name(f".{secrets.token_hex(8)}.onnx")
    try:
        made.save(part, external_data=False)
        os.replace(part, path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}): make room, or name another."
        ) from error
    finally:
        part.unlink(missing_ok=True)
