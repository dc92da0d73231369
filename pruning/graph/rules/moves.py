"""Calls that only move data: run on the labels as they are, so that their index mapping is right by construction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg

from pruning.graph.labels import RAW, Value, along, common_block, compact, raw, varying
from pruning.graph.rules.call import Call, PadSite, Result, shape_of


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
                call.labels.lock(layer, call.why("puts two kinds of channels into one dimension"))
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


def reshape(call: Call) -> Result:
    """view, reshape, flatten and the like. Labels are not contiguous as values were, so that a view would fail."""
    value = call.value(next(iter(call.node.all_input_nodes), None))
    if value is None:
        return None
    made = [[compact(layer.expand(value.shape).reshape(call.shape))] for layer in value.layers]
    return _results(call, made, value.layers, reshaped=True)


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


def _dim(call: Call, value: Value) -> int:
    return int(call["dim"] or 0) % len(value.shape)


def split(call: Call) -> Result:
    """chunk, split: the parts lose as many each, or their sizes would change, unless each size follows its part."""
    value = call.value(call["self"])
    if value is None:
        return None
    dim = _dim(call, value)
    sizes = [output.shape[dim] for output in call.node.meta["val"]]
    block = common_block(value.shape[dim], [sum(sizes[: i + 1]) for i in range(len(sizes))])
    for layer in value.layers:
        if layer.shape[dim] > 1 and block > 1 and call.line not in call.labels.apart:
            call.labels.tie_blocks(layer, dim, block)
    return move(call)


def unbind(call: Call) -> Result:
    value = call.value(call["self"])
    if value is None:
        return None
    dim = _dim(call, value)
    for layer in value.layers:
        if layer.shape[dim] > 1:
            if len(varying(layer)) == 1:
                call.labels.lock(layer, call.why("takes the channels apart"))
            call.labels.tie(layer, [dim])
    return move(call)


def slice_(call: Call) -> Result:
    value = call.value(call["self"])
    if value is None:
        return None
    dim = _dim(call, value)
    size = value.shape[dim]
    start, end, step = call["start"] or 0, call["end"], call["step"] or 1
    fixed = _fixed(start, end, size)
    start = max(0, start + size if start < 0 else start)
    end = size if end is None else min(size, end + size if end < 0 else end)
    for layer in value.layers:
        if layer.shape[dim] == 1 or (start, end, step) == (0, size, 1):
            continue
        if step > 1 and start < step and end == size and size % step == 0:
            call.labels.tie_runs(layer, dim, step)
        elif step > 1:
            call.labels.lock(layer, call.why("takes every so many-th channel"))
        else:
            _cut(call, layer, dim, (start, max(start, end)), fixed)
    return move(call)


def _fixed(start: int, end: int | None, size: int) -> list[slice]:
    """The indices that must stay where the borders of a slice are numbers in the code."""
    found = [slice(0, number) for number in (start, end) if number is not None and 0 < number < size]
    return found + [slice(number, None) for number in (start, end) if number is not None and -size < number < 0]


def _cut(call: Call, layer: Tensor, dim: int, borders: tuple[int, int], fixed: list[slice]) -> None:
    """Borders that can move: all blocks between them lose as many. Borders that are fixed: what they count stays."""
    size = layer.shape[dim]
    block = common_block(size, borders)
    if call.line in call.labels.apart:
        return
    if (block == 1 and len(varying(layer)) == 1) or call.line in call.labels.literal:
        for part in fixed:
            lost = layer.movedim(dim, 0)[part]
            call.labels.lock(lost, call.why("cuts at a number fixed in the code"))
    else:
        call.labels.tie_blocks(layer, dim, block)


def narrow(call: Call) -> Result:
    value = call.value(call["self"])
    if value is None:
        return None
    dim, start, length = _dim(call, value), call["start"], call["length"]
    for layer in value.layers:
        if layer.shape[dim] > 1:
            _cut(call, layer, dim, (start, start + length), _fixed(start, start + length, value.shape[dim]))
    return move(call)


def select(call: Call) -> Result:
    """One index by its number: what stands before it (or after, if counted from the end) must stay."""
    value = call.value(call["self"])
    if value is None:
        return None
    dim, index = _dim(call, value), int(call["index"])
    for layer in value.layers:
        if layer.shape[dim] > 1:
            if len(varying(layer)) > 1:
                call.labels.tie(layer, [dim])
            else:
                part = layer.reshape(-1)[: index + 1] if index >= 0 else layer.reshape(-1)[index:]
                call.labels.lock(part, call.why("takes this channel by its number"))
    return move(call)


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
    return None if value is None else _picked(call, value, {_dim(call, value)})


def _picked(call: Call, value: Value, dims: set[int]) -> Result:
    left = call.drop(value, dims, "picks channels by their numbers")
    return _results(call, [_run(call, call["self"], layer, left.shape) for layer in left.layers], left.layers)


def cat(call: Call) -> Result:
    """Parts side by side: labels of the parts along `dim`; along other dimensions all parts go together."""
    parts = _parts(call)
    return _side_by_side(call, parts, _dim(call, parts[0]))


def hstack(call: Call) -> Result:
    """cat along dimension 1, for values of at least two dimensions."""
    return _side_by_side(call, _parts(call), 1)


def vstack(call: Call) -> Result:
    """cat along dimension 0, for values of at least two dimensions."""
    return _side_by_side(call, _parts(call), 0)


def dstack(call: Call) -> Result:
    """cat along dimension 2, for values of at least three dimensions."""
    return _side_by_side(call, _parts(call), 2)


def stack(call: Call) -> Result:
    """cat along a dimension of size 1 that every part gets."""
    parts = _parts(call)
    dim = int(call["dim"] or 0) % (len(parts[0].shape) + 1)
    wide = [
        Value((*p.shape[:dim], 1, *p.shape[dim:]), tuple(layer.unsqueeze(dim) for layer in p.layers)) for p in parts
    ]
    return _side_by_side(call, wide, dim)


def _parts(call: Call) -> list[Value]:
    """The values in a call's list of tensors that are not empty."""
    nodes: list[Any] = list(call["tensors"])
    parts = [call.value(node) or raw(shape_of(node)) for node in nodes]
    return [part for part in parts if math.prod(part.shape)]


