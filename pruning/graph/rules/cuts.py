"""Calls that cut along a dimension or add to it: what the numbers of their arguments count must stay, or follow."""

from __future__ import annotations

import torch
from torch import Tensor

from pruning.graph.labels import Value, common_block, varying
from pruning.graph.rules.call import Call, PadSite, Result
from pruning.graph.rules.moves import dim_of, move


def split(call: Call) -> Result:
    """chunk, split: the parts lose as many each, or their sizes would change, unless each size follows its part."""
    value = call.value(call["self"])
    if value is None:
        return None
    dim = dim_of(call, value)
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
    dim = dim_of(call, value)
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
    dim = dim_of(call, value)
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
            call.labels.lock(layer, call.why("takes every n-th channel, counted by a number in the code"))
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
    dim, start, length = dim_of(call, value), call["start"], call["length"]
    for layer in value.layers:
        if layer.shape[dim] > 1:
            _cut(call, layer, dim, (start, start + length), _fixed(start, start + length, value.shape[dim]))
    return move(call)


def select(call: Call) -> Result:
    """One index by its number: what stands before it (or after, if counted from the end) must stay."""
    value = call.value(call["self"])
    if value is None:
        return None
    dim, index = dim_of(call, value), int(call["index"])
    for layer in value.layers:
        if layer.shape[dim] > 1:
            if len(varying(layer)) > 1:
                call.labels.tie(layer, [dim])
            else:
                part = layer.reshape(-1)[: index + 1] if index >= 0 else layer.reshape(-1)[index:]
                call.labels.lock(part, call.why("takes this channel by its number"))
    return move(call)


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
            call.labels.lock(layers.pop(number), call.why("pads them with other channels, or crops them"))
            continue
        vector = call.labels.slab(layers[number], dim)
        fresh = call.labels.fresh(before + after)
        site = PadSite(module=call.module, line=call.line, dim=-1 - pair, before=fresh[:before], after=fresh[before:])
        call.walk.pads.append(site)
        layers[number] = torch.cat((site.before, vector, site.after)).reshape(
            [-1 if d == dim else 1 for d in range(rank)]
        )
    return Value(call.shape, tuple(layers))
