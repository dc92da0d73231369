"""Time a model against another in the same minute, and against itself: in turn, by medians, with an interval."""

from __future__ import annotations

import copy
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.base.intervals import Z95
from pruning.latency.noise import BLOCKS, TOO_NOISY, Noise, against_itself
from pruning.latency.threads import timing_threads, with_threads

ENGINE = "PyTorch eager, float32, CPU"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Time of one forward pass in milliseconds: median over the repeats and its 95 % interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models timed in turn."""

    batch: int
    dense: Timing
    pruned: Timing
    speedup: tuple[float, float, float]
    """Dense time over pruned time: lower end of the 95 % interval, estimate, upper end."""
    pairs: int
    """How often each was timed."""
    threads: int
    engine: str = ENGINE
    noise: Noise | None = None
    """Of the dense network against itself; None where that was not measured."""
    at: datetime | None = None
    """When; None where that was not noted."""

    @property
    def time_left(self) -> tuple[float, float, float]:
        """Pruned time over dense time: lower end of the 95 % interval, estimate, upper end."""
        low, middle, high = self.speedup
        return 1 / high, 1 / middle, 1 / low

    @property
    def verdict(self) -> str:
        """In words, claiming no more than the interval shows."""
        return verdict(self.speedup) if self.quiet else TOO_NOISY

    @property
    def quiet(self) -> bool:
        """Whether the machine was quiet enough. Where it was not, nothing is to be said of the times but that."""
        return self.noise is None or self.noise.is_quiet


def shows(speedup: tuple[float, float, float]) -> bool:
    """Whether the clock shows a difference at all: the interval does not hold 1."""
    return not speedup[0] <= 1 <= speedup[2]


def short(speedup: tuple[float, float, float]) -> str:
    """A speed-up as one number, claiming no more than the interval shows.

    >>> short((1.5, 1.6, 1.7)), short((0.97, 1.01, 1.05))
    ('1.60×', 'same')
    """
    return f"{speedup[1]:.2f}×" if shows(speedup) else "same"


def verdict(speedup: tuple[float, float, float]) -> str:
    """A speed-up and its interval in words, claiming no more than the interval shows.

    >>> verdict((0.97, 1.01, 1.05))
    'no measurable speed-up (0.97–1.05×)'
    """
    low, middle, high = speedup
    if low > 1:
        return f"{middle:.2f}× as fast ({low:.2f}–{high:.2f})"
    if high < 1:
        return f"slower: {middle:.2f}× ({low:.2f}–{high:.2f})"
    return f"no measurable speed-up ({low:.2f}–{high:.2f}×)"


LEAST_TRIPLES, MOST_TRIPLES = 5, 24
"""Of a block: more of them narrow nothing, since what differs from block to block is far more than what is left of
chance within one."""
WARM = 1 / 8
"""Part of a block's time for which each copy runs before it is timed."""
ORDERS = tuple(itertools.permutations(range(3)))
"""In which the dense copy, the pruned one and the second dense one are made, and take turns."""
Call = Callable[[], object]
"""One forward pass."""
Maker = Callable[[], Call]
"""Gives a fresh copy of a network, to be called."""
Rest = Callable[[float], bool]
"""Called before a measurement of so many seconds: lets others compute for a while where it is time to, and whether it
did."""


