"""Products of two activations: matrix products, einsum, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pruning.graph.labels import Value, varying
from pruning.graph.rules.call import Call, Product, Result
from pruning.graph.rules.contractions import contract
from pruning.graph.rules.elementwise import join_all


def matmul(call: Call) -> Result:
    return _matrix_product(call, "self", "other")


def mm(call: Call) -> Result:
    """mm and bmm."""
    return _matrix_product(call, "self", "mat2")


def mv(call: Call) -> Result:
    return _matrix_product(call, "self", "vec")


def dot(call: Call) -> Result:
    """dot and vdot."""
    left, right = (call.value(node) for node in call.node.args[:2])
    if left is None or right is None:
        return None
    return _product(call, [(left, "k"), (right, "k")], "", call.node.args[:2])


def addmm(call: Call) -> Result:
    return _matrix_product(call, "mat1", "mat2", added="self")


def baddbmm(call: Call) -> Result:
    return _matrix_product(call, "batch1", "batch2", added="self")


def outer(call: Call) -> Result:
    left, right = call.value(call["self"]), call.value(call["vec2"])
    if left is None or right is None:
        return None
    return _product(call, [(left, "m"), (right, "n")], "mn", (call["self"], call["vec2"]))


def tensordot(call: Call) -> Result:
    """Sums over pairs of dimensions; what is left of the first operand comes before what is left of the second."""
    left, right = call.value(call["self"]), call.value(call["other"])
    if left is None or right is None:
        return None
    first = [chr(ord("a") + dim) for dim in range(len(left.shape))]
    second = [chr(ord("A") + dim) for dim in range(len(right.shape))]
    pairs = [
        (one % len(first), two % len(second)) for one, two in zip(call["dims_self"], call["dims_other"], strict=True)
    ]
    for one, two in pairs:
        second[two] = first[one]
    summed = {first[one] for one, _ in pairs}
    result = "".join(letter for letter in (*first, *second) if letter not in summed)
    operands = [(left, "".join(first)), (right, "".join(second))]
    return _product(call, operands, result, (call["self"], call["other"]))


def distances(call: Call) -> Result:
    """cdist: a sum over the last dimension, to which two zeros add nothing."""
    left, right = call.value(call["x1"]), call.value(call["x2"])
    if left is None or right is None:
        return None
    batch = "abcdefgh"[: max(len(left.shape), len(right.shape)) - 2]
    operands = [
        (left, _tail(batch, len(left.shape) - 2) + "mk"),
        (right, _tail(batch, len(right.shape) - 2) + "nk"),
    ]
    return _product(call, operands, batch + "mn", (call["x1"], call["x2"]))


def _matrix_product(call: Call, left_name: str, right_name: str, added: str | None = None) -> Result:
    left, right = call.value(call[left_name]), call.value(call[right_name])
    if left is None or right is None:
        return None
    batch = "abcdefgh"[: max(len(left.shape), len(right.shape), 2) - 2]
    left_letters = "k" if len(left.shape) == 1 else _tail(batch, len(left.shape) - 2) + "mk"
    right_letters = "k" if len(right.shape) == 1 else _tail(batch, len(right.shape) - 2) + "kn"
    result = batch + ("m" if len(left.shape) > 1 else "") + ("n" if len(right.shape) > 1 else "")
    out = _product(call, [(left, left_letters), (right, right_letters)], result, (call[left_name], call[right_name]))
    more = call.value(call[added]) if added is not None else None
    return out if more is None else join_all(call, [out, more], call.shape)


def _tail(batch: str, count: int) -> str:
    return batch[len(batch) - count :] if count else ""


def _product(
    call: Call, operands: list[tuple[Value, str]], result: str, arguments: Sequence[object], times: int = 1
) -> Value:
    """`contract`, with its MACs noted and weights told from activations."""
    out = contract(call, operands, result, call.shape if times == 1 else tuple(_sizes(operands)[c] for c in result))
    sizes = _sizes(operands)
    macs = math.prod(sizes.values()) // call.walk.trace.batch
    for (value, letters), argument in zip(operands, arguments, strict=True):
        if call.is_weight(argument):
            for letter, dim in ((letter, i) for i, letter in enumerate(letters)):
                layer = value.layer(dim)
                if layer is not None and len(varying(layer)) == 1:
                    notes = call.labels.produced if letter in result else call.labels.consumed
                    notes.append(layer.reshape(-1))
    scales = []
    for letter in sizes:
        for value, letters in operands:
            layer = value.layer(letters.index(letter)) if letter in letters else None
            owner = call.walk.owner(int(layer.reshape(-1)[0])) if layer is not None else None
            if owner is not None:
                scales.append(owner)
                break
    call.walk.products.append(Product(layer=call.module, macs=macs, scales=tuple(dict.fromkeys(scales))))
    return out


def _sizes(operands: Sequence[tuple[Value, str]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value, letters in operands:
        for letter, size in zip(letters, value.shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), size)
    return sizes


def einsum(call: Call) -> Result:
    equation = str(call["equation"]).replace(" ", "")
    nodes = list(call["tensors"])
    values = [call.value(node) for node in nodes]
    if "->" not in equation or any(value is None for value in values):
        return None
    inputs, _, result = equation.partition("->")
    terms = inputs.split(",")
    spare = "".join(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation)
    widest = 0
    for i, (term, value) in enumerate(zip(terms, values, strict=True)):
        assert value is not None
        if "..." in term:
            count = len(value.shape) - (len(term) - 3)
            widest = max(widest, count)
            terms[i] = term.replace("...", _tail(spare[:8], count))
    result = result.replace("...", _tail(spare[:8], widest))
    if any(len(set(term)) != len(term) for term in terms):
        return None
    return _product(call, [(v, t) for v, t in zip(values, terms, strict=True) if v is not None], result, nodes)


def attention(call: Call) -> Result:
    """softmax(q kᵀ) v: whole heads go together; the inner size of a head sets the scale and stays."""
    query, key, value = (call.value(call[name]) for name in ("query", "key", "value"))
    mask = call.value(call["attn_mask"])
    if query is None or key is None or value is None or call["enable_gqa"]:
        return None
    batch = "abcdefgh"[: len(query.shape) - 2]
    nodes = (call["query"], call["key"])
    for operand in (query, key):
        for layer in operand.layers:
            if varying(layer) == (len(operand.shape) - 1,):
                call.labels.lock(layer, call.why("needs the inner size of its one head, which sets its scale"))
    scores = _product(call, [(query, batch + "md"), (key, batch + "nd")], batch + "mn", nodes, times=2)
    if mask is not None:
        scores = join_all(call, [scores, mask], scores.shape)
    return _product(call, [(scores, batch + "mn"), (value, batch + "nv")], batch + "mv", (call.node, call["value"]), 2)
