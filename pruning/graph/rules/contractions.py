"""Calls that sum products: convolution, linear, matrix products, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import torch
from torch import Tensor

from pruning.graph.labels import MEETS_RAW, Value, along, varying
from pruning.graph.rules.call import FOLD, Call, Contraction, Result, Walk
from pruning.graph.rules.elementwise import join_all
from pruning.graph.trace import PARAMETRIZATIONS, positions, shape_of


def layer_name(tensor: str) -> str:
    """The module that a weight belongs to; a parameter that is no module's `weight` stands for itself."""
    owner, _, computed = tensor.partition(f".{PARAMETRIZATIONS}.")
    if computed.startswith("weight"):
        return owner
    path, _, name = tensor.rpartition(".")
    return path if path and (name == "weight" or name.startswith("weight_") or name == "in_proj_weight") else tensor


def contract(
    call: Call,
    operands: Sequence[tuple[Value, str]],
    result: str,
    shape: tuple[int, ...],
    fixed_reason: str = MEETS_RAW,
) -> Value:
    """Labels of a sum of products in which each dimension of each operand has a letter (as in einsum).

    Letters that are not in `result` are summed over. What is summed over must lose the same indices in all operands,
    and so must letters that several operands share. `fixed_reason`: why they stay where an operand keeps them all.
    """
    labels = call.labels
    vectors: list[dict[str, Tensor]] = [{} for _ in operands]
    whole: list[tuple[int, Tensor, str]] = []  # layers along several dimensions that pass as they are
    for number, (value, letters) in enumerate(operands):
        for layer in value.layers:
            dims = varying(layer)
            outer = [dim for dim in dims if letters[dim] in result]
            inner = [dim for dim in dims if letters[dim] not in result]
            if outer and (inner or len(dims) == 1):
                vectors[number][letters[outer[0]]] = labels.slab(layer, outer[0])
            elif outer:
                shared = [
                    dim
                    for dim in outer
                    if any(letters[dim] in other for i, (_, other) in enumerate(operands) if i != number)
                ]
                if shared:
                    vectors[number][letters[shared[0]]] = labels.slab(layer, shared[0])
                else:
                    whole.append((number, layer, letters))
            elif len(inner) == 1:
                vectors[number][letters[inner[0]]] = layer.reshape(-1)
            else:
                labels.lock(layer, call.why("sums over them in several dimensions"))
    out: list[Tensor] = []
    for letter in dict.fromkeys(letter for found in vectors for letter in found):
        have = [found[letter] for found in vectors if letter in found]
        fixed = any(
            letter in letters and value.shape[letters.index(letter)] > 1 and letter not in found
            for (value, letters), found in zip(operands, vectors, strict=True)
        )
        for other in have[1:]:
            labels.join(have[0], other)
        if fixed:
            for vector in have:
                labels.lock(vector, call.why(fixed_reason))
        elif letter in result:
            out.append(along(have[0], result.index(letter), len(result)))
        else:
            call.note_sum(have[0])
    for _, layer, letters in whole:
        order = [letters.index(letter) if letter in letters else None for letter in result]
        summed = [d for d in range(layer.dim()) if d not in order]  # of size 1: it does not vary along them
        moved = layer.permute([*(d for d in order if d is not None), *summed])
        out.append(moved.reshape([1 if d is None else layer.shape[d] for d in order]))
    return Value(shape, tuple(out))


def linear(call: Call) -> Result:
    source, weight, bias = (call.value(call[name]) for name in ("input", "weight", "bias"))
    if source is None or weight is None or len(weight.shape) != 2:
        return None
    batch = "abcdefgh"[: len(source.shape) - 1]
    fixed_reason = MEETS_RAW if weight.layer(1) is not None else _cannot_shrink(call)
    out = contract(call, [(source, batch + "i"), (weight, "oi")], batch + "o", call.shape, fixed_reason)
    _note_weight(call, weight, 0, 1)
    _note_macs(call, "linear", positions(call.shape, len(call.shape) - 1, call.samples), len(call.shape) - 1)
    return out if bias is None else join_all(call, [out, bias], call.shape)