def compare_latency(
    dense: nn.Module,
    pruned: nn.Module,
    input_shape: tuple[int, ...],
    batch: int,
    *,
    seconds: float = 1.8,
    threads: int | None = None,
    rest: Rest = lambda seconds: False,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Time both models in PyTorch, eager and in float32, on the same random input; they are not changed. The rest as in
    `compare`.

    Raises:
        Cancelled: as there.
    """
    images = torch.randn(batch, *input_shape, generator=torch.Generator().manual_seed(0))
    return compare(
        partial(_eager, dense, images),
        partial(_eager, pruned, images),
        batch=batch,
        seconds=seconds,
        threads=threads,
        rest=rest,
        cancel=cancel,
        clock=clock,
    )


def _eager(model: nn.Module, images: Tensor) -> Call:
    return partial(copy.deepcopy(model).float().eval(), images)


@torch.no_grad()
def compare(
    dense: Maker,
    pruned: Maker,
    *,
    batch: int,
    engine: str = ENGINE,
    seconds: float = 1.8,
    threads: int | None = None,
    rest: Rest = lambda seconds: False,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Time copies of two networks in turn with a second copy of the first, which of them first changing from turn to
    turn. `batch` and `engine` say what the copies take and what they run on.

    Each turn repeats the forward pass until it takes about 2 ms, so that the clock's grain and a single interruption
    matter little. A block's ratio is the median over its triples; see `pruning.latency.noise` for what is made of the
    blocks. `seconds`: the whole, as far as five triples a block fit into it. `threads`: of PyTorch, and said of the
    copies, which see to their own; None: as the owner's settings say. `rest`: such as `Quiet.rest`.

    Raises:
        Cancelled: `cancel()` became true, or what `rest` raises.
    """
    threads = threads or timing_threads()
    times: list[list[float]] = [[], [], []]
    logs: list[float] = []
    same: list[float] = []
    with with_threads(threads):
        for block in range(BLOCKS):
            copies = _Copies((dense, pruned, dense), ORDERS[block % len(ORDERS)], clock)
            rest(seconds / BLOCKS)
            taken = list(copies.run(seconds / BLOCKS, rest, cancel))
            for own, more in zip(times, zip(*taken, strict=True), strict=True):
                own += more
            logs.append(statistics.median(math.log(math.sqrt(a * b) / small) for a, small, b in taken))
            same.append(statistics.median(math.log(a / b) for a, _, b in taken))
    speedup, noise = against_itself(logs, same)
    return Comparison(
        batch=batch,
        dense=_timing(times[0] + times[2]),
        pruned=_timing(times[1]),
        speedup=speedup,
        pairs=len(times[1]),
        threads=threads,
        engine=engine,
        noise=noise,
        at=datetime.now(UTC),
    )


class _Copies:
    """Fresh copies of three networks, timed in turn."""

    def __init__(self, makers: tuple[Maker, ...], order: Sequence[int], clock: Callable[[], float]) -> None:
        made = {side: makers[side]() for side in order}
        self._copies = [made[side] for side in range(len(makers))]
        self._clock = clock

    def run(self, seconds: float, rest: Rest, cancel: Cancel | None) -> Iterator[tuple[float, ...]]:
        """Seconds of one forward pass of each copy, again and again until the time is up."""
        until = self._clock() + seconds
        repeats = [self._warm_up(call, seconds * WARM) for call in self._copies]
        turn = 0.0
        for number in range(MOST_TRIPLES):
            if number >= LEAST_TRIPLES and self._clock() >= until:
                return
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while timing.")
            if rest(turn):
                for call in self._copies:  # others computed meanwhile
                    self._time(call, 1)
            taken = [0.0] * len(self._copies)
            for side in ORDERS[number % len(ORDERS)]:
                taken[side] = self._time(self._copies[side], repeats[side])
            turn = sum(value * count for value, count in zip(taken, repeats, strict=True))
            yield tuple(taken)

    def _warm_up(self, call: Call, seconds: float) -> int:
        """How many forward passes take about 2 ms, after a while."""
        until = self._clock() + seconds
        once = self._time(call, 1)
        while self._clock() < until:
            once = min(once, self._time(call, 1))
        return max(1, round(0.002 / max(once, 1e-6)))

    def _time(self, call: Call, repeats: int) -> float:
        started = self._clock()
        for _ in range(repeats):
            call()
        return (self._clock() - started) / repeats


def _timing(seconds: list[float]) -> Timing:
    low, median, high = median_interval(seconds)
    return Timing(median=median * 1000, low=low * 1000, high=high * 1000)


def median_interval(values: list[float]) -> tuple[float, float, float]:
    """95 % interval of the median and the median, from order statistics: no assumption on how times spread.

    The ranks are n/2 ∓ 0.98·√n (normal approximation of the binomial; Conover, Practical Nonparametric Statistics).
    """
    ordered = sorted(values)
    count = len(ordered)
    reach = Z95 * count**0.5 / 2
    low = ordered[max(0, int(count / 2 - reach) - 1)]
    high = ordered[min(count - 1, int(count / 2 + reach) + 1)]
    middle = ordered[count // 2] if count % 2 else (ordered[count // 2 - 1] + ordered[count // 2]) / 2
    return low, middle, high
