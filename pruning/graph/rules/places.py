"""Calls that read from or write to places by their numbers along one dimension; other dimensions go as they are."""

from __future__ import annotations

from pruning.graph.labels import Value
from pruning.graph.rules.call import Call, Result
from pruning.graph.rules.elementwise import join_all
from pruning.graph.rules.moves import dim_of


def gather(call: Call) -> Result:
    """`out[i][j] = self[index[i][j]][j]` for dim 0."""
    source, index = call.value(call["self"]), call.value(call["index"])
    return None if source is None or index is None else _met(call, [source, index], call.shape)


def scatter(call: Call) -> Result:
    """`self[index[i][j]][j] = src[i][j]` for dim 0, or sums, products, maxima of these."""
    source, index = call.value(call["self"]), call.value(call["index"])
    if source is None or index is None:
        return None
    written = call.value(call["src"])
    return _met(call, [source, index] if written is None else [source, index, written], call.shape)


def index_add(call: Call) -> Result:
    """`self[index[i]] += source[i]` for dim 0, or a copy, product or maximum of these."""
    source, added = call.value(call["self"]), call.value(call["source"])
    return None if source is None or added is None else _met(call, [source, added], call.shape)


def index_fill(call: Call) -> Result:
    """`self[index[i]] = value` for dim 0."""
    source = call.value(call["self"])
    return None if source is None else _met(call, [source], call.shape)


def _met(call: Call, operands: list[Value], shape: tuple[int, ...]) -> Value | None:
    """The result of operands that meet along all dimensions but one, along which one has numbers of places in another;
    None where they are not equally long along some other dimension."""
    dim = dim_of(call, operands[0])
    met = (*shape[:dim], 1, *shape[dim + 1 :])
    if any((*operand.shape[:dim], 1, *operand.shape[dim + 1 :]) != met for operand in operands):
        return None
    left = [Value(met, call.drop(operand, {dim}, "takes them by their numbers").layers) for operand in operands]
    return Value(shape, join_all(call, left, met).layers)
