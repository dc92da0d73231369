"""Criteria: one score per prunable unit, low = removed first. `CRITERIA` lists them all.

A new one is a file with its record beside these, and its line in the table; app, command line, lessons and tests take
it from there.
"""

from __future__ import annotations

import reprlib

from pruning.base.errors import InputError
from pruning.criteria import batch_norm, norms, taylor, uninformed
from pruning.criteria.record import NEEDS, Criterion, Evidence, Need, Parameter
from pruning.granularity import Granularity

__all__ = ["CRITERIA", "NEEDS", "Criterion", "Evidence", "Need", "Parameter", "criteria_for", "find_criterion"]

CRITERIA: dict[str, Criterion] = {
    criterion.name: criterion
    for criterion in (
        norms.L2,
        norms.L1,
        uninformed.RANDOM,
        uninformed.LARGEST,
        batch_norm.BN_SCALE,
        taylor.TAYLOR,
    )
}


def find_criterion(name: object) -> Criterion:
    """The criterion of that name.

    Raises:
        InputError: there is none.
    """
    if not isinstance(name, str) or name not in CRITERIA:
        raise InputError(f"There is no criterion {reprlib.repr(name)}. Choose one of: {', '.join(CRITERIA)}.")
    return CRITERIA[name]


def criteria_for(granularity: Granularity | None = None, *, images: bool = True) -> tuple[Criterion, ...]:
    """The criteria that rank things of a granularity (None: of any); without `images` those that need none."""
    return tuple(
        criterion
        for criterion in CRITERIA.values()
        if (granularity is None or granularity in criterion.granularities) and (images or not criterion.needs_images)
    )
