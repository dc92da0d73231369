"""Proof of a removal: the removed model is compared with the masked one, in float64, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.base.errors import RemovalError
from pruning.base.hooks import untouched
from pruning.base.time_limit import check_time
from pruning.graph.batch import at_another_size
from pruning.graph.doubles import float64_by_default
from pruning.graph.inputs import Inputs, output_tensors
from pruning.graph.model_graph import ModelGraph, label_model
from pruning.graph.ops import is_real, of
from pruning.graph.rules.call import Walk
from pruning.graph.trace import ALONE, Trace, TraceError, op_of, place, trace
from pruning.planning.plan import Plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.reference import AllDouble, Masking, Step, run
from pruning.removal.slim import prepared

TOLERANCE = 1e-9
"""Largest difference relative to the largest value compared."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of a proof."""

    status: Literal["exact", "not_comparable", "refused"]
    max_error: float | None
    """Largest relative difference met at any consumer's input or at the output."""
    reference: str
    """What the removed model was compared with."""
    reason: str | None = None
    batches: tuple[int, ...] = ()
    """Batch sizes of the inputs that were compared; twice the same where the network takes no other."""


REFERENCE = "masked model in float64, at every consumer's input and at the output, for "


@torch.no_grad()
def check_removal(model: nn.Module, removed: nn.Module, graph: ModelGraph, plan: Plan) -> Check:
    """Compare a removed model with the masked one on random inputs.

    A negative control, the same plan with each group's removed units shifted by one, must differ: otherwise the
    comparison could not have seen a mistake.

    Raises:
        RemovalError: they differ, or the removed model does not run; the first call that differs is named.
    """
    with ALONE, untouched(model), untouched(removed):
        return _checked(model, removed, graph, plan)


def _checked(model: nn.Module, removed: nn.Module, graph: ModelGraph, plan: Plan) -> Check:
    gone = graph.removed(plan.kept)
    subject, small = prepared(model), prepared(removed)
    tensors, fewer = _tensors(model), _tensors(removed)
    small_traces: dict[tuple[int, int], Trace] = {}
    worst, first = 0.0, None
    sizes, reference = _sizes(subject, graph, gone)
    batches = tuple(size.inputs.batch for size in sizes)
    for size in sizes:
        inputs = size.inputs.random(size.inputs.batch, torch.float64, seed=size.seed)
        for number, dense in enumerate(size.walks):
            training = number == 1
            traced = small_traces.get((size.inputs.batch, number)) or _trace_small(small, size.inputs, training)
            small_traces[size.inputs.batch, number] = traced
            first = first or traced
            wanted: list[Any] = []
            difference = _compare(dense, traced, tensors, fewer, inputs, size.gone, wanted)
            if isinstance(difference, str):
                raise RemovalError(difference)
            worst = max(worst, difference)
            if not training:
                worst = max(worst, _compare_module(removed, inputs, wanted))
            floats = [t for t in wanted if isinstance(t, Tensor) and t.is_floating_point()]
            if floats and not any(bool(t.isfinite().any()) for t in floats):
                reason = "no number of the output is finite"
                return Check(
                    status="not_comparable", max_error=None, reference=reference, batches=batches, reason=reason
                )
    shifted = _shifted(graph, plan)
    if shifted is not None and first is not None:
        inputs = graph.inputs.random(graph.inputs.batch, torch.float64, seed=0)
        if not isinstance(_compare(graph.walks[0], first, tensors, fewer, inputs, graph.removed(shifted), []), str):
            return Check(
                status="not_comparable",
                max_error=worst,
                reference=reference,
                batches=batches,
                reason="removing other units gives the same values everywhere, so equality proves nothing here",
            )
    drawn = next((node for node in graph.trace.nodes if node in graph.walks[0].alive and of(node).random), None)
    if drawn is not None:
        return Check(
            status="not_comparable",
            max_error=worst,
            reference=reference,
            batches=batches,
            reason=f"{place(drawn)} draws random numbers; with constants in their place both networks are equal",
        )
    return Check(status="exact", max_error=worst, reference=reference, batches=batches)


def prove(model: nn.Module, graph: ModelGraph, plan: Plan) -> tuple[nn.Module, Check]:
    """The removed model and its proof.

    Raises:
        RemovalError: the proof failed; no model is handed out.
    """
    removed = removed_model(model, graph, plan)
    return removed, check_removal(model, removed, graph, plan)


def carry_out(model: nn.Module, graph: ModelGraph, plan: Plan) -> tuple[nn.Module, Check]:
    """A copy of the model with a plan carried out, and the proof: as `prove` for channels, as `check_zeros` for
    single weights.

    Raises:
        RemovalError: the proof failed; no model is handed out.
    """
    if not plan.masks:
        return prove(model, graph, plan)
    masked = masked_model(model, graph, plan)
    return masked, check_zeros(masked, plan)


def check_zeros(model: nn.Module, plan: Plan) -> Check:
    """A weight plan is kept if every weight that it removes is exactly zero in the model.

    Raises:
        RemovalError: one is not.
    """
    tensors = dict(model.named_parameters())
    for name, mask in plan.masks.items():
        back = int(torch.count_nonzero(tensors[name].detach()[~mask]))
        if back:
            raise RemovalError(f"{back:,} pruned weights of {name} are not zero, so the network is not handed out.")
    return Check(status="exact", max_error=0.0, reference="every pruned weight is zero in the final model")


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}


