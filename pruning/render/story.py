"""What a cut did, in words for whoever sees pruning for the first time: what happened, and the next thing to try.

Pure functions of measured results, so that the words never claim more than the numbers show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pruning.base.words import percent
from pruning.granularity import find_granularity

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.tasks.metric import Difference
    from pruning.training.evaluate import Evaluation

CLIFF = 0.05
"""A loss of more than five points is a cliff."""
Step = Literal["drag", "recover", "channels", "harder"]
"""What to do next: move the slider; train what is left; try channels instead; try a harder cut."""


def accuracy_story(granularity: str, gone: int, before_training: Evaluation, change: Difference) -> str:
    """What the cut did to accuracy, in Markdown.

    `gone`: per cent. `before_training`: the cut network at its best without training; `change`: of that against dense,
    on the same images.
    """
    what = find_granularity(granularity).title
    lost, images = -change.value, before_training.images
    answers = f"{change.newly_wrong} newly wrong, {change.newly_right} newly right"
    if gone == 0:
        does = "sets the smallest weights of every layer to zero"
        if find_granularity(granularity).shrinks:
            does = "takes the weakest channels out of every layer, with everything that reads them"
        return f"**Nothing is removed yet.** Drag the slider: it {does}."
    if lost > CLIFF:
        return (
            f"**There is the cliff:** with {gone} % of the {what} gone, accuracy falls {100 * lost:.1f} points, to "
            f"{percent(before_training.value)}. That is not the end: what is left can be trained."
        )
    if change.interval[1] >= 0:
        return (
            f"**{gone} % of the {what} gone, accuracy the same,** as far as {images:,} images can tell ({answers}). "
            "Drag further: where is the cliff?"
        )
    return (
        f"**{gone} % of the {what} gone costs {100 * lost:.1f} points** ({answers} of {images:,} images). "
        "Drag further to find the cliff, or train what is left."
    )


def next_step(granularity: str, gone: int, change: Difference, recovered: bool) -> Step:
    """The one thing to do next. `change`: of the cut network before training against dense; `recovered`: whether it
    has been trained since."""
    if recovered:
        return "harder" if find_granularity(granularity).shrinks else "channels"
    return "recover" if gone > 0 and change.interval[1] < 0 else "drag"


def recovery_story(before_training: Evaluation, tuned: Evaluation, step: Step) -> str:
    """What two passes over the training images made of a cut network, and what to try next, in Markdown."""
    metric, further = tuned.metric, tuned.minus(before_training)
    now, was = (metric.words(found.value) for found in (tuned, before_training))
    now = f"{now}** ◆ ({metric.span(tuned.interval)})"
    said = f"**Recovered: {now}, before {was}. What looks broken is often only out of tune."
    if metric.gains(further.interval)[0] <= 0:
        said = f"**{now} after training, before {was}: no sure gain."
    return f"{said} Now try a harder cut." if step == "harder" else said


def time_story(granularity: str, gone: int, macs_ratio: float, timing: Comparison | str | None) -> str:
    """What the clock says, and why, in Markdown; '' while there is no time, or none could be taken.

    `gone`: per cent. `macs_ratio`: multiply-accumulates of dense over those that are left.
    """
    if gone == 0 or timing is None or isinstance(timing, str):
        return ""
    low, middle, _ = timing.speedup
    if not find_granularity(granularity).shrinks:
        changed = f"The clock says {middle:.2f}×, but do not count on it." if low > 1 else "**Time unchanged: why?**"
        return (
            f"{changed} The zeros still sit in tensors of the same size, and the processor multiplies every one. "
            "Switch to **channels**: without them the tensors are smaller."
        )
    factor = f"{macs_ratio:.1f} times fewer multiplications"
    if low > 1:
        return (
            f"**The clock moves: {middle:.2f}× as fast,** with {factor}. Time falls less than multiplications, "
            "because starting a layer and moving its data take time too."
        )
    return f"There are {factor}, but the clock shows no sure gain: remove more, or measure on a quieter machine."
