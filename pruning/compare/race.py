"""Two networks race over the same pictures: equal time for each, in short turns, and who has classified more.

A turn gives each network the same little time, which of them first by chance, so that at every moment the two counts
can be compared. The verdict is over medians, which a single pause of the machine does not move. Networks are copied
afresh for each of `BLOCKS` parts of the race, as `pruning.latency.clock` does and for the same reason; the interval of
the ratio is over these. A second copy of the first network runs along unseen, half as long a turn: how far it is from
the first one tells how much is noise.
"""

from __future__ import annotations

import copy
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.latency.clock import Rest, shows, verdict
from pruning.latency.noise import BLOCKS, MOST_APART, MOST_SPREAD, TOO_NOISY, Noise, against_itself

SECONDS = 2.0
"""What the faster network computes in a race; with the other in turn it takes twice that."""
TURNS = 8
"""In each block, about."""
LEAST_TURNS = 3
COPY = 2
"""Place of the runner that is a second copy of the first network."""
WARM = 0.04
"""Seconds that a fresh copy runs before it is timed, and for which its pace is then measured."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a race stands, or how it ended."""

    goal: int
    """Pictures at the finish."""
    batch: int
    images: tuple[int, int]
    """Pictures that each network has classified."""
    seconds: tuple[float, float]
    """That each has computed for."""
    speedup: tuple[float, float, float] | None = None
    """Of the second network, once the race is over: lower end of the 95 % interval, estimate, upper end."""
    noise: Noise | None = None
    """Of the first network against itself, once the race is over."""

    @property
    def quiet(self) -> bool:
        """Whether the machine was quiet enough for a verdict."""
        return self.noise is None or self.noise.is_quiet

    @property
    def rates(self) -> tuple[float, float]:
        """Pictures a second."""
        return self.images[0] / max(self.seconds[0], 1e-9), self.images[1] / max(self.seconds[1], 1e-9)

    @property
    def level(self) -> tuple[float, float]:
        """Pictures that each had after the same time, none beyond the goal: where the runners are."""
        if self.leader is not None:  # as the verdict says; the counts alone would move with a single pause
            assert self.speedup is not None
            ratio = self.speedup[1]
            return self.goal / max(1.0, ratio), self.goal * min(1.0, ratio)
        first, second = self.rates
        now = min(min(self.seconds), self.goal / max(first, second, 1e-9))
        return first * now, second * now

    @property
    def leader(self) -> int | None:
        """0 or 1, once the clock shows it; None where the interval contains 1, and in a race that was too noisy or is
        not over."""
        if self.speedup is None or not self.quiet or not shows(self.speedup):
            return None
        return 1 if self.speedup[0] > 1 else 0

    @property
    def verdict(self) -> str:
        """In words, claiming no more than the interval shows."""
        assert self.speedup is not None, "the race is not over"
        return verdict(self.speedup) if self.quiet else TOO_NOISY


def ending_words(ended: Standing, names: tuple[str, str]) -> tuple[str, str]:
    """How a race ended, as a heading and what stands below it; claims no more than the interval shows."""
    assert ended.speedup is not None, "the race is over"
    if not ended.quiet:
        return (
            f"{TOO_NOISY.capitalize()}: again?",
            f"Something else computed on this machine: {names[0]} was more than {MOST_APART:.0%} apart from itself, or "
            f"the ratio spread by more than {MOST_SPREAD:.0%} from one part of the race to the next.",
        )
    low, middle, high = ended.speedup
    leader = ended.leader
    if leader is None:
        return (
            f"Same speed, as far as can be measured ({low:.2f}–{high:.2f}×)",
            "The 95 % interval of the ratio contains 1: who is ahead here may be behind in the next race.",
        )
    counts = [round(count) for count in ended.level]
    ratio = (low, middle, high) if leader == 1 else (1 / high, 1 / middle, 1 / low)
    return (
        f"{names[leader].capitalize()} is {ratio[1]:.2f}× as fast ({ratio[0]:.2f}–{ratio[2]:.2f})",
        f"At that ratio, which the lanes show too, {names[1 - leader]} has classified {counts[1 - leader]:,} images "
        f"when {names[leader]} has its {counts[leader]:,}. In brackets: the 95 % interval of the ratio.",
    )


