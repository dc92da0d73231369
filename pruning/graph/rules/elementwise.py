"""Elementwise calls: labels that meet are joined; a size of 1 broadcasts and joins nothing."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pruning.graph.labels import MEETS_RAW, Value, varying
from pruning.graph.rules.call import Call, Result


@dataclass
class _Slot:
    dims: set[int]
    layer: Tensor
    operands: set[int]


def join_all(call: Call, operands: list[Value], shape: tuple[int, ...]) -> Value:
    """The value of an elementwise call with these operands and this result."""
    rank = len(shape)
    sizes = [(1,) * (rank - len(operand.shape)) + operand.shape for operand in operands]
    slots: list[_Slot] = []
    for number, operand in enumerate(operands):
        for narrow in operand.layers:
            layer = narrow.reshape((1,) * (rank - narrow.dim()) + narrow.shape)
            dims = set(varying(layer))
            met = [slot for slot in slots if slot.dims & dims]
            for slot in met:
                slots.remove(slot)
            slots.append(_meet(call, met, _Slot(dims, layer, {number}), sizes))
    for slot in slots:
        for number, size in enumerate(sizes):
            if number not in slot.operands:
                _meet_raw(call, slot, {dim for dim in slot.dims if size[dim] > 1})
    return Value(shape, tuple(slot.layer for slot in slots))


def _meet_raw(call: Call, slot: _Slot, wide: set[int]) -> None:
    """A layer meets values that nothing makes, which are as long along some of its dimensions: it goes as a whole along
    these, and stays where it varies along no others."""
    if wide == slot.dims:
        call.labels.lock(slot.layer, call.why(MEETS_RAW))
    elif wide:
        slot.layer, slot.dims = call.labels.tie(slot.layer, wide), slot.dims - wide


def _meet(call: Call, met: list[_Slot], new: _Slot, sizes: list[tuple[int, ...]]) -> _Slot:
    for slot in met:
        operands = slot.operands | new.operands
        slot, new = _nested(call, slot, new, sizes)
        wide, thin = (slot, new) if slot.dims >= new.dims else (new, slot)
        if wide.dims == thin.dims:
            call.labels.join(wide.layer, thin.layer)
        elif len(thin.dims) == 1:
            (dim,) = thin.dims
            rest = wide.dims - thin.dims
            if all(sizes[number][d] == 1 for number in thin.operands for d in rest):
                call.attach(wide.layer, dim, thin.layer.reshape(-1), "shares values among slices of the channels")
            else:
                call.labels.join(call.labels.slab(wide.layer, dim), thin.layer.reshape(-1))
        else:
            call.labels.join(wide.layer, thin.layer)
        new = _Slot(wide.dims, wide.layer, operands)
    return new


def _nested(call: Call, one: _Slot, other: _Slot, sizes: list[tuple[int, ...]]) -> tuple[_Slot, _Slot]:
    """Two layers of which one varies along all dimensions of the other: where each has dimensions of its own, it goes
    as a whole along those in which the other is wide, or both do along all of them."""
    for stays in (False, True):
        if one.dims >= other.dims or other.dims >= one.dims:
            break
        one, other = _whole(call, one, other, sizes, stays), _whole(call, other, one, sizes, stays)
    return one, other


def _whole(call: Call, slot: _Slot, other: _Slot, sizes: list[tuple[int, ...]], everywhere: bool) -> _Slot:
    own = {d for d in slot.dims - other.dims if everywhere or any(sizes[number][d] > 1 for number in other.operands)}
    return _Slot(slot.dims - own, call.labels.tie(slot.layer, own), slot.operands)


def unary(call: Call) -> Result:
    source = next((call.value(node) for node in call.node.all_input_nodes), None)
    if source is None:
        return None
    return (source,) * 2 if isinstance(call.node.meta["val"], list | tuple) else Value(call.shape, source.layers)


def nary(call: Call) -> Result:
    operands = list(call.operands())
    return join_all(call, operands, call.shape) if operands else None


def glu(call: Call) -> Result:
    source = call.value(call["self"])
    if source is None:
        return None
    dim = call["dim"] % len(source.shape)
    half = source.shape[dim] // 2
    layers = []
    for layer in source.layers:
        if layer.shape[dim] > 1:
            call.labels.join(layer.narrow(dim, 0, half), layer.narrow(dim, half, half))
            layer = layer.narrow(dim, 0, half)
        layers.append(layer)
    return Value(call.shape, tuple(layers))


def prelu(call: Call) -> Result:
    source, weight = call.value(call["self"]), call.value(call["weight"])
    if source is None or weight is None:
        return None
    if weight.shape == (1,):
        return source
    wide = (1, -1) + (1,) * (len(source.shape) - 2)
    slope = Value((1, *weight.shape) + (1,) * (len(source.shape) - 2), tuple(w.reshape(wide) for w in weight.layers))
    return join_all(call, [source, slope], call.shape)
