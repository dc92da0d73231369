"""Normalisations, reductions, pooling, and calls that work along dimensions of their own."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.labels import Value, common_block, raw, varying
from pruning.graph.rules.call import Call, MeanSite, Result, Rule, Walk
from pruning.graph.rules.elementwise import join_all
from pruning.graph.trace import op_of


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
        source = call.drop(source, others, "takes means over them")
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
                call.size("normalized_shape", source.shape[dim], layer.reshape(-1), place)
    return join_all(call, [operand for operand in operands if operand is not None], call.shape)


def reduce(call: Call) -> Result:
    """Sums pass: a removed channel contributes zero. Means, maxima and the like over channels would change."""
    source = call.value(call["self"] or call["x"])
    if source is None:
        return None
    if isinstance(call["other"], Node):  # the larger of two tensors, not of one
        return join_all(call, list(call.operands()), call.shape)
    dims = call["dim"]
    rank = len(source.shape)
    every = dims is None or dims == []
    reduced = set(range(rank)) if every else {d % rank for d in (dims if isinstance(dims, list | tuple) else [dims])}
    layers = []
    for layer in source.layers:
        inside = [dim for dim in varying(layer) if dim in reduced]
        outside = [dim for dim in varying(layer) if dim not in reduced]
        if inside and outside:
            layer = call.labels.tie(layer, inside)
        elif inside:
            if call.op in MEANS and len(inside) == 1 and call.node in call.walk.from_input:
                reason = call.why("works over all channels at once")
                call.walk.means.append(MeanSite(node=call.node, dim=inside[0], layer=layer, reason=reason))
            elif not _adds_up(call) or len(inside) > 1:
                call.labels.lock(layer, call.why("works over all channels at once"))
            continue
        layers.append(layer)
    outputs = call.node.meta["val"]
    keep = len(call.shape) == rank
    if not keep:
        left = [dim for dim in range(rank) if dim not in reduced]
        layers = [layer.permute(*left, *sorted(reduced)).reshape([layer.shape[d] for d in left]) for layer in layers]
    result = Value(call.shape, tuple(layers))
    return tuple(result for _ in outputs) if isinstance(outputs, list | tuple) else result


def settle_means(walk: Walk) -> None:
    """Means and variances over channels that normalise these channels are taken over the survivors; others would
    change, so their channels stay."""
    if not walk.means:
        return
    component = walk.labels.components()
    for site in walk.means:
        if not _normalises(walk, site, component):
            walk.labels.lock(site.layer, site.reason)


def _normalises(walk: Walk, site: MeanSite, component: Tensor) -> bool:
    """Whether all that becomes of a mean is subtracted from the channels it was taken over, or divides them."""
    own = component[site.layer].reshape(-1)
    todo: list[tuple[Node, Node, bool]] = [(user, site.node, False) for user in site.node.users]
    if not todo:
        return False
    while todo:
        node, source, inverse = todo.pop()
        if node.op != "call_function":
            return False
        op = op_of(node).removesuffix("_")
        value = walk.values.get(node)
        same = any(
            torch.equal(component[layer].reshape(-1), own)
            for layer in (value.layers if isinstance(value, Value) else ())
            if layer.numel() == len(own)
        )
        if same:
            divides = op in ("div", "true_divide") and node.args[1] is source
            if not (divides or op in ("sub", "rsub") or (op == "mul" and inverse)):
                return False
        elif op in KEEPS:
            turned = op in ("rsqrt", "reciprocal") or (op == "pow" and _negative(node.args[1]))
            todo += [(user, node, inverse or turned) for user in node.users]
        else:
            return False
    return True


def _negative(number: object) -> bool:
    return isinstance(number, int | float) and number < 0


MEANS = frozenset("mean var std var_mean std_mean".split())
KEEPS = frozenset(
    "getitem add mul div sqrt rsqrt reciprocal pow clamp clamp_min to _to_copy float double unsqueeze squeeze view "
    "reshape expand expand_as contiguous type_as".split()
)
"""What may become of a mean on its way back to the channels it was taken over."""


def _adds_up(call: Call) -> bool:
    """Whether a zero more or less leaves the result as it is."""
    order = call["ord"] if call.op == "linalg_vector_norm" else call["p"] if call.op == "norm" else 1
    return call.op in ("sum", "nansum", "linalg_vector_norm", "norm") and isinstance(order, int | float) and order > 0


def along_dims(call: Call) -> Result:
    """softmax, cumsum, sort, ...: dimensions that they run along stay whole."""
    source = call.value(call["self"])
    if source is None:
        return None
    dims = call["dim"] if call["dim"] is not None else call["axis"]
    rank = len(source.shape)
    chosen = (
        set(range(rank)) if dims is None else {d % rank for d in (dims if isinstance(dims, list | tuple) else [dims])}
    )
    layers = []
    for layer in source.layers:
        inside = [dim for dim in varying(layer) if dim in chosen]
        if inside and len(inside) < len(varying(layer)):
            layer = call.labels.tie(layer, inside)
        elif inside:
            call.labels.lock(layer, call.why("runs along the channels"))
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
    """Transforms over dimensions of their own (the last two, or the last one, unless they are named)."""
    source = call.value(call["self"])
    if source is None:
        return None
    rank = len(source.shape)
    dims = call["dim"] if call["dim"] is not None else ([-2, -1] if call.op.endswith("2") else [-1])
    chosen = {d % rank for d in (dims if isinstance(dims, list | tuple) else [dims])}
    return Value(call.shape, call.drop(source, chosen, "transforms along them").layers)


def spatial(call: Call) -> Result:
    """Pooling, resampling and padding over the last dimensions: each channel by itself."""
    source = next(call.operands(), None)
    if source is None:
        return None
    found = re.search(r"([123])d", call.op)
    count = int(found.group(1)) if found else 2
    rank = len(source.shape)
    inner = set(range(rank - count, rank))
    layers = []
    for layer in source.layers:
        dims = varying(layer)
        if inner & set(dims) and set(dims) - inner:
            layer = call.labels.tie(layer, [dim for dim in dims if dim in inner])
        elif inner & set(dims):
            call.labels.lock(layer, call.why("pools along them"))
            continue
        layers.append(layer)
    outputs = call.node.meta["val"]
    if isinstance(outputs, list | tuple):
        return tuple(Value(tuple(output.shape), tuple(layers)) for output in outputs)
    return Value(call.shape, tuple(layers))


def embedding(call: Call) -> Result:
    weight = call.value(call["weight"])
    if weight is None:
        return None
    layer = weight.layer(1)
    if layer is None:
        return raw(call.shape)
    call.labels.produced.append(layer.reshape(-1))
    return Value(call.shape, (layer.reshape([1] * (len(call.shape) - 1) + [-1]),))


SPATIAL = (
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d "
    "adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_pool1d_with_indices "
    "max_pool2d_with_indices max_pool3d_with_indices fractional_max_pool2d lp_pool2d upsample_nearest1d "
    "upsample_nearest2d upsample_nearest3d upsample_bilinear2d upsample_bicubic2d upsample_linear1d "
    "upsample_trilinear3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_nearest_exact2d reflection_pad1d "
    "reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d grid_sampler_2d "
    "_adaptive_avg_pool2d grid_sampler"
).split()
REDUCTIONS = (
    "mean sum amax amin prod max min norm linalg_vector_norm var std var_mean std_mean logsumexp argmax argmin any all "
    "median nansum aminmax"
).split()
RULES: dict[str, Rule] = {
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training", "instance_norm"), batch_norm),
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "rms_norm": layer_norm,
    **dict.fromkeys(REDUCTIONS, reduce),
    **dict.fromkeys(
        "softmax _softmax log_softmax cumsum cumprod sort topk argsort logcumsumexp softmin".split(), along_dims
    ),
    **dict.fromkeys(SPATIAL, spatial),
    "embedding": embedding,
    "cosine_similarity": cosine,
    **dict.fromkeys("fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2".split(), fourier),
}
