"""From a model to its data flow: `torch.export`, with every node tied to the layer and source line it came from."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import re
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.fx.proxy import TracerBase

from pruning.clone import twin
from pruning.errors import InputError, first_line
from pruning.graph.inputs import Inputs

TORCH_FOLDER = str(Path(torch.__file__).parent) + "/"
MODULE_FILE = TORCH_FOLDER + "nn/modules/module.py"
OWN_FOLDER = str(Path(__file__).parent) + "/"
CHATTER = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes", "torch.export")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """The exported data flow of a model for one batch size."""

    nodes: tuple[Node, ...]
    """ATen calls in the order they run, then the output node."""
    tensors: dict[str, str]
    """Placeholder name → parameter or buffer name."""
    constants: dict[str, Tensor]
    """Placeholder name → constant tensor that the code makes."""
    batch: int


class TraceError(InputError):
    """torch.export cannot follow the model; `lines` are the source lines outside torch, innermost last."""

    def __init__(self, message: str, lines: tuple[str, ...]) -> None:
        super().__init__(message)
        self.lines = lines


def trace(model: nn.Module, inputs: Inputs, *, training: bool = False) -> Trace:
    """Export the data flow of `model` in eval (or train) mode. A twin of the model runs: the model is left as it was.

    Raises:
        TraceError: torch.export cannot follow the model, with its reason.
        InputError: the model cannot be copied.
    """
    copy = twin(model)
    try:
        with _quiet(), torch.no_grad():
            copy.train(training)
            program = torch.export.export(copy, inputs.args, dict(inputs.kwargs or {}), strict=False)
    except Exception as error:
        raise _untraceable(error) from error
    finally:
        for module in copy.modules():  # torch's tracer and the copy hold each other: let the weights go at once
            module._parameters.clear()
            module._buffers.clear()
    signature = program.graph_signature
    named = {**program.constants, **dict(program.named_buffers())}
    constants = {k: named[v] for k, v in signature.inputs_to_lifted_tensor_constants.items() if v in named}
    first = {}  # a tensor that several modules hold goes by the first of its names
    for name, tensor in (*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)):
        first.setdefault(id(tensor), name)
    whole = {
        **dict(model.named_parameters(remove_duplicate=False)),
        **dict(model.named_buffers(remove_duplicate=False)),
    }
    tensors = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    tensors = {key: first[id(whole[name])] if name in whole else name for key, name in tensors.items()}
    nodes = tuple(node for node in program.graph.nodes if node.op in ("call_function", "output", "placeholder"))
    return Trace(nodes=nodes, tensors=tensors, constants=constants, batch=inputs.batch)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, attention through its plain operations instead of the fused fast path, and for each call the whole
    way through the user's code (torch keeps only the frames of `forward` methods)."""
    chatter = [logging.getLogger(name) for name in CHATTER]
    levels = [logger.level for logger in chatter]
    for logger in chatter:
        logger.setLevel(logging.CRITICAL)  # they print every failed call; ours become one sentence
    fast, keep = torch.backends.mha.get_fastpath_enabled(), TracerBase._filter_traceback_frames
    torch.backends.mha.set_fastpath_enabled(False)
    TracerBase._filter_traceback_frames = _users_frames  # type: ignore[method-assign]
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # export prints failed graphs
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(chatter, levels, strict=True):
            logger.setLevel(level)
        torch.backends.mha.set_fastpath_enabled(fast)
        TracerBase._filter_traceback_frames = keep  # type: ignore[method-assign]


def _users_frames(_: TracerBase, summary: traceback.StackSummary) -> traceback.StackSummary:
    return traceback.StackSummary.from_list(_outside_torch(summary)[-1:])


def _outside_torch(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """The frames of the model's own code: after the first call of a module, and not in torch."""
    entered = next((i for i, frame in enumerate(frames) if frame.filename == MODULE_FILE), len(frames))
    return [frame for frame in frames[entered:] if not frame.filename.startswith((TORCH_FOLDER, OWN_FOLDER, "<"))]


def _untraceable(error: Exception) -> TraceError:
    frames = traceback.extract_tb(error.__traceback__)
    outside = _outside_torch(frames)
    lines = tuple(f"{frame.filename}:{frame.lineno}" for frame in outside)
    at = f" at {Path(outside[-1].filename).name}:{outside[-1].lineno} (`{outside[-1].line}`)" if outside else ""
    return TraceError(
        f"This network cannot be traced{at}: {type(error).__name__}: {first_line(error, 300)}. Its forward must not "
        "depend on the values of the data: change that part, or remove channels from a submodule without it.",
        lines,
    )


def op_of(node: Node) -> str:
    """Short name of a call, without namespace and overload: 'conv2d'."""
    return _op_name(str(node.target))


@lru_cache(maxsize=4096)
def _op_name(target: str) -> str:
    if target == "<built-in function getitem>":
        return "getitem"
    return target.removeprefix("aten.").split(".")[0]


def is_real(node: Node) -> bool:
    """Whether a call computes something; calls that do not may be there or not, as sizes are 1 or more."""
    return node.op == "call_function" and not op_of(node).startswith(
        ("contiguous", "_assert", "sym_", "alias", "detach")
    )


def module_path(node: Node) -> str:
    """Dotted name of the innermost module whose forward made this call; '' is the model itself."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(next(reversed(stack.values()))[0]).partition("@")[0] if stack else ""


@lru_cache(maxsize=65536)
def _last_line(stack_trace: str) -> str:
    lines = re.findall(r'File "([^"]+)", line (\d+)', stack_trace)
    outside = [(file, line) for file, line in lines if not file.startswith(TORCH_FOLDER) and not file.startswith("<")]
    return f"{outside[-1][0]}:{outside[-1][1]}" if outside else ""


def line_of(node: Node) -> str:
    """'file:line' of the last frame outside torch that a call came from; '' where unknown."""
    return _last_line(node.meta.get("stack_trace") or "")


def place(node: Node) -> str:
    """Where a call stands, in words: op, module, and the last source line outside torch."""
    line = line_of(node)
    source = f", {Path(line).name}" if line else ""
    return f"{op_of(node)} in {module_path(node) or 'the model itself'}{source}"


def shape_of(node: Node) -> tuple[int, ...]:
    """Shape of a node's value."""
    return tuple(int(size) for size in node.meta["val"].shape)


def positions(shape: tuple[int, ...], channel_dim: int, batch: int) -> int:
    """Output positions of one sample: how often each weight of a layer is used."""
    return math.prod(size for dim, size in enumerate(shape) if dim != channel_dim) // batch
