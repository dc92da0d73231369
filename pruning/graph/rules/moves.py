"""Calls that only move data: run on the labels as they are, so that their index mapping is right by construction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg

from pruning.graph.labels import Value, along, compact, varying
from pruning.graph.rules.call import Call, Result, shape_of


def _results(call: Call, made: list[list[Tensor]], came: Sequence[Tensor], reshaped: bool = False) -> Result:
    """Values of the results from the layers of each. `reshaped`: what varies along several dimensions does so in a new
    way, even if it did before."""
    outputs = call.node.meta["val"]
    shapes = [tuple(o.shape) for o in outputs] if isinstance(outputs, list | tuple) else [tuple(outputs.shape)]
    values = []
    outermost = sorted(range(len(came)), key=lambda which: varying(came[which])[:1])
    for number, shape in enumerate(shapes):
        taken: set[int] = set()
        kept = []
        for layer, source in ((made[which][number], came[which]) for which in outermost):
            dims = varying(layer)
            if taken & set(dims):
                call.labels.lock(layer, call.why("puts pairs of channels into one dimension"))
                continue
            if not dims:
                continue
            if len(dims) > 1 and (reshaped or len(varying(source)) == 1):
                call.site(layer)
            taken |= set(dims)
            kept.append(layer)
        values.append(Value(shape, tuple(kept)))
    return tuple(values) if isinstance(outputs, list | tuple) else values[0]


def _run(call: Call, source: Node, layer: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    """The call carried out on a layer in place of its tensor `source`."""
    full = layer.expand(shape)
    args, kwargs = map_arg((call.node.args, call.node.kwargs), lambda node: full if node is source else _blank(node))
    target: Any = call.node.target
    made = target(*args, **kwargs)
    return [compact(made)] if isinstance(made, Tensor) else [compact(part) for part in made]


def _blank(node: Node) -> Tensor:
    return torch.zeros((), dtype=torch.int64).expand(shape_of(node))


def move(call: Call) -> Result:
    source = next(iter(call.node.all_input_nodes), None)
    value = call.value(source)
    if source is None or value is None:
        return None
    return _results(call, [_run(call, source, layer, value.shape) for layer in value.layers], value.layers)


def diagonal(call: Call) -> Result:
    """Of a matrix with the same number of channels along both dimensions: each goes with its row and its column."""
    source = call["self"]
    value = call.value(source)
    if value is None:
        return None
    dims = {int(call[name]) % len(value.shape) for name in ("dim1", "dim2")}
    length = value.shape[min(dims)]
    sides = [layer for layer in value.layers if any(layer.shape[dim] > 1 for dim in dims)]
    if len(sides) == 2 and not call["offset"] and all(layer.numel() == length for layer in sides):
        call.labels.join(*(layer.reshape(-1) for layer in sides))
        left = [layer for layer in value.layers if layer is not sides[1]]
    else:
        left = list(call.drop(value, dims, "pairs them with what may not go with them").layers)
    return _results(call, [_run(call, source, layer, value.shape) for layer in left], left)


def reshape(call: Call) -> Result:
    """view, reshape, flatten and the like. Labels are not contiguous as values were, so that a view would fail."""
    value = call.value(next(iter(call.node.all_input_nodes), None))
    if value is None:
        return None
    made = [[_spread(call, compact(layer.expand(value.shape).reshape(call.shape)))] for layer in value.layers]
    return _results(call, made, value.layers, reshaped=True)


def _spread(call: Call, layer: Tensor) -> Tensor:
    """A layer along several dimensions, where some of them have channels among places, as when four channels become
    one of twice the height and width: either whatever a place has goes, or, as `Labels.spread` says, channels."""
    among = [dim for dim in varying(layer) if dim and _repeats(layer, dim)]
    if not among or len(among) == len(varying(layer)):
        return layer
    call.labels.spreading[call.line] = None
    return call.labels.tie(layer, among) if call.line in call.labels.spread else layer


def _repeats(layer: Tensor, dim: int) -> bool:
    vector = layer.movedim(dim, 0).flatten(1)[:, 0]
    return len(vector.unique()) < len(vector)


def expand(call: Call) -> Result:
    """Sizes of 1 that become wider: how wide may follow other channels, which a trial shows."""
    value = call.value(call["self"])
    moved = move(call)
    if value is None or not isinstance(moved, Value):
        return moved
    rank = len(moved.shape)
    old = (1,) * (rank - len(value.shape)) + value.shape
    batch = call.walk.trace.batch
    widened = [
        d for d in range(rank) if old[d] == 1 and moved.shape[d] > 1 and not (d == 0 and moved.shape[0] == batch)
    ]
    fresh = tuple(along(call.labels.fresh(moved.shape[dim]), dim, rank) for dim in widened)
    return Value(moved.shape, (*moved.layers, *fresh))


def dim_of(call: Call, value: Value) -> int:
    """Its argument `dim`, counted from the first dimension."""
    return int(call["dim"] or 0) % len(value.shape)


def roll(call: Call) -> Result:
    """The channels that are carried over the edge must stay as many as the code moves."""
    value = call.value(call["self"])
    if value is None:
        return None
    for shift, dim in zip(call["shifts"], call["dims"] or [None] * len(call["shifts"]), strict=True):
        for layer in value.layers:
            if dim is None:
                call.labels.lock(layer, call.why("rolls over all dimensions"))
            elif layer.shape[dim] > 1:
                moved = layer.movedim(dim, 0)
                edge = (
                    moved[-shift:] if 0 < shift < len(moved) else moved[:-shift] if -len(moved) < shift < 0 else moved
                )
                call.labels.lock(edge, call.why("carries these channels over the edge"))
    return move(call)


def index(call: Call) -> Result:
    """Picking by index tensors: dimensions that are picked from stay whole."""
    value = call.value(call["self"])
    if value is None:
        return None
    return _picked(call, value, {dim for dim, chosen in enumerate(call["indices"]) if chosen is not None})


def index_select(call: Call) -> Result:
    """The same along one dimension."""
    value = call.value(call["self"])
    return None if value is None else _picked(call, value, {dim_of(call, value)})


def _picked(call: Call, value: Value, dims: set[int]) -> Result:
    left = call.drop(value, dims, "picks channels by their numbers")
    return _results(call, [_run(call, call["self"], layer, left.shape) for layer in left.layers], left.layers)


def pixel_shuffle(call: Call) -> Result:
    """Each run of r² channels becomes one channel."""
    value = call.value(call["self"])
    if value is None:
        return None
    channel, rank, run = len(value.shape) - 3, len(value.shape), call["upscale_factor"] ** 2
    value = call.drop(value, {rank - 2, rank - 1}, "spreads channels along them")
    return Value(call.shape, _runs(call, value, channel, run))


def _runs(call: Call, value: Value, dim: int, length: int) -> tuple[Tensor, ...]:
    """The layers of a value in which each run of `length` indices along a dimension becomes one."""
    layers = []
    for layer in value.layers:
        if layer.shape[dim] > 1:
            call.labels.tie_runs(layer, dim, length)
            layer = layer.index_select(dim, torch.arange(0, layer.shape[dim], length))
        layers.append(layer)
    return tuple(layer for layer in layers if varying(layer))


def channel_shuffle(call: Call) -> Result:
    value = call.value(call["self"])
    if value is None:
        return None
    for layer in value.layers:
        if layer.shape[1] > 1:
            call.labels.tie_blocks(layer, 1, value.shape[1] // call["groups"])
    return move(call)


def as_complex(call: Call) -> Result:
    """Each pair along the last dimension becomes one complex number."""
    value = call.value(call["self"])
    if value is None:
        return None
    last = len(value.shape) - 1
    layers = []
    for layer in value.layers:
        if varying(layer) == (last,):
            call.labels.lock(layer, call.why("makes complex numbers of them"))
        else:
            layers.append(call.labels.tie(layer, [last]).squeeze(last))
    return Value(call.shape, tuple(layers))


def as_real(call: Call) -> Result:
    """The two parts of each complex number stand along a dimension of their own."""
    value = call.value(call["self"])
    return None if value is None else Value(call.shape, tuple(layer.unsqueeze(-1) for layer in value.layers))


def im2col(call: Call) -> Result:
    """Each channel becomes kernel-size many, one after the other."""
    value = call.value(call["self"])
    if value is None:
        return None
    value = call.drop(value, set(range(2, len(value.shape))), "unfolds this dimension")
    times = math.prod(call["kernel_size"])
    layers = tuple(
        layer.repeat_interleave(times, 1).reshape(layer.shape[0], -1, 1) if layer.shape[1] > 1 else layer[:, :, :1, 0]
        for layer in value.layers
    )
    return Value(call.shape, layers)


def col2im(call: Call) -> Result:
    """The inverse: each run of kernel-size many channels is added up to one."""
    value = call.value(call["self"])
    if value is None:
        return None
    channel = len(value.shape) - 2
    value = call.drop(value, {channel + 1}, "folds this dimension")
    runs = _runs(call, value, channel, math.prod(call["kernel_size"]))
    return Value(call.shape, tuple(layer.unsqueeze(-1) for layer in runs))
