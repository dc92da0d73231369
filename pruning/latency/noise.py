"""How much of what a clock shows is noise: measured by timing a network against itself beside every comparison (A/A).

Times are compared in blocks (`pruning.latency.clock`). In each of them three copies run in turn: the dense network, the
pruned one, and the dense network once more. The two copies of the dense network should take equally long.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = 6
"""All copies are made afresh for each block: where they lie in memory can bias a clock by several per cent."""
T95 = 2.571
"""Two-sided 95 % quantile of Student's t with BLOCKS − 1 degrees of freedom."""
MOST_APART = 0.03
"""Two copies of one network that differ by more, over all blocks, were not timed on a quiet machine."""
MOST_SPREAD = 0.06
"""Nor was a ratio whose standard deviation from block to block is larger, as a part of it."""
TOO_NOISY = "too noisy to measure"


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What timing a network against itself showed, beside a comparison."""

    same: tuple[float, float, float]
    """Time of the one copy over that of the other: lower end of the 95 % interval, estimate, upper end."""
    spread: float
    """Standard deviation from block to block, as a part: of that ratio or of the one that was asked for, whichever is
    larger."""

    @property
    def is_quiet(self) -> bool:
        """Whether the machine was quiet enough for a time to be one."""
        return abs(math.log(self.same[1])) <= MOST_APART and self.spread <= MOST_SPREAD


def ratio_interval(logs: Sequence[float]) -> tuple[float, float, float]:
    """95 % interval of a ratio and the ratio, lower end first, from its logarithm in each of BLOCKS blocks."""
    assert len(logs) == BLOCKS, "T95 is for so many"
    return _interval(statistics.mean(logs), T95 * statistics.stdev(logs) / math.sqrt(BLOCKS))


def against_itself(logs: Sequence[float], same: Sequence[float]) -> tuple[tuple[float, float, float], Noise]:
    """A ratio with its 95 % interval, and the noise in it.

    `logs`: logarithm of (geometric mean of the times of two copies of one network, over the time of another) in each
    block; `same`: of the first copy's time over the second's.

    The interval is Student's over the blocks. Each network's copies differ from block to block by a random part of the
    same size, so the spread of the copies tells the spread of the ratio as well (3/4 of its variance): the larger of
    the two counts. How far the two copies are apart over all blocks is added: a difference that is no larger is none.

    >>> half, noise = against_itself([0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.01, 0.01, 0.01, 0.01, 0.01, 0.01])
    >>> [round(math.log(end), 3) for end in half], noise.is_quiet
    ([0.09, 0.1, 0.11], True)
    """
    of_ratio, of_copies = statistics.stdev(logs), statistics.stdev(same)
    apart = abs(statistics.mean(same))
    deviation = max(of_ratio, math.sqrt(3 / 4) * of_copies)
    ratio = _interval(statistics.mean(logs), T95 * deviation / math.sqrt(BLOCKS) + apart)
    return ratio, Noise(same=ratio_interval(same), spread=max(of_ratio, of_copies))


def _interval(centre: float, half: float) -> tuple[float, float, float]:
    return math.exp(centre - half), math.exp(centre), math.exp(centre + half)
