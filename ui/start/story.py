"""What the numbers of the Start page say, in words: a sentence on what happened, and the next thing to try.

Pure functions of measured results, so that the words never claim more than the numbers show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.granularity import find_granularity

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.render.preview import Costs
    from pruning.repair.accuracy import CutAccuracy
    from pruning.training.evaluate import Evaluation

CLIFF = 0.05
"""A loss of more than five points is a cliff."""


def tell(
    granularity: str,
    gone: int,
    accuracy: CutAccuracy,
    tuned: Evaluation | None,
    dense: Costs,
    now: Costs,
    timing: Comparison | str | None,
) -> str:
    """Both paragraphs in Markdown: on accuracy, then on time."""
    clock = "" if timing is None or isinstance(timing, str) else time_story(granularity, gone, dense, now, timing)
    return f"{accuracy_story(granularity, gone, accuracy, tuned)}\n\n{clock}".strip()


def accuracy_story(granularity: str, gone: int, accuracy: CutAccuracy, tuned: Evaluation | None) -> str:
    """What the cut did to accuracy, and what to do next. `gone`: per cent."""
    what = find_granularity(granularity).title
    lost, images = -accuracy.difference.value, accuracy.as_cut.images
    answers = f"{accuracy.difference.newly_wrong} newly wrong, {accuracy.difference.newly_right} newly right"
    if gone == 0:
        does = "sets the smallest weights of every layer to zero"
        if find_granularity(granularity).shrinks:
            does = "takes the weakest channels out of every layer, with everything that reads them"
        return f"**Nothing is removed yet.** Drag the slider: it {does}."
    if tuned is not None:
        return (
            f"**Recovered: from {percent(accuracy.best.value)} to {percent(tuned.value)}** in two passes over "
            "the training images. What looks broken as cut is often only out of tune. Try a harder cut."
        )
    if lost > CLIFF:
        return (
            f"**There is the cliff:** with {gone} % of the {what} gone, accuracy falls {100 * lost:.1f} points, to "
            f"{percent(accuracy.best.value)}. Not the end: press **Recover** to train what is left."
        )
    if accuracy.difference.interval[1] >= 0:
        return (
            f"**{gone} % of the {what} gone, accuracy the same,** as far as {images:,} images can tell ({answers}). "
            "Drag further: where is the cliff?"
        )
    return (
        f"**{gone} % of the {what} gone costs {100 * lost:.1f} points** ({answers} of {images:,} images). "
        "Drag further to find the cliff, or press **Recover**."
    )


def time_story(granularity: str, gone: int, dense: Costs, now: Costs, timing: Comparison) -> str:
    """What the clock says, and why. `gone`: per cent."""
    if gone == 0:
        return ""
    low, middle, _ = timing.speedup
    if not find_granularity(granularity).shrinks:
        changed = f"The clock says {middle:.2f}×, but do not count on it." if low > 1 else "**Time unchanged: why?**"
        return (
            f"{changed} The zeros still sit in tensors of the same size, and the processor multiplies every one. "
            "Switch to **channels**: without them the tensors are smaller."
        )
    factor = f"{dense.macs / now.macs:.1f} times fewer multiplications"
    if low > 1:
        return (
            f"**The clock moves: {middle:.2f}× as fast,** with {factor}. Time falls less than multiplications, "
            "because starting a layer and moving its data take time too."
        )
    return f"There are {factor}, but the clock shows no sure gain: remove more, or measure on a quieter machine."