def _trace_small(small: nn.Module, inputs: Inputs, training: bool) -> Trace:
    try:
        return trace(small, inputs, training=training)
    except TraceError as error:
        raise RemovalError(
            f"The smaller network does not run ({error}), so it is not handed out: its code fixes a size that removal "
            "changes."
        ) from error


@dataclass(frozen=True, kw_only=True, eq=False)
class _Size:
    """Inputs of one batch size, and the dense network labelled for it."""

    inputs: Inputs
    seed: int
    walks: tuple[Walk, ...]
    gone: Tensor
    """bool for every label: whether it is removed."""


def _sizes(model: nn.Module, graph: ModelGraph, gone: Tensor) -> tuple[tuple[_Size, _Size], str]:
    """Two batch sizes to compare at, or two inputs of the one that the network takes; and that in words."""
    batch = graph.inputs.batch
    own = _Size(inputs=graph.inputs, seed=batch, walks=graph.walks, gone=gone)
    other = graph.other_size or at_another_size(model, graph.inputs, batch + 1, partial(_all_modes, len(graph.walks)))
    if other.reason is not None:
        words = f"two inputs of one batch size, {batch}, since {other.reason}"
        return (own, replace(own, seed=batch + 1)), REFERENCE + words
    again = label_model(model, other.inputs, list(other.traces), graph.lessons)
    removed = torch.zeros(int(again.component.max()) + 1, dtype=torch.bool)
    for key, labels in again.labels.own.items():
        removed[again.component[labels[gone[graph.labels.own[key]]]]] = True
    size = _Size(inputs=other.inputs, seed=batch + 1, walks=again.walks, gone=removed[again.component])
    return (own, size), f"{REFERENCE}two batch sizes"


def _all_modes(count: int, model: nn.Module, inputs: Inputs) -> list[Trace]:
    """In eval mode, and in train mode where the graph has both."""
    return [trace(model, inputs, training=number == 1) for number in range(count)]


@float64_by_default()
def _compare(
    dense: Walk,
    traced: Trace,
    tensors: dict[str, Tensor],
    fewer: dict[str, Tensor],
    inputs: Inputs,
    gone: Tensor,
    outputs: list[Any],
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
                pairs = list(zip(node.all_input_nodes, result, small, strict=True))
                outputs += result
            elif of(node).consumer and node in dense.alive:
                pairs = list(zip(node.all_input_nodes, operands, smaller, strict=True))
            else:
                continue
            for source, wanted, got in pairs:
                if isinstance(wanted, Tensor) and wanted.is_floating_point():
                    distance = _relative(mask.survivors(source, wanted), got)
                    if distance > TOLERANCE:
                        where = "the output" if node.op == "output" else place(node)
                        return (
                            f"Removal is not exact: at {where} the smaller network differs from the masked one by a "
                            f"relative {distance:.1e}. {NOT_GIVEN}"
                        )
                    worst = max(worst, distance)
    except RuntimeError as error:
        return f"Removal cannot be proven: {str(error).strip().splitlines()[0]}. {NOT_GIVEN}"
    return worst


NOT_GIVEN = "It is not handed out; pruning fewer layers, by name, may avoid the place."


def _real(steps: Iterator[Step]) -> Iterator[Step]:
    return (step for step in steps if step[0].op == "output" or is_real(step[0]))


@float64_by_default()
def _compare_module(removed: nn.Module, inputs: Inputs, outputs: list[Any]) -> float:
    """The removed module itself, run as a user would, against what the masked model gives."""
    check_time("running the smaller network")
    small = clone(removed).double()
    small.eval()
    try:
        with AllDouble():
            got = output_tensors(inputs.call(small))
    except Exception as error:
        raise RemovalError(f"The smaller network does not run ({error}). {NOT_GIVEN}") from error
    wanted = [tensor for tensor in outputs if isinstance(tensor, Tensor)]
    worst = 0.0
    for expected, actual in zip(wanted, got, strict=False):
        if expected.is_floating_point():
            worst = max(worst, _relative(expected, actual))
    if worst > TOLERANCE or not wanted:
        raise RemovalError(
            f"Removal is not exact: at the output the smaller network differs from the masked one by a relative "
            f"{worst:.1e}. {NOT_GIVEN}"
        )
    return worst


def _relative(wanted: Tensor, got: Any) -> float:
    if not isinstance(got, Tensor) or wanted.shape != got.shape:
        return float("inf")
    if not wanted.numel():
        return 0.0
    finite = wanted.isfinite()
    if not bool((finite == got.isfinite()).all()):
        return float("inf")
    wanted, got = (torch.where(finite, side, 0.0) for side in (wanted, got))
    scale = max(float(wanted.abs().max()), float(got.abs().max()), 1e-300)
    return float((wanted - got).abs().max()) / scale


def _shifted(graph: ModelGraph, plan: Plan) -> dict[str, tuple[int, ...]] | None:
    """The same plan with each group's kept units moved on by one; None where no group loses a unit."""
    kept = {}
    changed = False
    for group in graph.groups:
        units = plan.kept.get(group.name, tuple(range(group.units)))
        kept[group.name] = tuple(sorted((unit + 1) % group.units for unit in units))
        changed |= set(kept[group.name]) != set(units)
    return kept if changed else None
