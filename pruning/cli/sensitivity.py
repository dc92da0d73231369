"""`sensitivity`: how well each channel group or weight tensor bears pruning on its own, and all of them together."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pruning.base.errors import Cancelled, InputError
from pruning.cli.evaluate import open_with_images
from pruning.cli.gate import pass_gate, say_remarks
from pruning.cli.images import Asked
from pruning.cli.output import exact_change, exactly, field, only_ours, say, span
from pruning.granularity import Granularity
from pruning.planning.plan import Plan
from pruning.sensitivity import (
    FIGURES,
    SPARSITIES,
    Curve,
    FigureName,
    Joint,
    Limits,
    Sensitivity,
    interaction_gap,
    kept_of,
    largest_within,
    limits_plan,
    outline,
    predict_joint,
)
from pruning.sensitivity.cache import is_measured, measure
from pruning.sensitivity.form import figure_values, joint_values, to_json
from pruning.sensitivity.tighten import Tightened, Trial, tighten
from pruning.sensitivity.together import meter_of
from pruning.sensitivity.words import joint_words, limits_words, tightened_words
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.subject import Subject
from pruning.tasks.metric import Metric

TARGETS: dict[Granularity, str] = {"channel": "channel group", "weight": "weight tensor"}
CELL = 6
"""Signs of a number in the table."""
REPORTS = 20
"""How often progress is said."""


def sensitivity(
    args: argparse.Namespace, spec: PruneSpec, asked: Asked, cancel: Callable[[], bool]
) -> tuple[dict[str, Any], list[str]]:
    """Measure all curves, then the joint cut of every target at its limit: as JSON, and as lines.

    `spec`: what of the options says how units are ranked.

    Raises:
        PruningError: an option is not allowed, the images are absent, the cache cannot be written; or cancelled.
    """
    for option, asked_for in (("--lose", args.lose), ("--tighten", args.tighten)):
        if asked_for is not None and not 0 <= asked_for <= 100:
            raise InputError(f"{option} is a number of points of accuracy from 0 to 100, not {asked_for:g}.")
    with only_ours():
        subject = open_with_images(args.model, asked)
        subject.check("scan")
        if args.work is None:
            say_remarks(subject)
            pass_gate(subject, (), cancel=cancel)
    data = subject.data
    lose = args.lose / subject.task.metric.scale
    goal = None if args.tighten is None else args.tighten / subject.task.metric.scale
    wanted = outline(subject.digest, subject.graph, data, spec, images=args.images)

    tried: list[Limits] = []

    def plan_within(found: Sensitivity, limits: Limits) -> Plan:
        statistics = statistics_for(subject.model, subject.graph, data, found.spec, cancel=cancel)
        return limits_plan(subject.model, subject.graph, found, limits, statistics)

    def figure(found: Sensitivity) -> FigureName:
        return found.furthest("repaired" if args.repaired else "recalibrated")

    def together(found: Sensitivity) -> Plan | None:
        plan = plan_within(found, Limits(figure=figure(found), lose=lose))
        if goal is None or not is_measured(found, plan):
            return plan
        search = tighten(found, figure(found), goal)
        if search.next is None:
            return None
        if search.next not in tried:
            say(f"Trying {limits_words(found, search.next)}, {FIGURES[search.next.figure]}")
            tried.append(search.next)
        return plan_within(found, search.next)

    try:
        found = measure(
            subject,
            wanted,
            lambda: meter_of(subject, wanted),
            repaired=args.repaired,
            together=together,
            progress=_Progress(),
            cancel=cancel,
            work=args.work,
        )
    except Cancelled as error:
        raise Cancelled("Cancelled. What is measured is kept: the same command goes on from there.") from error
    name = figure(found)
    plan = plan_within(found, Limits(figure=name, lose=lose))
    joint = next(joint for joint in found.joints if joint.kept == kept_of(plan))
    said = {
        "lose": lose,
        "figure": name,
        **joint_values(joint),
        "measured": figure_values(joint.figure(name)),
        **_expected(found, plan, joint, name),
    }
    result = {"model": args.model, **to_json(found), "joint": said}
    lines = [*_lines(subject, found, name, said), *field("lost", joint_words(joint))]
    if goal is not None:
        search = tighten(found, name, goal)
        result["tightened"] = _tightened(search, name)
        lines += field("tightened", tightened_words(found, search))
    return result, lines


def _tightened(search: Tightened, figure: FigureName) -> dict[str, Any]:
    """A search that is over as JSON: what was found, or nulls where even the least that can go loses more. `figure`:
    the one whose curves came first."""
    nothing = {"figure": figure, "limit": None, "share": None, "joint": None}
    return {
        "lose": search.lose,
        **(nothing if search.found is None else _trial(search.found)),
        "tried": [_trial(trial) for trial in search.tried],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    """Limits and what they lead to: each target loses `share` of what the curve of `figure` lets go within `limit`."""
    limits = trial.limits
    return {
        "figure": limits.figure,
        "limit": limits.lose,
        "share": limits.share,
        "joint": joint_values(trial.joint),
    }


def _expected(found: Sensitivity, plan: Plan, joint: Joint, name: FigureName) -> dict[str, Any]:
    """What the single curves say of the joint cut, and how far the measured figure is from it; None for both, and why,
    where they say nothing."""
    try:
        predicted = predict_joint(found, plan.shares, name)
    except InputError as error:
        return {"predicted": None, "interaction_gap": None, "why_not": str(error)}
    gap = interaction_gap(predicted, joint.figure(name))
    return {
        "predicted": {found.metric.name: predicted.value, "low": predicted.low, "high": predicted.high},
        "interaction_gap": {"gap": gap.gap, "low": gap.low, "high": gap.high},
    }


class _Progress:
    """Says what goes on, and how far the scan is, now and then."""

    def __init__(self) -> None:
        self._said = -1

    def __call__(self, found: Sensitivity, text: str) -> None:
        done = found.measured + found.repaired
        part = done * REPORTS // max(1, found.wanted)
        if text:
            say(text)
        elif part > self._said:
            now = f"{found.measured} of {found.wanted} points, {found.seconds:.0f} s"
            again = f"{found.repaired} of {found.wanted} repaired, {found.repair_seconds:.0f} s"
            say(again if found.complete and found.repaired else now)
            self._said = part


def _lines(subject: Subject, found: Sensitivity, name: FigureName, together: dict[str, Any]) -> list[str]:
    assert found.dense is not None
    metric, dense = found.metric, found.dense
    words = FIGURES[name]
    columns = sorted(SPARSITIES[found.spec.granularity])
    wide = max(13, *(len(curve.name) for curve in found.curves)) if found.curves else 13
    target = TARGETS[found.spec.granularity]
    again = dense.recalibrated
    lines = [
        f"{subject.title}, dense: {exactly(metric, dense.as_cut.value)} ({span(metric, dense.as_cut.interval)}) of "
        f"{found.images:,} select images of {found.data}, measured in {found.precision}"
        + (f"; {exactly(metric, again.value)} recalibrated, where its curves begin" if again else ""),
        f"{metric.title.capitalize()}{f' in {metric.unit}' if metric.unit else ''} with only one {target} cut by "
        f"{found.spec.criterion}, {words}, measured; within: the largest share that may go for a loss of at most "
        f"{metric.asked(together['lose'])}",
        "",
        f"{target:<{wide}}{'units':>9}{'parameters':>12}{'MACs':>14}  "
        + "".join(f"{100 * sparsity:>{CELL}.0f}" for sparsity in columns)
        + "  within",
    ]
    for curve in found.curves:
        start = f"{curve.name:<{wide}}{curve.units:>9,}{curve.params:>12,}{curve.macs:>14,}  "
        own = _cells(curve, metric, name, together["lose"]) if curve.locked is None else f"  locked: {curve.locked}"
        lines.append(start + own)
    return [*lines, "", *_together(metric, together, words)]


def _together(metric: Metric, together: dict[str, Any], words: str) -> list[str]:
    predicted, measured, gap = (together[key] for key in ("predicted", "measured", "interaction_gap"))
    seen = f"{exactly(metric, measured[metric.name])} ({span(metric, _ends(measured))}) measured, {words}"
    if predicted is None:
        return [*field("together", f"all at their limits: {seen}"), *field("estimated", f"not: {together['why_not']}")]
    return [
        *field(
            "together",
            f"all at their limits: {exactly(metric, predicted[metric.name])} ({span(metric, _ends(predicted))}) "
            f"estimated from the single curves; {seen}",
        ),
        *field("interaction", f"{exact_change(metric, gap['gap'], _ends(gap))}: measured minus estimated"),
    ]


def _ends(figure: dict[str, Any]) -> tuple[float, float]:
    return figure["low"], figure["high"]


def _cells(curve: Curve, metric: Metric, name: FigureName, lose: float) -> str:
    best = largest_within(curve, name, lose)
    values = [point.figure(name).value for point in curve.points]
    within = "none" if best is None else f"{100 * best.achieved:.0f} %"
    return "".join(f"{metric.scale * value:>{CELL}.{metric.digits}f}" for value in values) + f"{within:>8}"
