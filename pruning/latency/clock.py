"""Time a model against another in the same minute: interleaved pairs, medians, and an interval of the ratio."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.base.files import cache_dir
from pruning.base.intervals import Z95

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
    threads: int
    engine: str = ENGINE

    @property
    def time_left(self) -> tuple[float, float, float]:
        """Pruned time over dense time: lower end of the 95 % interval, estimate, upper end."""
        low, middle, high = self.speedup
        return 1 / high, 1 / middle, 1 / low

    @property
    def verdict(self) -> str:
        """In words, claiming no more than the interval shows."""
        return verdict(self.speedup)


def shows(speedup: tuple[float, float, float]) -> bool:
    """Whether the clock shows a difference at all: the interval does not hold 1."""
    return not speedup[0] <= 1 <= speedup[2]


def short(speedup: tuple[float, float, float]) -> str:
    """A speed-up as one number, claiming no more than the interval shows.

    >>> short((1.5, 1.6, 1.7)), short((0.97, 1.01, 1.05))
    ('1.60×', '≈ 1×')
    """
    return f"{speedup[1]:.2f}×" if shows(speedup) else "≈ 1×"


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


BLOCKS = 6
"""Both models are copied afresh for each block: where copies lie in memory can bias a clock by several per cent."""
PAIRS = 32
"""Of a block at most: more of them narrow nothing, since what differs from block to block is far more than what is
left of chance within one."""
T95 = 2.571
"""Two-sided 95 % quantile of Student's t with BLOCKS − 1 degrees of freedom."""


@torch.no_grad()
def compare_latency(
    dense: nn.Module,
    pruned: nn.Module,
    input_shape: tuple[int, ...],
    batch: int,
    *,
    seconds: float = 1.8,
    cancel: Cancel | None = None,
) -> Comparison:
    """Time both models on the same input, in turn, which of them first changing from pair to pair.

    Each side of a pair repeats the forward pass until it takes about 2 ms, so that the clock's grain and a single
    interruption matter little. The ratio is the geometric mean over BLOCKS blocks of the median ratio of a block's
    pairs, its interval Student's over the blocks: pairs of one block share their memory layout, blocks do not.
    """
    images = torch.randn(batch, *input_shape, generator=torch.Generator().manual_seed(0))
    times: tuple[list[float], list[float]] = ([], [])
    block_logs: list[float] = []
    for block in range(BLOCKS):
        order = (0, 1) if block % 2 == 0 else (1, 0)
        sources = (dense, pruned)
        copies: dict[int, nn.Module] = {side: copy.deepcopy(sources[side]).float().eval() for side in order}
        repeats = {side: _repeats(copies[side], images) for side in order}
        ratios: list[float] = []
        until = time.perf_counter() + seconds / BLOCKS
        while len(ratios) < 5 or (time.perf_counter() < until and len(ratios) < PAIRS):
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while timing.")
            taken = {side: _time(copies[side], images, repeats[side]) for side in order}
            order = order[::-1]
            ratios.append(taken[0] / taken[1])
            for side in order:
                times[side].append(taken[side])
        block_logs.append(math.log(statistics.median(ratios)))
    return Comparison(
        batch=batch,
        dense=_timing(times[0]),
        pruned=_timing(times[1]),
        speedup=ratio_interval(block_logs),
        pairs=len(times[0]),
        threads=torch.get_num_threads(),
    )


def ratio_interval(block_logs: list[float]) -> tuple[float, float, float]:
    """95 % interval of a ratio and the ratio, lower end first, from its logarithm in each of BLOCKS blocks."""
    assert len(block_logs) == BLOCKS, "T95 is for so many"
    centre = statistics.mean(block_logs)
    half = T95 * statistics.stdev(block_logs) / math.sqrt(BLOCKS)
    return math.exp(centre - half), math.exp(centre), math.exp(centre + half)


def _repeats(model: nn.Module, images: Tensor) -> int:
    """Warm the model up for 50 ms; how many forward passes take about 2 ms."""
    warm_until = time.perf_counter() + 0.05
    once = _time(model, images, 1)
    while time.perf_counter() < warm_until:
        once = min(once, _time(model, images, 1))
    return max(1, round(0.002 / max(once, 1e-6)))


def _time(model: nn.Module, images: Tensor, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        model(images)
    return (time.perf_counter() - started) / repeats


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


@contextlib.contextmanager
def quiet_machine(cancel: Cancel | None = None, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold this machine for training or timing: one at a time over all processes, so that no clock runs beside
    a training. `waiting()` is called once if another run has to end first.

    Raises:
        Cancelled: `cancel()` became true while waiting.
    """
    path = cache_dir() / "busy.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if cancel is not None and cancel():
                    raise Cancelled("Cancelled while waiting for another run to end.") from None
                if not told and waiting is not None:
                    waiting()
                    told = True
                time.sleep(0.2)
        yield
