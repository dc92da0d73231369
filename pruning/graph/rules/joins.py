"""Calls that put tensors side by side."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from pruning.graph.labels import RAW, Value, compact, raw, varying
from pruning.graph.rules.call import Call, Result, shape_of
from pruning.graph.rules.elementwise import join_all
from pruning.graph.rules.moves import dim_of


def cat(call: Call) -> Result:
    """Parts side by side: labels of the parts along `dim`; along other dimensions all parts go together."""
    parts = _parts(call)
    return _side_by_side(call, parts, dim_of(call, parts[0]))


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


def pad_sequence(call: Call) -> Result:
    """Sequences of several lengths side by side, padded to the longest; channels of all go together."""
    parts = []
    for node in call["sequences"]:
        part = call.drop(call.value(node) or raw(shape_of(node)), {0}, "pads along them")
        parts.append(Value((1, 1, *part.shape[1:]), tuple(layer.unsqueeze(0) for layer in part.layers)))
    return Value(call.shape, _side_by_side(call, parts, 0 if call["batch_first"] else 1).layers)


def broadcast(call: Call) -> Result:
    """Each operand in the shape of all; what they are broadcast for joins their labels."""
    met = join_all(call, _parts(call), tuple(call.node.meta["val"][0].shape))
    return (met,) * len(call.node.meta["val"])


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
