"""The four tiles of a cut network: accuracy, size, MACs, time. `None` for what is still being measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.shared.badges import Kind
from pages.shared.tiles import WAITING, Number, Tile
from pruning.markup.words import amount, interval, milliseconds, percent, ratio, size

if TYPE_CHECKING:
    from pages.shared.lab import Accuracy, Costs
    from pruning.evaluate import Evaluation
    from pruning.latency import Comparison


def accuracy_tile(dense: Evaluation | None, accuracy: Accuracy | None, tuned: Evaluation | None) -> Tile:
    """As cut, recalibrated and fine-tuned, each with its 95 % interval."""
    title = "Accuracy on select images"
    if dense is not None:
        title = f"Accuracy on {dense.images:,} {dense.role} images · uncut {percent(dense.accuracy)}"
    as_cut, again = WAITING, WAITING
    if accuracy is not None:
        as_cut = _accuracy(accuracy.as_cut, "as cut")
        again = _accuracy(accuracy.recalibrated, "recalibrated")
    return Tile(title=title, numbers=(as_cut, again, _accuracy(tuned, "fine-tuned")), width=2.5)


def size_tile(granularity: str, dense: Costs, now: Costs) -> Tile:
    """Non-zero weights when single weights go, parameters when channels go."""
    if granularity == "weight":
        small = f"{amount(now.nonzero)} of {amount(dense.nonzero)} · still {size(now.bytes)}"
        return Tile(
            title="Non-zero parameters", numbers=(Number(ratio(dense.nonzero, now.nonzero), "measured", small),)
        )
    small = f"{amount(now.params)} of {amount(dense.params)} · {size(now.bytes)}"
    return Tile(title="Parameters", numbers=(Number(ratio(dense.params, now.params), "measured", small),))


def macs_tile(dense: Costs, now: Costs) -> Tile:
    """Multiply-accumulates for one image."""
    small = f"{amount(now.macs)} of {amount(dense.macs)}"
    return Tile(
        title="Multiplications (MACs)", numbers=(Number(ratio(dense.macs, now.macs), "measured", small),), width=0.95
    )


def time_tile(batch: int, timing: Comparison | str | None) -> Tile:
    """How much faster on the clock, claiming no more than the interval shows; a string says why there is no time."""
    title = f"Time for {batch} image{'s' if batch > 1 else ''}, 1 thread"
    if timing is None:
        return Tile(title=title, numbers=(WAITING,), width=1.25)
    if isinstance(timing, str):
        return Tile(title=title, numbers=(Number("–", None, timing, dim=True),), width=1.25)
    low, middle, high = timing.speedup
    if low <= 1 <= high:
        number = Number("≈ 1×", "measured", f"no measurable speed-up ({low:.2f}–{high:.2f}×)")
    else:
        word = "as fast" if low > 1 else "slower"
        times = f"{milliseconds(timing.dense.median)} → {milliseconds(timing.pruned.median)}"
        number = Number(f"{middle:.2f}× {word}", "measured", f"{times} ({low:.2f}–{high:.2f}×)")
    return Tile(title=title, numbers=(number,), width=1.25)


def _accuracy(evaluation: Evaluation | None, stage: str) -> Number:
    if evaluation is None:
        return Number("–", None, stage, dim=True)
    badge: Kind = "tuned" if stage == "fine-tuned" else "measured"
    return Number(percent(evaluation.accuracy), badge, f"{stage} · {interval(evaluation.interval)}")
