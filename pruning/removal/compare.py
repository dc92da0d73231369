"""The masked network beside the smaller one, call by call, in float64: traced, or as it runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.utils import _pytree as pytree

from pruning.base.clone import clone
from pruning.base.errors import RemovalError
from pruning.base.time_limit import OutOfTime, check_time
from pruning.graph.doubles import float64_by_default, model_in_double
from pruning.graph.inputs import Inputs
from pruning.graph.ops import Op, is_real, of
from pruning.graph.outputs import output_tensors, returned
from pruning.graph.rules.call import Walk
from pruning.graph.trace import Trace, by_name, op_of, place
from pruning.removal.calls import showing_calls
from pruning.removal.reference import AllDouble, Masking, Step, run

TOLERANCE = 1e-9
"""Largest difference relative to the largest value compared."""


@float64_by_default()
def compare_traced(
    dense: Walk,
    traced: Trace,
    tensors: dict[str, Tensor],
    fewer: dict[str, Tensor],
    inputs: Inputs,
    gone: Tensor,
    outputs: list[Tensor],
) -> float | str:
    """Largest relative difference at any consumer's input and at the output; a sentence where it is too large. What
    the masked model gives goes into `outputs`."""
    mask = Masking(dense, gone)
    worst = 0.0
    runs = (run(dense.trace, tensors, inputs, mask), run(traced, fewer, inputs))
    steps = zip(*(_real(each) for each in runs), strict=False)
    try:
        for (node, result, operands), (other, small, smaller) in steps:
            check_time(f"proving the removal for {inputs.batch} samples")
            if op_of(node) != op_of(other):
                return f"Removal is not exact: after removal the code takes another way at {place(node)}. {NOT_GIVEN}"
            if node.op == "output":
                pairs = list(zip(returned(node), result, small, strict=True))
                outputs += [tensor for tensor in result if isinstance(tensor, Tensor)]
            elif of(node).consumer and node in dense.alive:
                pairs = list(zip(node.all_input_nodes, operands, smaller, strict=True))
            else:
                continue
            for source, wanted, got in pairs:
                if has_numbers(wanted):
                    distance = relative(mask.survivors(source, wanted), got)
                    if distance > TOLERANCE:
                        where = "the output" if node.op == "output" else place(node)
                        return _differs(where, distance)
                    worst = max(worst, distance)
    except RuntimeError as error:
        return f"Removal cannot be proven: {str(error).strip().splitlines()[0]}. {NOT_GIVEN}"
    return worst


@float64_by_default()
def given(dense: Walk, tensors: dict[str, Tensor], inputs: Inputs) -> list[Tensor]:
    """What a traced network gives, with all its units."""
    result: list[Any] = []
    for node, found, _ in run(dense.trace, tensors, inputs):
        result = found if node.op == "output" else []
    return [tensor for tensor in result if has_numbers(tensor)]


def _differs(where: str, distance: float) -> str:
    return (
        f"Removal is not exact: at {where} the smaller network differs from the masked one by a relative "
        f"{distance:.1e}. {NOT_GIVEN}"
    )


NOT_GIVEN = "It is not handed out; pruning fewer layers, by name, may avoid the place."


def _real(steps: Iterator[Step]) -> Iterator[Step]:
    return (step for step in steps if step[0].op == "output" or is_real(step[0]))


class _Stop(BaseException):
    """Ends a run that has shown enough; no Exception, which the network's own code might catch."""


