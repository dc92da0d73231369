"""The tiles of a joint cut: what single curves lead one to expect, what was measured, the gap, and what is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.errors import InputError
from pruning.base.words import amount, percent, ratio
from pruning.render.markup.tiles import Number, Tile, absent

if TYPE_CHECKING:
    from pruning.planning.plan import Plan
    from pruning.render.preview import Savings
    from pruning.sensitivity import FigureName, Joint, Limits, Sensitivity
    from pruning.tasks.metric import Metric


def joint_tiles(scan: Sensitivity, plan: Plan, savings: Savings, joint: Joint | None, limits: Limits) -> list[Tile]:
    """Of all targets cut at once, by the same limits: what their curves lead one to expect, and every figure that was
    measured, of which the furthest is the one to look at. `joint`: what was measured of `plan`, if it was."""
    metric = scan.metric
    estimate, gap = _expected(scan, plan, joint, limits.figure)
    to = f"to its limit of {metric.asked(limits.lose)}"
    if limits.share < 1:
        to = f"by {percent(limits.share, 0)} of what its limit of {metric.asked(limits.lose)} lets go"
    title = f"All cut at once, each {to}: {metric.title}"
    measured = (absent("not measured yet"),) if joint is None else _measured(joint)
    return [
        Tile(title=title, numbers=(estimate, *measured), width=1.6 + 1.1 * len(measured)),
        Tile(title="Interaction gap", numbers=(gap,), width=1.4),
        *_saved(savings, scan.spec.info.shrinks),
    ]


def _measured(joint: Joint) -> tuple[Number, ...]:
    """As cut, recalibrated where there is something to recalibrate, and repaired, or why not."""
    from pruning.sensitivity import FIGURES

    numbers = []
    for name, words in FIGURES.items():
        seen = getattr(joint, name)
        if seen is not None:
            small = f"{words} · {seen.metric.span(seen.interval)}"
            numbers.append(Number(seen.metric.words(seen.value), "measured", small, dim=name != joint.furthest))
        elif name == "repaired":
            why = "not measured yet" if joint.not_repaired is None else f"not possible: {joint.not_repaired}"
            numbers.append(absent(f"repaired: {why}"))
    return tuple(numbers)


def _expected(scan: Sensitivity, plan: Plan, joint: Joint | None, name: FigureName) -> tuple[Number, Number]:
    """The estimate from single curves, and how far the measured figure is from it."""
    from pruning.sensitivity import FIGURES, interaction_gap, predict_joint

    metric: Metric = scan.metric
    try:
        prediction = predict_joint(scan, plan.shares, name)
    except InputError as error:
        return absent(str(error)), absent(str(error))
    ends = metric.span((prediction.low, prediction.high))
    of = "" if joint is not None else f", {FIGURES[name]}"  # the gap says it where it is measured
    estimate = Number(metric.words(prediction.value), "estimated", f"from curves{of} · {ends}")
    if joint is None:
        return estimate, absent("not measured yet")
    found = interaction_gap(prediction, joint.figure(name))
    gap = f"{metric.signed(found.gap)} {metric.unit_of_change}".rstrip()
    small = f"measured minus estimated, {FIGURES[name]} · {metric.signed_span((found.low, found.high))}"
    return estimate, Number(gap, "estimated", small)


def _saved(savings: Savings, shrinks: bool) -> list[Tile]:
    if not shrinks:
        size = _counted(savings.dense_nonzero, savings.nonzero)
        macs = Number("unchanged", "measured", "zeros are still multiplied")
    else:
        size = _counted(savings.dense_params, savings.params)
        macs = _counted(savings.dense_macs, savings.macs)
    return [
        Tile(title="Parameters" if shrinks else "Non-zero parameters", numbers=(size,)),
        Tile(title="MACs of one image", numbers=(macs,), width=1.0 if shrinks else 1.4),  # a word is longer
    ]


def _counted(before: int, after: int) -> Number:
    return Number(ratio(before, after), "measured", f"{amount(after)} of {amount(before)}")
