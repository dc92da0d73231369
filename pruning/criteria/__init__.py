"""Criteria: one score per prunable unit, low = removed first. `CRITERIA` lists them all.

A criterion is a pure function from a matrix, units × weights that make the unit, to one score a unit. For weight
pruning every weight is a unit of its own, one row each. For coupled layers the row of a unit holds the weights of
every layer that makes it, so its norm is the norm of everything that goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from pruning.base.errors import InputError
from pruning.criteria import norms, uninformed

Score = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One way of ranking units."""

    name: str
    title: str
    explanation: str
    score: Score
    control: bool = False
    """A baseline that a good criterion should beat, not advice."""


CRITERIA: dict[str, Criterion] = {
    criterion.name: criterion
    for criterion in (
        Criterion(
            name="l2",
            title="L2 norm",
            explanation="Remove what has the smallest root of summed squares.",
            score=norms.l2,
        ),
        Criterion(
            name="l1",
            title="L1 norm",
            explanation="Remove what has the smallest sum of magnitudes.",
            score=norms.l1,
        ),
        Criterion(
            name="random",
            title="random",
            explanation="Remove by lot: what any criterion must beat.",
            score=uninformed.random,
            control=True,
        ),
        Criterion(
            name="largest",
            title="largest first",
            explanation="Remove the largest: a control that should fail.",
            score=uninformed.largest,
            control=True,
        ),
    )
}


def find_criterion(name: str) -> Criterion:
    """The criterion of that name.

    Raises:
        InputError: there is none.
    """
    if not isinstance(name, str) or name not in CRITERIA:
        raise InputError(f"There is no criterion '{name}'. Choose one of: {', '.join(CRITERIA)}.")
    return CRITERIA[name]
