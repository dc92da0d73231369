"""Layers alone on an engine that reads ONNX files: the same calls as in PyTorch, with the same random values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.graph.trace import op_name
from pruning.latency.calls import LayerKind
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.engine import Engine
from pruning.latency.grid import Bench
from pruning.onnx.write import OPSET, Written, write_onnx

IR_VERSION = 10


class Elsewhere:
    """What takes layers and networks to another engine than PyTorch, to be timed there at many widths."""

    def __init__(self, engine: Engine, folder: Path, threads: int) -> None:
        """`folder`: for files, which are there for a moment each.

        Raises:
            InputError: the engine takes no layers alone.
        """
        if not engine.takes_layers:
            raise InputError(f"{engine.title} takes no layers alone: take another engine.")
        self.engine, self._folder, self._threads = engine, folder, threads
        self._numbers = itertools.count()

    def benches(self, kind: LayerKind) -> Bench:
        """In place of `LayerKind.benches`. The calls that are made raise InputError where the engine does not take such
        a layer."""
        plain = kind.benches()

        def bench(rows: int, columns: int) -> Callable[[], object]:
            call = plain(rows, columns)
            assert isinstance(call, partial), "as LayerKind makes it"
            inputs = Inputs.of(call.keywords["input"], batch_dims=None)
            file = layer_file(call, self._folder / f"layer-{next(self._numbers)}.onnx")
            return self._loaded(Candidate(name="layer", inputs=inputs, folder=self._folder, file=file), inputs, 1)

        return bench

    def network(self, model: nn.Module, inputs: Inputs) -> Callable[[], object]:
        """A whole network on the engine. Raises InputError where the engine does not take it."""
        file = write_onnx(model, inputs, self._folder / f"network-{next(self._numbers)}.onnx", batch=inputs.batch)
        own = Candidate(name="network", inputs=inputs, folder=self._folder, file=file)
        return self._loaded(own, inputs, inputs.batch)

    def _loaded(self, candidate: Candidate, inputs: Inputs, batch: int) -> Callable[[], object]:
        made = self.engine.load(candidate, batch, self._threads)(inputs)
        candidate.onnx(batch).path.unlink()
        return made


def layer_file(call: partial[Any], path: Path) -> Written:
    """An ONNX file of one call of a layer: a convolution, plain or transposed, or a linear layer.

    Raises:
        InputError: it is another call.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    given = call.keywords
    source, weight, bias = given["input"], given["weight"], given.get("bias")
    with torch.no_grad():
        found = call()
    held = {"weight": weight, **({} if bias is None else {"bias": bias})}
    name = op_name(call.func)
    if name == "linear":
        held["weight"] = weight.t()
        nodes = [helper.make_node("MatMul", ["input", "weight"], ["output" if bias is None else "product"])]
        nodes += [] if bias is None else [helper.make_node("Add", ["product", "bias"], ["output"])]
    elif name.startswith("conv"):
        transposed = name.startswith("conv_transpose") or bool(given.get("transposed"))
        kind, options = ("ConvTranspose" if transposed else "Conv"), dict(_options(given, weight.dim() - 2, transposed))
        nodes = [helper.make_node(kind, ["input", *held], ["output"], **options)]
    else:
        raise InputError(f"A layer that calls {name} cannot be timed alone on another engine than PyTorch.")
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, list(source.shape))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, list(found.shape))],
        [numpy_helper.from_array(tensor.contiguous().numpy(), key) for key, tensor in held.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.save(model, path)
    return Written(
        path=path,
        opset=OPSET,
        inputs=("input",),
        outputs=("output",),
        batch=len(source),
        bytes=path.stat().st_size,
    )


def _options(given: dict[str, Any], dims: int, transposed: bool) -> Iterator[tuple[str, Any]]:
    """Attributes of a convolution."""

    def spread(name: str, default: int) -> list[int]:
        value = given.get(name, default)
        values = [value] if isinstance(value, int) else list(value)
        return values * dims if len(values) == 1 else values

    yield "strides", spread("stride", 1)
    yield "dilations", spread("dilation", 1)
    yield "group", int(given.get("groups") or 1)
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        yield "auto_pad", "SAME_UPPER" if padding == "same" else "VALID"
    else:
        yield "pads", spread("padding", 0) * 2
    if transposed:
        yield "output_padding", spread("output_padding", 0)
