"""Time one layer, alone, against its widths.

Widths are timed in turn, in a new random order each round, so that a machine that gets slower meanwhile does not make
some widths look slow.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.latency.calls import LayerKind
from pruning.latency.steps import Grid, between

Timer = Callable[[Callable[[], object], int], float]
"""(what to call, how many times in a row) → seconds of one call."""
Bench = Callable[[int, int], Callable[[], object]]
"""A layer's call for so many rows and columns of its weight."""
FINE, COARSE_OUT, COARSE_IN = 32, 8, 6
"""Most output widths at which a layer is timed with its dense input; output and input widths of the coarse grid."""
MOST_ROUNDS, LEAST_ROUNDS = 9, 5
"""How often all widths are timed."""
BURST_SECONDS = 3e-4
"""Calls are repeated so long: a clock's grain and an interruption then matter little."""


def clock(function: Callable[[], object], repeats: int) -> float:
    """Seconds of one call, by the clock."""
    started = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - started) / repeats


def typical(times: list[float]) -> float:
    """The first quartile: interruptions by other work only add to a time, so the low half is nearer to the truth."""
    return statistics.quantiles(times, n=4)[0]


def check_cancel(cancel: Cancel | None) -> None:
    """Raise Cancelled if that was asked for."""
    if cancel is not None and cancel():
        raise Cancelled("Cancelled while timing layers.")


def time_grid(
    kind: LayerKind,
    seconds: float,
    timer: Timer,
    cancel: Cancel | None,
    benches: Callable[[LayerKind], Bench] = LayerKind.benches,
) -> Grid:
    """Time a layer at all output widths with its dense input, and on a coarse grid of both widths. `benches`: what
    gives the layer's calls.

    Times at the other output widths with less input are filled in: the time with the dense input, times what part of
    it the input width leaves at the coarse output widths on both sides.
    """
    return grid_of(kind, _time_points(kind, benches(kind), points_of(kind), seconds, timer, cancel))


def points_of(kind: LayerKind) -> list[tuple[int, int]]:
    """The (output width, input width) at which a layer is timed."""
    fine, inputs, few = _widths_of(kind)
    return [(out, inputs[-1]) for out in fine] + [(out, width) for out in few for width in inputs[:-1]]


def _widths_of(kind: LayerKind) -> tuple[list[int], list[int], list[int]]:
    """Output widths that are timed with the dense input, input widths, and output widths that are timed with each."""
    fine = _sizes(kind, kind.output, chosen_widths, FINE)
    few = sorted({fine[round(i * (len(fine) - 1) / (COARSE_OUT - 1))] for i in range(COARSE_OUT)})
    return fine, _sizes(kind, 1 - kind.output, coarse_widths, COARSE_IN), few


def grid_of(kind: LayerKind, taken: Mapping[tuple[int, int], list[float]]) -> Grid:
    """What the seconds of one call in each round, at each of `points_of` a layer, say of all widths."""
    fine, inputs, few = _widths_of(kind)
    measured = {point: typical(values) * 1000 for point, values in taken.items()}
    rows = []
    for out in fine:
        left = [between(few, [measured[f, width] / measured[f, inputs[-1]] for f in few], out) for width in inputs]
        rows.append(tuple(round(measured[out, inputs[-1]] * part, 5) for part in left))
    by_output = kind.output == 0
    return Grid(
        rows=tuple(fine if by_output else inputs),
        columns=tuple(inputs if by_output else fine),
        times=tuple(rows) if by_output else tuple(zip(*rows, strict=True)),
        noise=round(statistics.median(_noise(values) for values in taken.values()), 4),
    )


def _sizes(kind: LayerKind, dim: int, pick: Callable[[int, int], list[int]], most: int) -> list[int]:
    unit, top = kind.units[dim], kind.weight[dim]
    return [unit * k for k in pick(top // unit, most)] if kind.shrinks[dim] else [top]


def _time_points(
    kind: LayerKind,
    bench: Bench,
    points: list[tuple[int, int]],
    seconds: float,
    timer: Timer,
    cancel: Cancel | None,
) -> dict[tuple[int, int], list[float]]:
    """Seconds of one call in each round, for each (output width, input width)."""
    calls = {(out, width): bench(*(out, width)[:: 1 if kind.output == 0 else -1]) for out, width in points}
    repeats = {}
    for point, call in calls.items():  # the first call of a shape compiles it
        check_cancel(cancel)
        timer(call, 1)
        once = min(timer(call, 1), timer(call, 1))
        repeats[point] = max(1, min(100, round(BURST_SECONDS / max(once, 1e-7))))
    taken: dict[tuple[int, int], list[float]] = {point: [] for point in points}
    generator = random.Random(0)
    spent, rounds = 0.0, 0
    while rounds < LEAST_ROUNDS or (rounds < MOST_ROUNDS and spent * (rounds + 1) / rounds < seconds):
        for point in generator.sample(points, len(points)):
            check_cancel(cancel)
            taken[point].append(timer(calls[point], repeats[point]))
            spent += taken[point][-1] * repeats[point]
        rounds += 1
    return taken


def _noise(values: list[float]) -> float:
    """By what part two first quartiles of such values differ by chance, at most, 19 times of 20.

    The first quartile of nine values has a standard error of 0.45 σ (1.36 σ / √9), the difference of two √2 of that,
    and twice that is 1.3 σ: the distance between the quartiles, which is 1.35 σ.
    """
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle


def chosen_widths(top: int, most: int) -> list[int]:
    """All widths from 1 to `top`, or, where these are too many, 1, `top` and the multiples of 8, 16, ... beside which
    time steps are, with the next wider one (and the next narrower, where there is room).

    >>> chosen_widths(64, 25)[:8]
    [1, 7, 8, 9, 15, 16, 17, 23]
    """
    if top <= most:
        return list(range(1, top + 1))
    step = 8
    while True:
        for beside in ((-1, 0, 1), (0, 1)):
            found = {m + b for m in range(step, top + 1, step) for b in beside} | {1, top}
            found = {width for width in found if width <= top}
            if len(found) <= most:
                return sorted(found)
        step *= 2


def coarse_widths(top: int, most: int) -> list[int]:
    """1 and `most` evenly spaced widths up to `top`."""
    return sorted({1} | {max(1, round(top * part / most)) for part in range(1, most + 1)})
