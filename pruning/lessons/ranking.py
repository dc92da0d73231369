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


def in_doubt(criteria: Sequence[str], measured: Mapping[Row, Evaluation], place: int) -> list[str]:
    """Those that may be at a place of `best_first`, 0 or -1: the one whose mean is there, and each that cannot be told
    from it. So one name is a finding, several are none. In the order of the means, from that place on."""
    order = best_first(criteria, measured)
    at = order[place]
    others = (name for name in order if name != at)
    doubtful = [name for name in others if not (surely_ahead(at, name, measured) or surely_ahead(name, at, measured))]
    return [at, *(doubtful if place == 0 else reversed(doubtful))]


def surely_ahead(first: str, second: str, measured: Mapping[Row, Evaluation]) -> bool:
    """Whether each lot of one criterion does better than each of another: on the same images, by more than the interval
    of the difference."""
    ones, others = (_lots(measured, name) for name in (first, second))
    return all(one.minus(other).interval[0] > 0 for one in ones for other in others)


def beats_every_lot(name: str, measured: Mapping[Row, Evaluation]) -> bool | None:
    """Whether a criterion surely beats every lot of those that draw: on the same images, by more than the interval of
    the difference. None where it was not measured, or nothing was drawn."""
    drawn = {other for other, _ in measured if CRITERIA[other].draws}
    if (name, 0) not in measured or not drawn:
        return None
    return all(surely_ahead(name, other, measured) for other in drawn)


def _mean(measured: Mapping[Row, Evaluation], name: str) -> float:
    values = [evaluation.value for evaluation in _lots(measured, name)]
    return sum(values) / len(values)


def _lots(measured: Mapping[Row, Evaluation], name: str) -> list[Evaluation]:
    return [evaluation for (other, _), evaluation in measured.items() if other == name]
