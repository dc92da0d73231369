"""Which dimensions of the example inputs are the batch, found by trying another size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pruning.graph.inputs import Inputs
from pruning.graph.trace import Trace, TraceError

Tracer = Callable[[nn.Module, Inputs], list[Trace]]


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherSize:
    """The data flow at another batch size, or why there is none."""

    inputs: Inputs
    """With another batch; as they were where there is no other."""
    traces: tuple[Trace, ...] = ()
    reason: str | None = None
    """Why the batch cannot be another."""


def at_another_size(model: nn.Module, inputs: Inputs, batch: int, tracer: Tracer) -> OtherSize:
    """The model's traces for `batch` samples: of the dimensions that are said or guessed, or else of the first other
    guess with which its code runs."""
    if inputs.said and not inputs.has_batch:
        return OtherSize(inputs=inputs, reason="none of its inputs has a batch")
    first: TraceError | None = None
    tried: set[tuple[int | None, ...]] = set()
    for guess in (inputs,) if inputs.said else (inputs, *inputs.guesses()):
        if guess.dims in tried or (inputs.batch == 1 != guess.batch):  # what has one sample is no batch of several
            continue
        tried.add(guess.dims)
        resized = guess.resized(guess.batch + batch - inputs.batch)
        try:
            return OtherSize(inputs=resized, traces=tuple(tracer(model, resized)))
        except TraceError as error:
            first = first or error
    assert first is not None
    at = f" at {first.lines[-1].rpartition('/')[2]}" if first.lines else ""
    return OtherSize(inputs=inputs, reason=f"its code runs with this one alone (another stops it{at})")
