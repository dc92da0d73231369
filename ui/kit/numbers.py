"""The four tiles of a cut network: accuracy, size, MACs, time. `None` for what is still being measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pruning.base.words import amount, milliseconds, ratio, size
from pruning.granularity import find_granularity
from ui.kit.badges import Kind
from ui.kit.tiles import WAITING, Number, Tile

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.tasks.metric import Metric
    from pruning.training.evaluate import Evaluation
    from ui.kit.lab import Accuracy, Costs


WORDS = {
    "params": "Parameters",
    "nonzero": "Non-zero parameters",
    "macs": "Multiplications (MACs)",
    "time_one": "Time for {batch} image, 1 thread",
    "time": "Time for {batch} images, 1 thread",
    "of": "{now} of {dense}",
    "still": "{now} of {dense} · still {bytes}",
    "and_bytes": "{now} of {dense} · {bytes}",
    "no_speedup": "no measurable speed-up ({low}–{high}×)",
    "faster": "{times}× as fast",
    "slower": "{times}× slower",
}
"""Texts of the tiles; a lesson brings its own."""


def metric_tile(metric: Metric, dense: Evaluation | None, accuracy: Accuracy | None, tuned: Evaluation | None) -> Tile:
    """As cut, recalibrated and fine-tuned, each with its 95 % interval."""
    title = f"{metric.title.capitalize()} on select images"
    if dense is not None:
        title = (
            f"{metric.title.capitalize()} on {dense.images:,} {dense.role} images · uncut {metric.words(dense.value)}"
        )
    as_cut, again = WAITING, WAITING
    if accuracy is not None:
        as_cut = _accuracy(accuracy.as_cut, "as cut")
        again = _accuracy(accuracy.recalibrated, "recalibrated")
    return Tile(title=title, numbers=(as_cut, again, _accuracy(tuned, "fine-tuned")), width=2.5)


def size_tile(granularity: str, dense: Costs, now: Costs, words: Mapping[str, str] = WORDS) -> Tile:
    """Non-zero weights when single weights go, parameters when channels go."""
    name, key, before, after = "params", "and_bytes", dense.params, now.params
    if not find_granularity(granularity).shrinks:
        name, key, before, after = "nonzero", "still", dense.nonzero, now.nonzero
    small = words[key].format(now=amount(after), dense=amount(before), bytes=size(now.bytes))
    return Tile(title=words[name], numbers=(Number(ratio(before, after), "measured", small),))


def macs_tile(dense: Costs, now: Costs, words: Mapping[str, str] = WORDS) -> Tile:
    """Multiply-accumulates for one image."""
    small = words["of"].format(now=amount(now.macs), dense=amount(dense.macs))
    return Tile(title=words["macs"], numbers=(Number(ratio(dense.macs, now.macs), "measured", small),), width=0.95)


def time_tile(batch: int, timing: Comparison | str | None, words: Mapping[str, str] = WORDS) -> Tile:
    """How much faster on the clock, claiming no more than the interval shows; a string says why there is no time."""
    title = words["time_one" if batch == 1 else "time"].format(batch=batch)
    if timing is None:
        return Tile(title=title, numbers=(WAITING,), width=1.25)
    if isinstance(timing, str):
        return Tile(title=title, numbers=(Number("–", None, timing, dim=True),), width=1.25)
    low, middle, high = timing.speedup
    if low <= 1 <= high:
        number = Number("≈ 1×", "measured", words["no_speedup"].format(low=f"{low:.2f}", high=f"{high:.2f}"))
    else:
        big = words["faster" if low > 1 else "slower"].format(times=f"{middle:.2f}")
        times = f"{milliseconds(timing.dense.median)} → {milliseconds(timing.pruned.median)}"
        number = Number(big, "measured", f"{times} ({low:.2f}–{high:.2f}×)")
    return Tile(title=title, numbers=(number,), width=1.25)


def _accuracy(evaluation: Evaluation | None, stage: str) -> Number:
    if evaluation is None:
        return Number("–", None, stage, dim=True)
    badge: Kind = "tuned" if stage == "fine-tuned" else "measured"
    metric = evaluation.metric
    return Number(metric.words(evaluation.value), badge, f"{stage} · {metric.span(evaluation.interval)}")
