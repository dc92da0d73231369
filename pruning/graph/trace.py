"""From a model to its data flow: `torch.export`, with every node tied to the layer and source line it came from."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.errors import InputError

TORCH_FOLDER = str(Path(torch.__file__).parent)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """The exported data flow of a model in eval mode, for one batch size."""

    nodes: tuple[Node, ...]
    """ATen calls in the order they run, then the output node."""
    tensors: dict[str, str]
    """Placeholder name → parameter or buffer name."""
    batch: int


def trace(model: nn.Module, example: Tensor) -> Trace:
    """Export the data flow of `model` for `example` (N × ..., N at least 2); the model is left as it was.

    Raises:
        InputError: torch.export cannot follow the model, with its reason.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, (example,), strict=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"This network cannot be traced for exact removal ({reason}). "
            "Its forward must not depend on the values of the data; weight pruning still works."
        ) from error
    finally:
        for module, training in modes:
            module.training = training
    signature = program.graph_signature
    tensors = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    nodes = tuple(node for node in program.graph.nodes if node.op in ("call_function", "output", "placeholder"))
    return Trace(nodes=nodes, tensors=tensors, batch=example.shape[0])


def module_path(node: Node) -> str:
    """Dotted name of the innermost module whose forward made this call; '' is the model itself."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(next(reversed(stack.values()))[0]) if stack else ""


def place(node: Node) -> str:
    """Where a call stands, in words: op, module, and the last source line outside torch."""
    op = str(node.target).removeprefix("aten.").split(".")[0]
    where = module_path(node) or "the model itself"
    lines = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    outside = [(file, line) for file, line in lines if not file.startswith(TORCH_FOLDER)]
    source = f", {Path(outside[-1][0]).name}:{outside[-1][1]}" if outside else ""
    return f"{op} in {where}{source}"


def shape_of(node: Node) -> tuple[int, ...]:
    """Shape of a node's value."""
    return tuple(int(size) for size in node.meta["val"].shape)


def macs_per_weight(node: Node, batch: int) -> int:
    """How often each weight of a convolution or linear call is used for one sample.

    MACs of the call are this times the number of weights: every output position uses every weight once.
    """
    shape = shape_of(node)
    positions = math.prod(shape[2:]) if "conv" in str(node.target) else math.prod(shape[1:-1])
    return positions * shape[0] // batch
