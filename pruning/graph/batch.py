"""Which dimensions of the example inputs are the batch, found by trying another size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.fx import Node

from pruning.graph.inputs import Inputs
from pruning.graph.trace import Trace, TraceError, shape_of

Tracer = Callable[[nn.Module, Inputs], list[Trace]]


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherSize:
    """The data flow at another batch size, or why there is none."""

    inputs: Inputs
    """With another batch; as they were where there is no other."""
    traces: tuple[Trace, ...] = ()
    reason: str | None = None
    """Why the batch cannot be another."""


def at_another_size(
    model: nn.Module, inputs: Inputs, batch: int, tracer: Tracer, own: Trace | None = None
) -> OtherSize:
    """The model's traces for `batch` samples: of the dimensions that are said or guessed, or else of the first other
    guess with which its code runs.

    `own`: its trace for `inputs`. Then a guess that changes several dimensions of an output is none, since the code
    runs but what it was given is no batch; and one that changes no output (a length over which the network sums) is
    taken only where no other changes one.
    """
    if inputs.said and not inputs.has_batch:
        return OtherSize(inputs=inputs, reason="none of its inputs has a batch")
    first: TraceError | None = None
    unchanged: OtherSize | None = None
    tried: set[tuple[int | None, ...]] = set()
    for guess in (inputs,) if inputs.said else (inputs, *inputs.guesses()):
        if guess.dims in tried or (inputs.batch == 1 != guess.batch):  # what has one sample is no batch of several
            continue
        tried.add(guess.dims)
        resized = guess.resized(guess.batch + batch - inputs.batch)
        try:
            traces = tuple(tracer(model, resized))
        except TraceError as error:
            first = first or error
            continue
        found = OtherSize(inputs=resized, traces=traces)
        changes = 1 if inputs.said or own is None else _changes(own, traces[0])
        if changes == 1:
            return found
        unchanged = unchanged or (found if changes == 0 else None)
    if unchanged is not None:
        return unchanged
    if first is None:
        return OtherSize(inputs=inputs, reason="no dimension of its inputs is one of its outputs")
    at = f" at {first.lines[-1].rpartition('/')[2]}" if first.lines else ""
    return OtherSize(inputs=inputs, reason=f"its code runs with this one alone (another stops it{at})")


def _changes(one: Trace, other: Trace) -> int:
    """Of how many dimensions the length is another in the second trace, in the output where most are."""
    pairs = zip(*(t.nodes[-1].all_input_nodes for t in (one, other)), strict=False)
    shapes = [tuple(shape_of(node) for node in pair) for pair in pairs if all(_is_tensor(node) for node in pair)]
    return max((sum(a != b for a, b in zip(mine, others, strict=False)) for mine, others in shapes), default=0)


def _is_tensor(node: Node) -> bool:
    return isinstance(node.meta.get("val"), Tensor)