class Runner:
    """One network running over a stream of pictures without end, by a clock of its own."""

    def __init__(self, model: nn.Module, batches: tuple[Tensor, ...], clock: Callable[[], float]) -> None:
        self._model = copy.deepcopy(model).float().eval()
        self._batches, self._clock, self._next = batches, clock, 0

    def warm_up(self) -> float:
        """Run for a moment, then a moment more by the clock: pictures a second."""
        self.run(WARM)
        count, seconds = self.run(WARM)
        return count / max(seconds, 1e-9)

    @torch.inference_mode()
    def run(self, seconds: float) -> tuple[int, float]:
        """Classify batches until the time is up, one at least; pictures, and seconds they took."""
        count, began = 0, self._clock()
        while True:
            batch = self._batches[self._next]
            self._next = (self._next + 1) % len(self._batches)
            self._model(batch)
            count += len(batch)
            taken = self._clock() - began
            if taken >= seconds:
                return count, taken


def race(
    first: nn.Module,
    second: nn.Module,
    images: Tensor,
    batch: int,
    *,
    seconds: float = SECONDS,
    seed: int | None = None,
    rest: Rest = lambda seconds: False,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Standing]:
    """Run a race turn by turn; the last standing has the interval of the ratio. The models are not changed.

    `images`: normalised, N × channels × height × width; both get the same stream of them, over and over. `seconds`:
    roughly what the faster one computes until the goal, which is set by its pace while it warms up. `seed`: of who
    begins each turn. `rest`: such as `Quiet.rest`.

    Raises:
        Cancelled: `cancel()` became true.
    """
    draw = random.Random(seed)
    in_full_batches = len(images) // batch * batch or len(images)
    batches = tuple(images[:in_full_batches].split(batch))
    goal = 0
    done, spent = [0, 0], [0.0, 0.0]
    logs: list[float] = []
    same: list[float] = []
    turn = seconds / BLOCKS / TURNS
    for block in range(BLOCKS):
        runners = [Runner(model, batches, clock) for model in (first, second, first)]
        rest(seconds / BLOCKS)
        pace = [runner.warm_up() for runner in runners]
        goal = goal or _round(max(pace) * seconds, batch)
        ratios: list[float] = []
        copies: list[float] = []
        while len(ratios) < LEAST_TURNS or max(_rates(done, spent)) * min(spent) < goal * (block + 1) / BLOCKS:
            if cancel is not None and cancel():
                raise Cancelled("The race was stopped.")
            if rest(2.5 * turn):
                for runner in runners:  # others computed meanwhile
                    runner.run(0.0)
            order = [0, 1, COPY]
            draw.shuffle(order)
            rate = [0.0, 0.0, 0.0]
            for side in order:
                count, taken = runners[side].run(turn / 2 if side == COPY else turn)
                rate[side] = count / max(taken, 1e-9)
                if side != COPY:
                    done[side] += count
                    spent[side] += taken
            ratios.append(math.log(rate[1] / math.sqrt(rate[0] * rate[COPY])))
            copies.append(math.log(rate[COPY] / rate[0]))
            yield Standing(goal=goal, batch=batch, images=(done[0], done[1]), seconds=(spent[0], spent[1]))
        logs.append(statistics.median(ratios))
        same.append(statistics.median(copies))
    speedup, noise = against_itself(logs, same)
    yield Standing(
        goal=goal,
        batch=batch,
        images=(done[0], done[1]),
        seconds=(spent[0], spent[1]),
        speedup=speedup,
        noise=noise,
    )


def _rates(done: list[int], spent: list[float]) -> tuple[float, float]:
    return done[0] / max(spent[0], 1e-9), done[1] / max(spent[1], 1e-9)


def _round(count: float, batch: int) -> int:
    """A goal that is easy to say: 4,312 → 4,300."""
    step = 10 ** max(0, math.floor(math.log10(max(count, 1))) - 1)
    return max(batch, round(count / step) * step)