def _note_weight(call: Call, weight: Value, out_dim: int, in_dim: int) -> None:
    """Remember which labels a weight makes and which it reads."""
    for dim, notes in ((out_dim, call.labels.produced), (in_dim, call.labels.consumed)):
        layer = weight.layer(dim)
        if layer is not None and len(varying(layer)) == 1:
            notes.append(layer.reshape(-1))


def _note_macs(call: Call, kind: str, times: int, channel_dim: int) -> None:
    name = parameter_behind(call.walk, call["weight"])
    if name is None:
        return
    used = math.prod(shape_of(call["weight"]))
    whole = next(math.prod(shape_of(n)) for n in call.walk.trace.nodes if call.walk.trace.tensors.get(n.name) == name)
    made = Contraction(
        layer=layer_name(name),
        tensor=name,
        kind=kind,
        macs_per_weight=Fraction(times * used, whole),
        output_shape=call.shape[1:] if channel_dim else call.shape,
        output_dim=max(channel_dim - 1, 0),
        channel_dim=channel_dim,
    )
    sites = call.walk.contractions
    if used < whole and any(site.tensor == name for site in sites):  # another part of a weight that was met before
        place = next(i for i, site in enumerate(sites) if site.tensor == name)
        sites[place] = replace(made, macs_per_weight=made.macs_per_weight + sites[place].macs_per_weight)
    else:
        sites.append(made)


def parameter_behind(walk: Walk, argument: object) -> str | None:
    """The largest parameter or buffer that a weight is computed from without the network's input."""
    found: list[tuple[int, str]] = []
    todo, seen = [argument], set()
    while todo:
        node = todo.pop()
        if not isinstance(node, torch.fx.Node) or node in seen or node in walk.from_input:
            continue
        seen.add(node)
        name = walk.trace.tensors.get(node.name)
        if name is not None:
            found.append((node.meta["val"].numel(), name))
        todo.extend(node.all_input_nodes)
    return max(found, key=lambda item: item[0])[1] if found else None


def convolution(call: Call) -> Result:
    return convolved(call, transposed=bool(call["transposed"]))


def transposed_convolution(call: Call) -> Result:
    return convolved(call, transposed=True)