@float64_by_default()
def compare_running(
    dense: Walk,
    small: nn.Module,
    tensors: dict[str, Tensor],
    inputs: Inputs,
    gone: Tensor,
    outputs: list[Tensor],
) -> float | str | None:
    """As `compare_traced`, with the smaller network (`as_compared`) as it runs: no trace of it is needed. None where
    its consumers are not those of the graph, so that only a trace can tell what is wrong.

    A call whose result nobody uses is in no graph: what is no call of the next consumer's op is taken for such a one.
    """
    mask = Masking(dense, gone)
    steps = _consumers(dense, run(dense.trace, tensors, inputs, mask))
    now = _Place(step=next(steps))

    def seen(op: Op, arguments: dict[str, Any]) -> None:
        node, _, operands = now.step
        if not op.consumer or node.op == "output" or of(node) is not op:
            return
        check_time(f"proving the removal for {inputs.batch} samples")
        mine = pytree.tree_leaves(by_name(node.target, node.args, node.kwargs))
        theirs = pytree.tree_leaves(arguments)
        if len(mine) != len(theirs):
            raise _Stop
        wanted = dict(zip(node.all_input_nodes, operands, strict=True))
        for source, got in zip(mine, theirs, strict=True):
            if isinstance(source, Node):
                now.compare(mask, source, wanted[source], got, place(node))
        with torch.no_grad():
            now.step = next(steps)

    try:
        with torch.no_grad(), showing_calls(seen):
            got = output_tensors(inputs.call(small))
    except _Stop:
        return now.difference
    except OutOfTime:
        raise
    except Exception:  # a trace tells where
        return None
    node, result, _ = now.step
    if node.op != "output":
        return None
    wanted = [tensor for tensor in result if isinstance(tensor, Tensor)]
    if len(wanted) != len(got):
        return None
    try:
        for expected, actual in zip(wanted, got, strict=True):
            now.compare(mask, None, expected, actual, "the output")
    except _Stop:
        return now.difference
    outputs += wanted
    return now.worst


def _consumers(dense: Walk, steps: Iterator[Step]) -> Iterator[Step]:
    return (step for step in steps if step[0].op == "output" or (of(step[0]).consumer and step[0] in dense.alive))


@torch.no_grad()
def as_compared(small: nn.Module, gains: dict[str, Tensor]) -> nn.Module:
    """A copy in float64, with the gains that follow as they are there, not rounded to their own type."""
    network = model_in_double(clone(small))
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, gain in gains.items():
        tensors[name].copy_(gain)
    return network


class _Place:
    """How far a comparison has come."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.worst = 0.0
        self.difference: str | None = None

    def compare(self, mask: Masking, source: Node | None, wanted: Any, got: Any, where: str) -> None:
        """Raise _Stop where two values differ by more than rounding explains."""
        if not has_numbers(wanted):
            return
        distance = relative(wanted if source is None else mask.survivors(source, wanted), got)
        if distance > TOLERANCE:
            self.difference = _differs(where, distance)
            raise _Stop
        self.worst = max(self.worst, distance)


@float64_by_default()
def compare_module(small: nn.Module, inputs: Inputs, outputs: list[Any]) -> float:
    """The removed module itself (`as_compared`), run as a user would, against what the masked model gives."""
    check_time("running the smaller network")
    try:
        with AllDouble():
            got = output_tensors(inputs.call(small))
    except Exception as error:
        raise RemovalError(f"The smaller network does not run ({error}). {NOT_GIVEN}") from error
    wanted = [tensor for tensor in outputs if isinstance(tensor, Tensor)]
    worst = 0.0 if len(wanted) == len(got) else float("inf")
    for expected, actual in zip(wanted, got, strict=False):
        if has_numbers(expected):
            worst = max(worst, relative(expected, actual))
    if worst > TOLERANCE or not wanted:
        raise RemovalError(_differs("the output", worst))
    return worst


def has_numbers(value: Any) -> bool:
    """Whether a value is a tensor of real or complex numbers."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())


def relative(wanted: Tensor, got: Any) -> float:
    if not isinstance(got, Tensor) or wanted.shape != got.shape:
        return float("inf")
    if not wanted.numel():
        return 0.0
    apart = float(torch.linalg.vector_norm(wanted - got, torch.inf))
    if not math.isfinite(apart):  # infinite or no number: where both are, that is no difference
        finite = wanted.isfinite()
        if not bool((finite == got.isfinite()).all()):
            return float("inf")
        wanted, got = (torch.where(finite, side, 0.0) for side in (wanted, got))
        apart = float(torch.linalg.vector_norm(wanted - got, torch.inf))
    if apart == 0:
        return 0.0
    scale = max(float(wanted.abs().max()), float(got.abs().max()), 1e-300)
    return apart / scale
