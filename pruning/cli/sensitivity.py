"""`sensitivity`: how well each channel group or weight tensor bears pruning on its own, and all of them together."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pruning.base.errors import Cancelled, InputError
from pruning.cli.evaluate import check_has_images
from pruning.cli.output import field, say
from pruning.data.datasets import load_dataset
from pruning.granularity import Granularity
from pruning.opening.models import OpenModel, open_model
from pruning.planning.plan import Plan
from pruning.runs.pipeline import check_fits
from pruning.sensitivity import (
    SPARSITIES,
    Curve,
    Figure,
    FigureName,
    Sensitivity,
    interaction_gap,
    kept_of,
    largest_within,
    limits_plan,
    outline,
    predict_joint,
)
from pruning.sensitivity.cache import measure
from pruning.sensitivity.form import to_json
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.whatif import WhatIf

TARGETS: dict[Granularity, str] = {"channel": "channel group", "weight": "weight tensor"}
REPORTS = 20
"""How often progress is said."""


def sensitivity(
    args: argparse.Namespace, spec: PruneSpec, cancel: Callable[[], bool]
) -> tuple[dict[str, Any], list[str]]:
    """Measure all curves, then the joint cut of every target at its limit: as JSON, and as lines.

    `spec`: what of the options says how units are ranked.

    Raises:
        PruningError: an option is not allowed, the images are absent, the cache cannot be written; or cancelled.
    """
    if not 0 <= args.lose <= 100:
        raise InputError(f"--lose is a number of points of accuracy from 0 to 100, not {args.lose:g}.")
    check_has_images(args.model)
    opened = open_model(args.model)
    data = load_dataset(args.data or opened.data[0], args.data_dir)
    check_fits(opened, data)
    wanted = outline(opened.digest, opened.graph, data, spec, images=args.images)

    def limits(found: Sensitivity) -> Plan:
        statistics = statistics_for(opened.model, opened.graph, data, found.spec, cancel=cancel)
        return limits_plan(opened.model, opened.graph, found, _figure(found), args.lose / 100, statistics)

    try:
        found = measure(
            opened,
            data,
            wanted,
            lambda: WhatIf(opened.model, opened.graph, data, images=wanted.images, seed=wanted.spec.seed),
            together=limits,
            progress=_Progress(),
            cancel=cancel,
            work=args.work,
        )
    except Cancelled as error:
        raise Cancelled("Cancelled. What is measured is kept: the same command goes on from there.") from error
    name, plan = _figure(found), limits(found)
    joint = next(joint for joint in found.joints if joint.kept == kept_of(plan))
    predicted = predict_joint(found, plan.shares, name)
    gap = interaction_gap(predicted, joint.figure(name))
    together = {
        "lose": args.lose / 100,
        "figure": name,
        "kept": dict(joint.kept),
        "predicted": {"accuracy": predicted.accuracy, "low": predicted.low, "high": predicted.high},
        "measured": joint.figure(name).to_json(),
        "interaction_gap": {"gap": gap.gap, "low": gap.low, "high": gap.high},
    }
    return {"model": args.model, **to_json(found), "joint": together}, _lines(opened, found, name, together)


def _figure(found: Sensitivity) -> FigureName:
    return "recalibrated" if found.has_recalibrated else "as_cut"


class _Progress:
    """Says what goes on, and how far the scan is, now and then."""

    def __init__(self) -> None:
        self._said = -1

    def __call__(self, found: Sensitivity, text: str) -> None:
        part = found.measured * REPORTS // max(1, found.wanted)
        if text:
            say(text)
        elif part > self._said:
            say(f"{found.measured} of {found.wanted} points, {found.seconds:.0f} s")
            self._said = part


def _lines(opened: OpenModel, found: Sensitivity, name: FigureName, together: dict[str, Any]) -> list[str]:
    assert found.dense is not None
    words = {"as_cut": "as cut", "recalibrated": "recalibrated"}[name]
    low, high = found.dense.as_cut.interval
    lose = together["lose"]
    columns = sorted(SPARSITIES[found.spec.granularity])
    wide = max(13, *(len(curve.name) for curve in found.curves)) if found.curves else 13
    target = TARGETS[found.spec.granularity]
    again = found.dense.recalibrated
    lines = [
        f"{opened.title}, dense: {found.dense.as_cut.accuracy:.2%} ({low:.2%} to {high:.2%}) of {found.images:,} "
        f"select images of {found.data}, measured in {found.precision}"
        + (f"; {again.accuracy:.2%} recalibrated, where its curves begin" if again else ""),
        f"Accuracy in % with only one {target} cut by {found.spec.criterion}, {words}, measured; within: the largest "
        f"share that may go for a loss of at most {100 * lose:g} point{'' if lose == 0.01 else 's'}",
        "",
        f"{target:<{wide}}{'units':>9}{'parameters':>12}{'MACs':>14}  "
        + "".join(f"{100 * sparsity:>6.0f}" for sparsity in columns)
        + "  within",
    ]
    for curve in found.curves:
        start = f"{curve.name:<{wide}}{curve.units:>9,}{curve.params:>12,}{curve.macs:>14,}  "
        lines.append(start + (_cells(curve, name, lose) if curve.locked is None else f"  locked: {curve.locked}"))
    predicted, measured, gap = (together[key] for key in ("predicted", "measured", "interaction_gap"))
    return [
        *lines,
        "",
        *field(
            "together",
            f"all at their limits: {predicted['accuracy']:.2%} ({predicted['low']:.2%} to {predicted['high']:.2%}) "
            f"estimated from the single curves; {measured['accuracy']:.2%} ({measured['low']:.2%} to "
            f"{measured['high']:.2%}) measured, {words}",
        ),
        *field(
            "interaction",
            f"{100 * gap['gap']:+.2f} points ({100 * gap['low']:+.2f} to {100 * gap['high']:+.2f}): measured minus "
            "estimated",
        ),
    ]


def _cells(curve: Curve, name: FigureName, lose: float) -> str:
    best = largest_within(curve, name, lose)
    figures: list[Figure] = [point.figure(name) for point in curve.points]
    within = "none" if best is None else f"{100 * best.achieved:.0f} %"
    return "".join(f"{100 * figure.accuracy:>6.1f}" for figure in figures) + f"{within:>8}"
