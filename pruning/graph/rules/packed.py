"""Packing and unpacking sequences: steps and sequences become one dimension, or two again; channels go as they are."""

from __future__ import annotations

from pruning.graph.labels import Value
from pruning.graph.rules.call import Call, Result


def pack(call: Call) -> Result:
    value = call.value(call["input"])
    if value is None:
        return None
    value = call.drop(value, {0, 1}, "packs along them")
    return Value(call.shape, tuple(layer.squeeze(0) for layer in value.layers))


def unpack(call: Call) -> Result:
    value = call.value(call["input"])
    if value is None:
        return None
    value = call.drop(value, {0}, "unpacks along them")
    return Value(call.shape, tuple(layer.unsqueeze(0) for layer in value.layers))
