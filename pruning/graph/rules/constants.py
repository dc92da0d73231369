"""Calls that make a constant, such as `torch.zeros(x.shape[1])`."""

from __future__ import annotations

from pruning.graph.labels import Value, along
from pruning.graph.rules.call import Call, Result


def made(call: Call) -> Result:
    """Fresh labels along every dimension but the batch: its sizes may follow those of others, which a trial shows."""
    shape = call.shape
    wide = [dim for dim, size in enumerate(shape) if size > 1 and not (dim == 0 and size == call.walk.trace.batch)]
    return Value(shape, tuple(along(call.labels.fresh(shape[dim]), dim, len(shape)) for dim in wide))