def convolved(call: Call, *, transposed: bool) -> Value | None:
    """What a convolution makes of its channels; None where an operand is unknown."""
    source, weight, bias = (call.value(call[name]) for name in ("input", "weight", "bias"))
    if source is None or weight is None:
        return None
    labels = call.labels
    spatial = len(weight.shape) - 2
    channel = len(source.shape) - spatial - 1
    groups = int(call["groups"] or 1)
    weight = call.drop(weight, set(range(2, len(weight.shape))), "uses the kernel as a whole")
    rank = len(call.shape)
    layers = []
    incoming: Tensor | None = None
    for layer in source.layers:
        if layer.shape[channel] > 1:
            incoming = labels.slab(layer, channel)
        elif any(dim > channel for dim in varying(layer)):
            labels.lock(layer, call.why("convolves along them"))
        else:
            layers.append(layer)
    out_dim, in_dim = (1, 0) if transposed else (0, 1)
    outgoing, reading = _vector(weight, out_dim), _vector(weight, in_dim)
    if groups == 1:
        _meet(call, incoming, reading)
    else:
        outgoing = _grouped(call, incoming, weight, groups, transposed)
    if outgoing is not None:
        layers.append(along(outgoing, channel, rank))
    if groups == 1 or outgoing is None or incoming is None or not _whole_groups(weight, groups, transposed):
        _note_weight(call, weight, out_dim, in_dim)
    per_weight = math.prod(source.shape[channel + 1 :] if transposed else call.shape[channel + 1 :])
    _note_macs(call, "conv", per_weight * math.prod(call.shape[:channel]) // call.samples, channel)
    out = Value(call.shape, tuple(layers))
    if bias is None:
        return out
    wide = (-1,) + (1,) * spatial
    shaped = Value((bias.shape[0],) + (1,) * spatial, tuple(layer.reshape(wide) for layer in bias.layers))
    return join_all(call, [out, shaped], call.shape)


def _vector(weight: Value, dim: int) -> Tensor | None:
    layer = weight.layer(dim)
    return None if layer is None else layer.reshape(-1) if len(varying(layer)) == 1 else None


def _meet(call: Call, incoming: Tensor | None, reading: Tensor | None) -> None:
    if incoming is not None and reading is not None:
        call.labels.join(incoming, reading)
    elif reading is not None:
        call.labels.lock(reading, call.why("reads values that no layer makes"))
    elif incoming is not None:
        call.labels.lock(incoming, call.why(_cannot_shrink(call)))


def _cannot_shrink(call: Call) -> str:
    weight = call["weight"]
    if not call.is_weight(weight):
        return "reads them with a weight that is computed from the data, which cannot shrink with them"
    if parameter_behind(call.walk, weight) is None:
        return "reads them with a constant, which cannot shrink: make it a parameter or a buffer of its module"
    return f"reads them with a weight that is computed from all of them together: {FOLD}"


def _whole_groups(weight: Value, groups: int, transposed: bool) -> bool:
    """Whether the groups have one channel on a side, so that they go as a whole: each goes on with its input."""
    per_in = weight.shape[0] // groups if transposed else weight.shape[1]
    per_out = weight.shape[1] if transposed else weight.shape[0] // groups
    return 1 in (per_in, per_out)


def _grouped(call: Call, incoming: Tensor | None, weight: Value, groups: int, transposed: bool) -> Tensor | None:
    """A convolution in groups: whole groups go where each has a single channel on a side, else the same place goes in
    every group."""
    labels = call.labels
    first, second = _vector(weight, 0), _vector(weight, 1)
    per_in = weight.shape[0] // groups if transposed else weight.shape[1]
    per_out = weight.shape[1] if transposed else weight.shape[0] // groups
    whole = _whole_groups(weight, groups, transposed)
    if transposed:
        # weight: in × out/groups. Outputs have no labels of their own in it: they go with the inputs of their group.
        if whole and incoming is not None and first is not None:
            labels.join(incoming, first)
            lead = labels.tie(incoming.reshape(groups, per_in), [1]).reshape(-1)
            if second is not None:
                labels.lock(second, call.why("shares them among its groups"))
            call.size("groups", groups, first)
            return lead.repeat_interleave(per_out)
        places = second.repeat(groups) if second is not None else None
        if first is not None:
            inner = first.reshape(groups, per_in)
            labels.join(inner, inner[:1])
            _meet(call, incoming, first)
        return places
    if first is None:
        if incoming is not None:
            labels.lock(incoming, call.why(_cannot_shrink(call)))
        return None
    outer = first.reshape(groups, per_out)
    if incoming is not None and whole:
        call.size("groups", groups, first)
        labels.join(incoming.reshape(groups, per_in), outer[:, :1])
        labels.join(outer, outer[:, :1])
        labels.tie(incoming.reshape(groups, per_in), [1])
        if second is not None:
            labels.lock(second, call.why("has whole groups removed, not their inputs"))
        return first
    labels.join(outer, outer[:1])
    if incoming is not None:
        inner = incoming.reshape(groups, per_in)
        labels.join(inner, inner[:1])
        _meet(call, inner[0] if per_in > 1 else None, second)
    elif second is not None:
        labels.lock(second, call.why("reads values that no layer makes"))
    return first


def bilinear(call: Call) -> Result:
    """x1ᵀ W x2: the weight has an output, and an input for each side."""
    first, second, weight, bias = (call.value(call[name]) for name in ("input1", "input2", "weight", "bias"))
    if first is None or second is None or weight is None:
        return None
    batch = "abcdefgh"[: len(first.shape) - 1]
    operands = [(first, batch + "i"), (second, batch + "j"), (weight, "oij")]
    out = contract(call, operands, batch + "o", call.shape)
    for dim, notes in ((0, call.labels.produced), (1, call.labels.consumed), (2, call.labels.consumed)):
        layer = weight.layer(dim)
        if layer is not None:
            notes.append(layer.reshape(-1))
    _note_macs(call, "linear", positions(call.shape, len(call.shape) - 1, call.samples), len(call.shape) - 1)
    return out if bias is None else join_all(call, [out, bias], call.shape)
