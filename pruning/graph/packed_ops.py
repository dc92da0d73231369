"""Ops on packed sequences whose lengths are known: what torch's own do that take lengths from a tensor.

`steps` says how many sequences are left at each step, as `batch_sizes` of a packed sequence does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
OPTIONS = "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional"


@torch.library.custom_op(
    "pruning::pack_padded", mutates_args=(), schema="(Tensor input, int[] steps, bool batch_first) -> Tensor"
)
def pack_padded(input: Tensor, steps: Sequence[int], batch_first: bool) -> Tensor:
    """The steps of all sequences one after the other, without padding: sum of `steps` × channels."""
    return aten._pack_padded_sequence(input, torch.tensor(lengths(steps)), batch_first)[0]


@pack_padded.register_fake
def _(input: Tensor, steps: Sequence[int], batch_first: bool) -> Tensor:
    return input.new_empty(sum(steps), *input.shape[2:])


@torch.library.custom_op(
    "pruning::pad_packed",
    mutates_args=(),
    schema="(Tensor input, int[] steps, bool batch_first, float padding_value, int total_length) -> Tensor",
)
def pad_packed(
    input: Tensor, steps: Sequence[int], batch_first: bool, padding_value: float, total_length: int
) -> Tensor:
    """The inverse: a row for each sequence, padded to `total_length` steps."""
    padded = aten._pad_packed_sequence(input, torch.tensor(steps), batch_first, padding_value, total_length)
    return padded[0].clone(memory_format=torch.contiguous_format)


@pad_packed.register_fake
def _(input: Tensor, steps: Sequence[int], batch_first: bool, padding_value: float, total_length: int) -> Tensor:
    sizes = (steps[0], total_length) if batch_first else (total_length, steps[0])
    return input.new_empty(*sizes, *input.shape[1:])


def lengths(steps: Sequence[int]) -> list[int]:
    """Lengths of the sequences, descending.

    >>> lengths([3, 3, 1])
    [3, 2, 2]
    """
    return [sum(left > number for left in steps) for number in range(steps[0])]


def _recurrent(name: str, gates: int, states: int) -> Callable[..., Any]:
    """A recurrent layer in eval mode; `params` and the rest as torch has them, `hx` a list."""
    usual = getattr(aten, name).data

    def run(input: Tensor, steps: Sequence[int], hx: Sequence[Tensor], params: Sequence[Tensor], *rest: Any) -> Any:
        _check(gates, input, steps, hx, params, *rest)
        has_biases, layers, _, _, both = rest
        start = list(hx) if states > 1 else hx[0]
        return usual(input, torch.tensor(steps), start, list(params), has_biases, layers, 0.0, False, both)

    def fake(input: Tensor, steps: Sequence[int], hx: Sequence[Tensor], params: Sequence[Tensor], *rest: Any) -> Any:
        _check(gates, input, steps, hx, params, *rest)
        width = params[1].shape[1] * (2 if rest[-1] else 1)
        return input.new_empty(len(input), width), *(torch.empty_like(state) for state in hx)

    results = ", ".join(["Tensor"] * (1 + states))
    schema = f"(Tensor input, int[] steps, Tensor[] hx, Tensor[] params, {OPTIONS}) -> ({results})"
    op = torch.library.custom_op(f"pruning::packed_{name}", run, mutates_args=(), schema=schema)
    op.register_fake(fake)
    return op


def _check(
    gates: int, input: Tensor, steps: Sequence[int], hx: Sequence[Tensor], params: Sequence[Tensor],
    has_biases: bool, layers: int, dropout: float, train: bool, both: bool,
) -> None:  # fmt: skip
    """Raise RuntimeError unless all sizes fit: torch does not look, and writes over memory where they do not."""
    directions = 2 if both else 1
    per = len(params) // (layers * directions)
    inner, outer = params[0].shape[0] // gates, params[1].shape[1]  # not the same where a projection follows
    wanted: list[tuple[int, ...]] = []
    got: list[tuple[int, ...]] = []
    for number in range(layers * directions):
        width = input.shape[1] if number < directions else directions * outer
        wanted += [(gates * inner, width), (gates * inner, outer)]
        got += [tuple(weight.shape) for weight in params[number * per :][:2]]
    wanted += [(layers * directions, steps[0], size) for size in (outer, inner)[: len(hx)]]
    got += [tuple(state.shape) for state in hx]
    if wanted != got:
        raise RuntimeError(f"sizes of a recurrent layer do not fit: {got} instead of {wanted}")


LAYERS: dict[str, Callable[..., Any]] = {
    f"packed_{name}": _recurrent(name, gates, states)
    for name, gates, states in (("lstm", 4, 2), ("gru", 3, 1), ("rnn_tanh", 1, 1), ("rnn_relu", 1, 1))
}
"""By their names."""
