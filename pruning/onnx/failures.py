"""Why a network cannot be written as ONNX: the operation, its module and its line, in one sentence."""

from __future__ import annotations

import traceback
from pathlib import Path

from torch.fx import Node

from pruning.base.errors import InputError, PruningError, first_line
from pruning.graph.refusals import BRANCHES
from pruning.graph.source import outside_torch
from pruning.graph.trace import op_of, place

CANNOT = "This network cannot be written as ONNX"
OTHERWISE = "Write that part with other operations, or take the network along in one of PyTorch's own formats."


def not_captured(error: Exception, batch: int | None) -> InputError:
    """Where torch.export could not follow the network's code. `batch`: as in `captured`."""
    if isinstance(error, InputError):
        return error
    frames = outside_torch(traceback.extract_tb(error.__traceback__))
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} (`{frames[-1].line}`)" if frames else ""
    if type(error).__name__ in BRANCHES or "data-dependent" in str(error).lower():
        return InputError(
            f"{CANNOT}{at}: what it does there depends on the values of its data, and an ONNX file holds one data "
            "flow. Write it with torch.where, or take assertions on values out."
        )
    if batch is None and "onstraints violated" in str(error):
        return InputError(
            f"{CANNOT} for a batch of any size: its code fixes the number of samples. Let it take that number from "
            "its input (x.shape[0]) wherever it names it."
        )
    return InputError(f"{CANNOT}{at}: {type(error).__name__}: {first_line(error)}. {OTHERWISE}")


def not_translated(error: Exception) -> PruningError:
    """Where a call of the network has no counterpart in ONNX, or none for such arguments."""
    if isinstance(error, PruningError):
        return error
    causes = _causes(error)
    node = next((node for cause in reversed(causes) if (node := _node_at(cause)) is not None), None)
    if node is None:
        return InputError(f"{CANNOT}: {type(causes[-1]).__name__}: {first_line(causes[-1])}. {OTHERWISE}")
    if any(type(cause).__name__ == "DispatchError" for cause in causes):
        return InputError(f"{CANNOT}: it has no operation for {op_of(node)} ({place(node)}). {OTHERWISE}")
    why = f"{type(causes[-1]).__name__}: {first_line(causes[-1])}"
    return InputError(f"{CANNOT}: {op_of(node)} cannot be translated ({place(node)}): {why}. {OTHERWISE}")


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it was raised from, the innermost last."""
    found = [error]
    while found[-1].__cause__ is not None:
        found.append(found[-1].__cause__)
    return found


def _node_at(error: BaseException) -> Node | None:
    """The call that the exporter was at."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        node = frame.f_locals.get("node")
        found = node if isinstance(node, Node) else found
    return found
