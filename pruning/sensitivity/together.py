"""Several targets cut at once: measured on the images of a scan, and held against what their own curves say."""

from __future__ import annotations

from pruning.planning.plan import Plan
from pruning.sensitivity.cache import remember
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.interaction import Prediction, interaction_gap, measure_joint
from pruning.subject import Subject
from pruning.tasks.metric import Metric
from pruning.training.evaluate import Evaluation
from pruning.whatif import WhatIf


def measure_together(subject: Subject, scan: Sensitivity, plan: Plan) -> Joint:
    """Measure a joint cut on the images of a scan, as the scan was measured, and keep it with the scan.

    One at a time: of two that are kept at once, one may be lost.

    Raises:
        StorageError: it cannot be kept.
    """
    meter = WhatIf(subject.model, subject.graph, subject.data, images=scan.images, seed=scan.spec.seed)
    joint = measure_joint(subject.model, subject.graph, subject.data, meter, plan, scan)
    remember(scan, joint)
    return joint


def is_joint(plan: Plan) -> bool:
    """Whether a plan cuts more than one target."""
    return sum(share > 0 for share in plan.shares.values()) > 1


def how_estimated(metric: Metric) -> str:
    """What the estimate of a joint cut supposes, and how to read its gap."""
    sides = ("above", "below") if metric.higher_is_better else ("below", "above")
    return (
        f"Estimated as if each group did its harm independently of the others (what is left of {metric.title} "
        f"{sides[0]} chance multiplies). A gap {sides[1]} 0: together they hurt more than alone, so give each a "
        "stricter limit."
    )


def together_words(predicted: Prediction, measured: Evaluation) -> str:
    """What single curves say of a joint cut, against what was measured, in Markdown."""
    gap = interaction_gap(predicted, measured)
    metric = measured.metric
    words = (
        f"From the curve of each group alone one would expect **{metric.words(predicted.value)}** "
        f"({metric.span((predicted.low, predicted.high))}) ○; measured together it is "
        f"**{metric.words(measured.value)}** ●"
    )
    if gap.low <= 0 <= gap.high:
        return f"{words}: no difference that {measured.images:,} images can show."
    ends = "–".join(map(metric.size, sorted((gap.low, gap.high), key=abs)))
    points = f"{f'{metric.size(gap.gap)} {metric.unit_of_change}'.rstrip()} ({ends})"
    if metric.gain(gap.gap) < 0:
        return f"{words}: {points} worse, so together they hurt more than alone."
    return f"{words}: {points} better."
