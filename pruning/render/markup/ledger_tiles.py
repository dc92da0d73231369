"""The tiles of the ledger: a metric, size, MACs and time, dense against what is left. `None`: still being measured.

One set for every page: `WORDS` says what stands where a cut is tried, `COMPARED` where two networks are held against
each other; a lesson brings its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from pruning.base.words import amount, factor, milliseconds, moment, size, threads
from pruning.granularity import find_granularity
from pruning.latency.noise import TOO_NOISY
from pruning.latency.threads import timing_threads
from pruning.render.markup.badges import Kind
from pruning.render.markup.tiles import WAITING, Number, Tile, absent

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.repair.accuracy import CutAccuracy
    from pruning.runs.result import Result
    from pruning.tasks.metric import Metric
    from pruning.training.evaluate import Evaluation

WORDS = {
    "params": "Parameters",
    "nonzero": "Non-zero parameters",
    "macs": "Multiplications (MACs)",
    "time_one": "Time for {batch} image, {threads}",
    "time": "Time for {batch} images, {threads}",
    "of": "{now} of {dense}",
    "still": "{now} of {dense} · still {bytes}",
    "and_bytes": "{now} of {dense} · {bytes}",
    "no_speedup": "no measurable speed-up ({low}–{high}×)",
    "faster": "{times}× as fast",
    "slower": "{times}× slower",
}
"""Where a cut is tried."""
COMPARED = {
    "params": "Size · {change_of_bytes}",
    "nonzero": "Not zero · still {bytes}",
    "macs": "Multiplications (MACs)",
    "of": "{dense} → {now}",
    "still": "{dense} → {now}",
    "and_bytes": "{dense} → {now} parameters",
    "unchanged": "{now}, as before",
    "same": "same",
}
"""Where two networks are held against each other. `unchanged` and `same`: where a count is as before."""
OF_NOW = timedelta(minutes=10)
"""A time that was measured longer ago is dated."""


class Counted(Protocol):
    """What is counted of a network."""

    @property
    def params(self) -> int: ...
    @property
    def nonzero(self) -> int: ...
    @property
    def macs(self) -> int: ...
    @property
    def bytes(self) -> int:
        """Of the weights, raw."""
        ...


def measured(metric: Metric, value: float, interval: tuple[float, float], kind: Kind, what: str) -> Number:
    """A metric with its 95 % interval; `what`: of which network, or at which stage."""
    return Number(metric.words(value), kind, f"{what} · {metric.span(interval)}")


def metric_tile(
    metric: Metric, dense: Evaluation | None, accuracy: CutAccuracy | None, tuned: Evaluation | None
) -> Tile:
    """As cut, recalibrated and fine-tuned, each with its 95 % interval."""
    title = f"{metric.title.capitalize()} on select images"
    if dense is not None:
        start = metric.words(dense.value)
        title = f"{metric.title.capitalize()} on {dense.images:,} {dense.role} images · original {start}"
    as_cut, again = WAITING, WAITING
    if accuracy is not None:
        as_cut = _stage(accuracy.as_cut, "measured", "as cut")
        again = _stage(accuracy.recalibrated, "measured", "recalibrated")
    return Tile(title=title, numbers=(as_cut, again, _stage(tuned, "tuned", "fine-tuned")), width=2.5)


def size_tile(
    granularity: str, dense: Counted, now: Counted, words: Mapping[str, str] = WORDS, *, width: float = 1.0
) -> Tile:
    """Non-zero weights when single weights go, parameters when channels go."""
    name, key, before, after = "params", "and_bytes", dense.params, now.params
    if not find_granularity(granularity).shrinks:
        name, key, before, after = "nonzero", "still", dense.nonzero, now.nonzero
    changed = f"{size(dense.bytes)} → {size(now.bytes)}" if dense.bytes != now.bytes else size(now.bytes)
    sizes = {"bytes": size(now.bytes), "change_of_bytes": changed}
    number = _counted(before, after, words[key], words, sizes)
    return Tile(title=words[name].format(**sizes), numbers=(number,), width=width)


def macs_tile(dense: Counted, now: Counted, words: Mapping[str, str] = WORDS, *, width: float = 0.95) -> Tile:
    """Multiply-accumulates for one image."""
    small = words["of"] if dense.macs != now.macs else words.get("unchanged", words["of"])
    return Tile(title=words["macs"], numbers=(_counted(dense.macs, now.macs, small, words, {}),), width=width)


def time_tile(batch: int, timing: Comparison | str | None, words: Mapping[str, str] = WORDS) -> Tile:
    """How much faster on the clock, claiming no more than the interval shows; a string says why there is no time."""
    title = words["time_one" if batch == 1 else "time"].format(batch=batch, threads=threads(timing_threads()))
    number = WAITING if timing is None else absent(timing) if isinstance(timing, str) else _timed(timing, words)
    return Tile(title=title, numbers=(number,), width=1.25)


def result_time(result: Result) -> Number | None:
    """The time of one image as a run measured it; None where it took none."""
    speedup = result.speedup()
    if speedup is None:
        return None
    count = result.clock.threads
    several = f"{speedup.low:.2f}–{speedup.high:.2f}×, {threads(count)}"
    words = speedup.words if count == timing_threads() else several  # as many as the tile's title says
    return Number(speedup.short, "measured", words)


def _stage(found: Evaluation | None, kind: Kind, stage: str) -> Number:
    return absent(stage) if found is None else measured(found.metric, found.value, found.interval, kind, stage)


def _counted(before: int, after: int, small: str, words: Mapping[str, str], sizes: Mapping[str, str]) -> Number:
    """How a count changed; exact, so measured."""
    big = words["same"] if before == after and "same" in words else factor(before, after)
    return Number(big, "measured", small.format(now=amount(after), dense=amount(before), **sizes))


def _timed(timing: Comparison, words: Mapping[str, str]) -> Number:
    from pruning.latency.clock import short, shows

    low, middle, high = timing.speedup
    if not timing.quiet:
        return absent(TOO_NOISY)
    when = _when(timing.at)
    if not shows(timing.speedup):
        text = words["no_speedup"].format(low=f"{low:.2f}", high=f"{high:.2f}")
        return Number(short(timing.speedup), "measured", text + when)
    big = words["faster" if low > 1 else "slower"].format(times=f"{middle:.2f}")
    times = f"{milliseconds(timing.dense.median)} → {milliseconds(timing.pruned.median)}"
    return Number(big, "measured", f"{times} ({low:.2f}–{high:.2f}×){when}")


def _when(at: datetime | None) -> str:
    """Of a time that is not of this moment."""
    return "" if at is None or abs(datetime.now(UTC) - at) < OF_NOW else f" · measured {moment(at)}"
