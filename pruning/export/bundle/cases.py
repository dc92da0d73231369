"""Inputs with the answers that a network of this process gives to them: what each form of a bundle is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, first_line
from pruning.export.bundle.material import answers, holding
from pruning.graph.inputs import Inputs

ABSOLUTE = RELATIVE = 1e-4
"""An answer y may differ by ABSOLUTE + RELATIVE · |y|."""
BATCHES = (1, 2, 5)
"""Samples in a batch, of which one at most is the example's; the last one trains."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One batch."""

    batch: int
    inputs: tuple[np.ndarray, ...]
    expected: tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How near answers are to those expected."""

    largest: float
    """|Δ|, of all numbers."""
    worst: float
    """|Δ| as a share of what is allowed, of all numbers; above 1 is too much."""
    tops: int
    """Samples whose first class is clear: its lead is more than may differ."""
    other_tops: int
    """Of them those that got another first class."""

    @property
    def holds(self) -> bool:
        return self.worst <= 1 and not self.other_tops


def cases(model: nn.Module, inputs: Inputs, samples: Tensor | None = None) -> tuple[Case, ...]:
    """Random inputs in batches of several sizes, as far as the network takes them; `samples` in a batch before these.

    Raises:
        InputError: it fails on all of them.
    """
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    sizes = BATCHES if inputs.has_batch else (inputs.batch,)
    given = [inputs.random(size, dtype, seed=size) for size in sizes]
    if samples is not None:
        given.insert(0, holding(inputs, samples.to(dtype)))
    found, trouble = [], ""
    for each in given:
        try:
            out = answers(model, each)
        except Exception as error:  # a network of somebody else raises anything
            trouble = f"the network fails on a batch of {each.batch} ({first_line(error)})"
        else:
            found.append(Case(batch=each.batch, inputs=_arrays(each.tensors), expected=_arrays(out)))
    if not found:
        raise InputError(trouble)
    return tuple(found)


def compared(expected: Sequence[np.ndarray], given: Sequence[np.ndarray]) -> Agreement | str:
    """How near the answers are; in words where they cannot be compared."""
    if len(expected) != len(given):
        return f"it gives {len(given)} tensors in place of {len(expected)}"
    largest = worst = 0.0
    tops = others = 0
    for place, (want, have) in enumerate(zip(expected, given, strict=True)):
        if want.shape != have.shape:
            return f"its answer has the shape {have.shape} in place of {want.shape}"
        if not want.size:
            continue
        with np.errstate(all="ignore"):
            one, other = want.astype(np.float64), have.astype(np.float64)
            apart = np.where((one == other) | (np.isnan(one) & np.isnan(other)), 0.0, np.abs(one - other))
            allowed = ABSOLUTE + RELATIVE * np.abs(one)
            apart, share = (np.nan_to_num(value, nan=np.inf) for value in (apart, apart / allowed))
        largest, worst = max(largest, float(apart.max())), max(worst, float(share.max()))
        if place == 0 and one.ndim == 2 and one.shape[1] > 1:
            order = np.sort(one, axis=1)
            clear = order[:, -1] - order[:, -2] > ABSOLUTE + RELATIVE * np.abs(order[:, -1])
            tops += int(clear.sum())
            others += int((clear & (one.argmax(1) != other.argmax(1))).sum())
    return Agreement(largest=largest, worst=worst, tops=tops, other_tops=others)


def without_control(found: Sequence[Case]) -> str | None:
    """Why agreement on these proves nothing; None where it does: the answers to two inputs are then further apart than
    answers may be from those expected."""
    rows = [np.concatenate([case.expected[k] for case in found]) for k in _batched(found)]
    if any(not np.isfinite(array).all() for case in found for array in case.expected):
        return "the network's own answers hold NaN or infinity"
    for each in rows:
        one, other = each[:-1].astype(np.float64), each[1:].astype(np.float64)
        if (np.abs(one - other) > ABSOLUTE + RELATIVE * np.abs(one)).any():
            return None
    if not rows:
        return "the answers have no samples that could be told apart"
    return "the network's own answers are the same whatever the input"


def _batched(found: Sequence[Case]) -> list[int]:
    """Numbers of the answers that have a sample for each of the inputs, and one shape at all batch sizes."""
    count = min(len(case.expected) for case in found)
    return [
        k
        for k in range(count)
        if all(case.expected[k].ndim and len(case.expected[k]) == case.batch for case in found)
        and len({case.expected[k].shape[1:] for case in found}) == 1
    ]


def _arrays(tensors: Sequence[Tensor]) -> tuple[np.ndarray, ...]:
    return tuple((t.float() if t.dtype == torch.bfloat16 else t).detach().contiguous().numpy() for t in tensors)