def _side_by_side(call: Call, parts: list[Value], dim: int) -> Value:
    rank = len(parts[0].shape)
    layers: list[Tensor] = []
    groups: list[set[int]] = []
    for part in parts:  # sets of dimensions that belong together in some part
        for layer in part.layers:
            dims = set(varying(layer))
            touching = [group for group in groups if group & dims]
            for group in touching:
                groups.remove(group)
            groups.append(dims.union(*touching))
    for group in groups:
        found = [next((layer for layer in part.layers if set(varying(layer)) & group), None) for part in parts]
        others = [d for d in sorted(group) if d != dim]
        if others and any(layer is None for layer in found):
            for there in found:
                if there is not None:
                    call.labels.lock(there, call.why("puts them beside values that no layer makes"))
            continue
        if dim not in group:
            present = [layer for layer in found if layer is not None]
            for other in present[1:]:
                call.labels.join(present[0], other)
            layers.append(present[0])
            continue
        wide = [
            (torch.full((1,) * rank, RAW) if layer is None else layer).expand(
                [part.shape[d] if d in group else 1 for d in range(rank)]
            )
            for layer, part in zip(found, parts, strict=True)
        ]
        layers.append(compact(torch.cat(wide, dim)))
    for layer in layers:
        if len(varying(layer)) > 1:
            call.site(layer)
    return Value(call.shape, tuple(layer for layer in layers if varying(layer)))


def pixel_shuffle(call: Call) -> Result:
    """Each run of r² channels becomes one channel."""
    value = call.value(call["self"])
    if value is None:
        return None
    dim = len(value.shape) - 3
    for layer in value.layers:
        if layer.shape[dim] > 1:
            call.labels.tie_runs(layer, dim, call["upscale_factor"] ** 2)
    return move(call)


def channel_shuffle(call: Call) -> Result:
    value = call.value(call["self"])
    if value is None:
        return None
    for layer in value.layers:
        if layer.shape[1] > 1:
            call.labels.tie_blocks(layer, 1, value.shape[1] // call["groups"])
    return move(call)


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


def pad(call: Call) -> Result:
    source, amounts = call.value(call["self"]), call["pad"]
    if source is None or not isinstance(amounts, list | tuple):
        return None
    rank = len(source.shape)
    layers = list(source.layers)
    for pair in range(len(amounts) // 2):
        before, after = (int(amount) for amount in amounts[2 * pair : 2 * pair + 2])
        dim = rank - 1 - pair
        number = next((i for i, layer in enumerate(layers) if layer.shape[dim] > 1), None)
        if not (before or after) or number is None:
            continue
        if before < 0 or after < 0 or (call["mode"] or "constant") != "constant":
            call.labels.lock(layers.pop(number), call.why("pads with other than constants"))
            continue
        vector = call.labels.slab(layers[number], dim)
        fresh = call.labels.fresh(before + after)
        site = PadSite(module=call.module, line=call.line, dim=-1 - pair, before=fresh[:before], after=fresh[before:])
        call.walk.pads.append(site)
        layers[number] = torch.cat((site.before, vector, site.after)).reshape(
            [-1 if d == dim else 1 for d in range(rank)]
        )
    return Value(call.shape, tuple(layers))
