"""Normalisations, reductions, pooling, and calls that work along dimensions of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Value, common_block, raw, varying
from pruning.graph.rules.call import TOGETHER, Call, MeanSite, Result
from pruning.graph.rules.elementwise import join_all


def _shaped(value: Value | None, rank: int) -> Value | None:
    """A vector of one entry a channel, as it meets a value of `rank` dimensions with channels in dimension 1."""
    if value is None:
        return None
    tail = (1,) * (rank - 2)
    return Value((*value.shape, *tail), tuple(layer.reshape(-1, *tail) for layer in value.layers))


def batch_norm(call: Call) -> Result:
    source = call.value(call["input"])
    if source is None:
        return None
    for layer in source.layers:
        if layer.shape[1] > 1 and len(varying(layer)) == 1 and not any(call[name] for name in _PER_CHANNEL):
            call.size("num_features", source.shape[1], layer.reshape(-1))
    if call["training"] or call["use_input_stats"]:
        others = set(range(2, len(source.shape)))
        source = call.drop(source, others, TOGETHER if call.is_constant else "takes means over them")
    vectors = [_shaped(call.value(call[name]), len(source.shape)) for name in _PER_CHANNEL]
    return join_all(call, [source, *(vector for vector in vectors if vector is not None)], call.shape)


_PER_CHANNEL = ("weight", "bias", "running_mean", "running_var")


def group_norm(call: Call) -> Result:
    """Groups stay equally long: the same place goes in each, or whole groups of one channel."""
    source = call.value(call["input"])
    if source is None:
        return None
    groups, channels = int(call["num_groups"]), source.shape[1]
    source = call.drop(source, set(range(2, len(source.shape))), "takes means over them")
    for layer in source.layers:
        if layer.shape[1] > 1:
            vector = call.labels.slab(layer, 1)
            if call["weight"] is None:
                call.size("num_channels", channels, vector)
            if groups == channels:
                call.size("num_groups", groups, vector)
            elif groups > 1:
                call.labels.tie_blocks(layer, 1, common_block(channels, (channels // groups,)))
    vectors = [_shaped(call.value(call[name]), len(source.shape)) for name in ("weight", "bias")]
    return join_all(call, [source, *(vector for vector in vectors if vector is not None)], call.shape)


def layer_norm(call: Call) -> Result:
    operands = [call.value(call[name]) for name in ("input", "weight", "bias")]
    source = operands[0]
    if source is None:
        return None
    count = len(call["normalized_shape"])
    for layer in source.layers:
        for dim in varying(layer):
            place = dim - (len(source.shape) - count)
            if place >= 0 and len(varying(layer)) == 1 and call["weight"] is None:
                call.size("normalized_shape", source.shape[dim], layer.reshape(-1), (place,))
    return join_all(call, [operand for operand in operands if operand is not None], call.shape)


def total(call: Call) -> Result:
    """Sums, and norms of a positive order: a removed channel contributes zero."""
    order = next((call[name] for name in ("ord", "p") if name in call.arguments), 1)
    adds_up = isinstance(order, int | float) and order > 0

    def noted(layer: Tensor, dim: int) -> bool:
        call.note_sum(layer)
        return adds_up

    return _reduced(call, noted)


def mean(call: Call) -> Result:
    """Means and variances; `pruning.graph.means` decides about those over channels."""

    def noted(layer: Tensor, dim: int) -> bool:
        if call.node in call.walk.from_input:
            site = MeanSite(node=call.node, dim=dim, layer=layer, reason=call.why(OVER_ALL))
            call.walk.means.append(site)
        return call.node in call.walk.from_input

    return _reduced(call, noted)


def extreme(call: Call) -> Result:
    """Maxima, products and the like: over channels they would change."""
    return _reduced(call, lambda layer, dim: False)


OVER_ALL = "works over all channels at once"


def _reduced(call: Call, passes: Callable[[Tensor, int], bool]) -> Result:
    """A reduction; `passes` says whether channels that run along one reduced dimension, and no other, may go."""
    source = call.value(call["self"] or call["x"])
    if source is None:
        return None
    if isinstance(call["other"], Node):  # the larger of two tensors, not of one
        return join_all(call, list(call.operands()), call.shape)
    rank = len(source.shape)
    reduced = _dims(call["dim"], rank)
    layers = []
    for layer in source.layers:
        inside = [dim for dim in varying(layer) if dim in reduced]
        outside = [dim for dim in varying(layer) if dim not in reduced]
        if inside and outside:
            layer = call.labels.tie(layer, inside)
        elif inside:
            if len(inside) > 1 or not passes(layer, inside[0]):
                call.labels.lock(layer, call.why(TOGETHER if call.is_constant else OVER_ALL))
            continue
        layers.append(layer)
    outputs = call.node.meta["val"]
    keep = len(call.shape) == rank
    if not keep:
        left = [dim for dim in range(rank) if dim not in reduced]
        layers = [layer.permute(*left, *sorted(reduced)).reshape([layer.shape[d] for d in left]) for layer in layers]
    result = Value(call.shape, tuple(layers))
    return tuple(result for _ in outputs) if isinstance(outputs, list | tuple) else result


def _dims(given: Any, rank: int) -> set[int]:
    """Dimensions counted from the first one, as a call names them: a number, several, or all where it names none."""
    if given is None or given == []:
        return set(range(rank))
    return {dim % rank for dim in (given if isinstance(given, list | tuple) else [given])}


def along_dims(call: Call) -> Result:
    """softmax, cumsum, sort, ...: dimensions that they run along stay whole."""
    source = call.value(call["self"])
    if source is None:
        return None
    dims = call["dim"] if call["dim"] is not None else call["axis"]
    return _whole(call, source, _dims(dims, len(source.shape)), "runs along the channels")


def _whole(call: Call, source: Value, dims: set[int], reason: str) -> Result:
    """Every result has the labels of the source; those that run along `dims` stay whole: they are joined along these,
    or locked where they run along no others."""
    layers = []
    for layer in source.layers:
        inside = [dim for dim in varying(layer) if dim in dims]
        if inside and len(inside) < len(varying(layer)):
            layer = call.labels.tie(layer, inside)
        elif inside:
            call.labels.lock(layer, call.why(reason))
            continue
        layers.append(layer)
    outputs = call.node.meta["val"]
    if isinstance(outputs, list | tuple):
        return tuple(Value(tuple(output.shape), tuple(layers)) for output in outputs)
    return Value(call.shape, tuple(layers))


def cosine(call: Call) -> Result:
    """cosine_similarity: products and squares summed over a dimension, to which a zero adds nothing."""
    operands = list(call.operands())
    rank = max(len(operand.shape) for operand in operands)
    met = join_all(call, operands, _broadcast(operands))
    dim = int(call["dim"]) % rank
    layers = []
    for layer in met.layers:
        if layer.shape[dim] > 1 and len(varying(layer)) > 1:
            layer = call.labels.tie(layer, [dim])
        if layer.shape[dim] == 1:
            layers.append(layer.squeeze(dim))
    return Value(call.shape, tuple(layers))


def _broadcast(operands: list[Value]) -> tuple[int, ...]:
    return tuple(torch.broadcast_shapes(*(operand.shape for operand in operands)))


def fourier(call: Call) -> Result:
    """Transforms over dimensions of their own."""
    source = call.value(call["self"])
    if source is None:
        return None
    return Value(call.shape, call.drop(source, _dims(call["dim"], len(source.shape)), "transforms along them").layers)


def spatial(call: Call) -> Result:
    """Pooling, resampling and padding over the last dimensions: each channel by itself."""
    source = next(call.operands(), None)
    return None if source is None else _whole(call, source, _last_dims(call, source), "pools along them")


def _last_dims(call: Call, source: Value) -> set[int]:
    """Dimensions that an op of one, two or three dimensions works over, as its name says."""
    found = re.search(r"([123])d", call.op)
    count = int(found.group(1)) if found else 2
    rank = len(source.shape)
    return set(range(rank - count, rank))


def unpool(call: Call) -> Result:
    """max_unpool: the numbers of places are those of the same channels."""
    source, places = call.value(call["self"]), call.value(call["indices"])
    if source is None or places is None:
        return None
    met = join_all(call, [source, places], source.shape)
    return _whole(call, met, _last_dims(call, met), "pools along them")


def regions(call: Call) -> Result:
    """roi_align and the like: each channel of each region, pooled by itself."""
    source = call.value(call["input"])
    if source is None:
        return None
    rois = call.value(call["rois"])
    if rois is not None:
        call.labels.lock_value(rois, call.why("takes them for the corners of regions"))
    layers = call.drop(source, {0, 2, 3}, "pools along them").layers
    outputs = call.node.meta["val"]
    made = Value(call.shape, layers)
    return (made,) * len(outputs) if isinstance(outputs, list | tuple) else made


def embedding_bag(call: Call) -> Result:
    """Sums, means or maxima of embeddings; what else it gives are numbers of places."""
    weight = call.value(call["weight"])
    layer = weight.layer(1) if weight is not None else None
    if weight is None or layer is None:
        return None
    call.labels.produced.append(layer.reshape(-1))
    shares = call.value(call["per_sample_weights"])
    if shares is not None:
        call.labels.lock_value(shares, call.why("weighs embeddings by them"))
    shapes = [tuple(output.shape) for output in call.node.meta["val"]]
    return tuple(Value(shape, (layer,) if shape[1:] == weight.shape[1:] else ()) for shape in shapes)


def embedding(call: Call) -> Result:
    weight = call.value(call["weight"])
    if weight is None:
        return None
    layer = weight.layer(1)
    if layer is None:
        return raw(call.shape)
    call.labels.produced.append(layer.reshape(-1))
    return Value(call.shape, (layer.reshape([1] * (len(call.shape) - 1) + [-1]),))
