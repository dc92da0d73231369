"""Which of several criteria did best at the same budget: means over the lots that some draw, and who is ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pruning.criteria import CRITERIA

if TYPE_CHECKING:
    from pruning.training.evaluate import Evaluation

Row = tuple[str, int]
"""A criterion's name and the lot it was drawn with; 0 for one that draws none."""


def rows_of(criteria: Sequence[str], lots: int) -> list[Row]:
    """Every measurement to make: `lots` of a criterion that draws, one of any other."""
    return [(name, lot) for name in criteria for lot in range(lots if CRITERIA[name].draws else 1)]


def best_first(criteria: Sequence[str], measured: Mapping[Row, Evaluation]) -> list[str]:
    """The criteria by their mean over lots, the highest first; those alike stay in their order."""
    return sorted(criteria, key=lambda name: _mean(measured, name), reverse=True)


def beats_every_lot(name: str, measured: Mapping[Row, Evaluation]) -> bool | None:
    """Whether a criterion surely beats every lot of those that draw: on the same images, by more than the interval of
    the difference. None where it was not measured, or nothing was drawn."""
    lots = [evaluation for (other, _), evaluation in measured.items() if CRITERIA[other].draws]
    if (name, 0) not in measured or not lots:
        return None
    return all(measured[name, 0].minus(lot).interval[0] > 0 for lot in lots)


def _mean(measured: Mapping[Row, Evaluation], name: str) -> float:
    values = [evaluation.value for (other, _), evaluation in measured.items() if other == name]
    return sum(values) / len(values)
