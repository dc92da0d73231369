"""Proof of a removal: the removed model is compared with the masked one, in float64, call by call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from pruning.base.clone import named_tensors
from pruning.base.errors import RemovalError
from pruning.base.outside import as_given, untouched
from pruning.catalog.shrinkage import Shrinkage
from pruning.graph.again import trace_again
from pruning.graph.batch import at_another_size
from pruning.graph.inputs import Inputs
from pruning.graph.model_graph import ModelGraph, label_model
from pruning.graph.ops import of
from pruning.graph.rules.call import Walk
from pruning.graph.trace import ALONE, Trace, TraceError, place, trace
from pruning.planning.plan import Plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.compare import (
    NOT_GIVEN,
    as_compared,
    compare_module,
    compare_running,
    compare_traced,
    given,
    has_numbers,
)
from pruning.removal.drawn import draw_inputs
from pruning.removal.gains import exact_gains
from pruning.removal.hold import without_failing
from pruning.removal.next_call import another_way
from pruning.removal.shrinkage import shrinkage
from pruning.removal.slim import prepared


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
    with ALONE, untouched(model, removed):
        return _checked(model, removed, graph, plan)


def _checked(model: nn.Module, removed: nn.Module, graph: ModelGraph, plan: Plan) -> Check:
    gone = graph.removed(plan.kept)
    _check_depends(graph)
    pair = _Pair(dense=model, removed=removed, what=shrinkage(graph, plan))
    worst = 0.0
    sizes, words = _sizes(prepared(model), graph, gone)
    reference = words + _held(graph.trace)
    batches = tuple(size.inputs.batch for size in sizes)
    answers: list[list[Tensor]] = []
    drawn: list[Inputs] = []
    for size in sizes:
        inputs = draw_inputs(model, size.inputs, size.walks[0].trace.steps, size.seed)
        drawn.append(inputs)
        for number, walk in enumerate(size.walks):
            wanted: list[Tensor] = []
            again = size is sizes[-1] and number == 0
            difference = pair.difference(walk, size.inputs, inputs, size.gone, number == 1, wanted, again)
            if isinstance(difference, str):
                raise RemovalError(difference)
            worst = max(worst, difference)
            floats = [tensor for tensor in wanted if has_numbers(tensor)]
            if floats and not any(bool(tensor.isfinite().any()) for tensor in floats):
                raise RemovalError(f"{UNPROVABLE}: none of the numbers that this network gives is finite. {LOOK}")
            if number == 0:
                answers.append(floats)
    if _all_alike(*answers):
        _check_answers(pair, sizes, tuple(drawn))
    if not pair.repeats:
        why = another_way(model, pair.as_compared(), graph, plan, drawn[-1])
        if why is not None:
            raise RemovalError(f"{UNPROVABLE}: {why}. {NOT_GIVEN}")
    shifted = _shifted(graph, plan)
    if shifted is not None:
        inputs = draw_inputs(model, graph.inputs, graph.trace.steps, 0)
        if not pair.differs(graph.walks[0], graph.inputs, inputs, graph.removed(shifted)):
            raise RemovalError(f"{UNPROVABLE}: to remove other units would give the same values everywhere. {LOOK}")
    chance = next((node for node in graph.trace.nodes if node in graph.walks[0].alive and of(node).random), None)
    if chance is not None:
        return Check(
            status="not_comparable",
            max_error=worst,
            reference=reference,
            batches=batches,
            reason=f"{place(chance)} draws random numbers; with constants in their place both networks are equal",
        )
    return Check(status="exact", max_error=worst, reference=reference, batches=batches)


UNPROVABLE = "Removal cannot be proven"
LOOK = "Look at its weights and inputs, or take the result without a proof (check=False)."


def _check_depends(graph: ModelGraph) -> None:
    """Raise RemovalError where what the network gives does not come from its inputs."""
    walk = graph.walks[0]
    sources = walk.trace.nodes[-1].all_input_nodes
    if not any(source in walk.from_input for source in sources):
        raise RemovalError(f"{UNPROVABLE}: what this network gives does not depend on its inputs. {LOOK}")


def _check_answers(pair: _Pair, sizes: Sequence[_Size], drawn: Sequence[Inputs]) -> None:
    """Raise RemovalError where the network as it is, with all its units, gives the same for different inputs.

    `drawn`: the inputs of each size. Whole numbers, and what has no batch, are those of the example: where all are,
    they tell nothing.
    """
    if not drawn[0].tensors or _all_alike(*(inputs.tensors for inputs in drawn)):
        return
    answers = [given(size.walks[0], pair.tensors, inputs) for size, inputs in zip(sizes, drawn, strict=True)]
    if _all_alike(*answers):
        raise RemovalError(f"{UNPROVABLE}: this network gives the same for different inputs. {LOOK}")


def _all_alike(one: list[Tensor], other: list[Tensor]) -> bool:
    """Whether outputs for different inputs are the same, sample by sample where the batches are not as large."""
    pairs = list(zip(one, other, strict=False))
    return bool(pairs) and all(_alike(a, b) for a, b in pairs)


def _alike(one: Tensor, other: Tensor) -> bool:
    if one.dim() != other.dim():
        return False
    for dim in range(one.dim()):
        size = min(one.shape[dim], other.shape[dim])
        one, other = one.narrow(dim, 0, size), other.narrow(dim, 0, size)
    return torch.equal(one, other)


def prove(model: nn.Module, graph: ModelGraph, plan: Plan) -> tuple[nn.Module, Check]:
    """The removed model and its proof.

    Raises:
        RemovalError: the proof failed; no model is handed out. It names the layers at fault where these are found.
    """
    removed = removed_model(model, graph, plan)
    try:
        return removed, check_removal(model, removed, graph, plan)
    except RemovalError as error:
        with untouched(model, removed):
            fewer = without_failing(model, graph, plan)
        if fewer is None:
            raise
        layers = [layer for group in fewer.locked[len(graph.locked) :] for layer in group.producers]
        raise RemovalError(f"{error} Leave whole what it goes by (0 %): {', '.join(layers)}.") from error


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


def _check_rounded(tensors: dict[str, Tensor], gains: dict[str, Tensor]) -> None:
    """Gains that follow (`pruning.removal.gains`) must be what they are in float64, rounded to their own type, and are
    compared as in float64; all other tensors that are left have just the values they had.

    Raises:
        RemovalError: one is not.
    """
    for name, gain in gains.items():
        if not torch.equal(tensors[name].detach(), gain.to(tensors[name].dtype)):
            raise RemovalError(f"Removal is not exact: {name} does not give the weights that are left. {NOT_GIVEN}")


def _trace_small(small: nn.Module, inputs: Inputs, training: bool, dense: Trace) -> Trace:
    try:
        return trace(small, inputs, training=training, steps=dense.steps)
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
    other = graph.other_size or at_another_size(model, graph.inputs, batch + 1, partial(_all_modes, graph.walks))
    if other.reason is not None:
        words = f"two inputs of one batch size, {batch}, since {other.reason}"
        return (own, replace(own, seed=batch + 1)), REFERENCE + words
    again = label_model(model, other.inputs, list(other.traces), graph.lessons)
    removed = torch.zeros(int(again.component.max()) + 1, dtype=torch.bool)
    for key, labels in again.labels.own.items():
        removed[again.component[labels[gone[graph.labels.own[key]]]]] = True
    size = _Size(inputs=other.inputs, seed=batch + 1, walks=again.walks, gone=removed[again.component])
    return (own, size), f"{REFERENCE}two batch sizes"


def _held(trace: Trace) -> str:
    """What of the data the comparison holds as in the example inputs, in words."""
    held = dict.fromkeys(of(node).holds for node in trace.nodes if of(node).holds)
    return f", with {' and '.join(held)} as in the example inputs" if held else ""


def _all_modes(walks: Sequence[Walk], model: nn.Module, inputs: Inputs) -> list[Trace]:
    """In eval mode, and in train mode where the graph has both."""
    return [trace_again(model, inputs, walk.trace, training=number == 1) for number, walk in enumerate(walks)]


class _Pair:
    """A dense network and its smaller one, to be compared."""

    def __init__(self, *, dense: nn.Module, removed: nn.Module, what: Shrinkage) -> None:
        self.removed, self.small = removed, prepared(removed)
        self.tensors, self.fewer = named_tensors(dense), named_tensors(removed)
        self.gains = exact_gains(self.tensors, what)
        """Tensors of the smaller one that follow what it lost, in float64 (`pruning.removal.gains`)."""
        _check_rounded(self.fewer, self.gains)
        self.fewer |= self.gains
        self.traces: dict[tuple[int, bool], Trace] = {}
        self.repeats = True
        """Whether the smaller one gives the same once more when it is called again."""
        self.follows = False
        """Whether the calls of the smaller one, as it runs, were seen to be those of the graph."""

    def difference(
        self,
        walk: Walk,
        shape: Inputs,
        inputs: Inputs,
        gone: Tensor,
        training: bool,
        outputs: list[Tensor],
        again: bool,
    ) -> float | str:
        """Largest relative difference between the masked and the smaller network at any consumer's input and at the
        output; a sentence where it is too large. What the masked one gives goes into `outputs`.

        The smaller one is looked at as it runs; where its calls are not those that are expected, it is traced, which
        tells what is wrong. `shape`: inputs to trace with, as many samples as in `inputs`. `again`: call it once more,
        for `repeats`.
        """
        found = self._as_it_runs(walk, inputs, gone, training, outputs, again)
        if isinstance(found, float):
            self.follows = True
            if self.small is self.removed:
                return found
        else:
            outputs.clear()
            found = self._traced(walk, shape, inputs, gone, training, outputs)
        if isinstance(found, str) or training:
            return found
        return max(found, self._as_a_module(inputs, outputs, again))

    def _as_it_runs(
        self, walk: Walk, inputs: Inputs, gone: Tensor, training: bool, outputs: list[Tensor], again: bool
    ) -> float | str | None:
        small = as_compared(self.small, self.gains).train(training)
        with as_given():
            found = compare_running(walk, small, self.tensors, inputs, gone, outputs)
            if again and isinstance(found, float) and self.small is self.removed:
                self.repeats = _repeats(small, inputs, outputs)
        return found

    def _as_a_module(self, inputs: Inputs, outputs: list[Tensor], again: bool) -> float:
        small = self.as_compared()
        with as_given():
            found = compare_module(small, inputs, outputs)
            if again:
                self.repeats = _repeats(small, inputs, outputs)
        return found

    def as_compared(self) -> nn.Module:
        """The smaller network in float64, as it was before any call."""
        return as_compared(self.removed, self.gains).eval()

    def differs(self, walk: Walk, shape: Inputs, inputs: Inputs, gone: Tensor) -> bool:
        """Whether the networks differ if the masked one lacks these units."""
        small = as_compared(self.small, self.gains).eval()
        with as_given():
            found = compare_running(walk, small, self.tensors, inputs, gone, [])
        if found is None or not self.follows:
            found = self._traced(walk, shape, inputs, gone, False, [])
        return isinstance(found, str)

    def _traced(
        self, walk: Walk, shape: Inputs, inputs: Inputs, gone: Tensor, training: bool, outputs: list[Tensor]
    ) -> float | str:
        key = (inputs.batch, training)
        if key not in self.traces:
            self.traces[key] = _trace_small(self.small, shape, training, walk.trace)
        return compare_traced(walk, self.traces[key], self.tensors, self.fewer, inputs, gone, outputs)


def _repeats(small: nn.Module, inputs: Inputs, outputs: list[Tensor]) -> bool:
    """Whether a network that was called gives the same at its next call."""
    try:
        compare_module(small, inputs, outputs)
    except RemovalError:
        return False
    return True


def _shifted(graph: ModelGraph, plan: Plan) -> dict[str, tuple[int, ...]] | None:
    """The same plan with each group's kept units moved on by one; None where no group loses a unit."""
    kept = {}
    changed = False
    for group in graph.groups:
        units = plan.kept.get(group.name, tuple(range(group.units)))
        kept[group.name] = tuple(sorted((unit + 1) % group.units for unit in units))
        changed |= set(kept[group.name]) != set(units)
    return kept if changed else None
