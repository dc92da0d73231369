"""What single curves say about a joint cut, and how far the measured truth is from that: the interaction gap.

The prediction supposes that every target does its harm independently of the others: the shares of accuracy above
chance that are left multiply (Bliss independence, C. I. Bliss 1939, "The toxicity of poisons applied jointly"; above
chance as in Abbott's formula, 1925). It is an estimate: pruned layers do interact, mostly for the worse.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, plan_keeping
from pruning.sensitivity.curves import Curve, Joint, Sensitivity
from pruning.sensitivity.figures import Figure, FigureName, Figures
from pruning.sensitivity.limits import Limits, kept_within, requested_within
from pruning.sensitivity.repairs import repaired_figure
from pruning.sensitivity.scan import Meter, dense_answers, figures, given
from pruning.statistics.gather import Statistics
from pruning.tasks.metric import Metric
from pruning.training.evaluate import Evaluation

Dense = tuple[Evaluation, Evaluation | None]
"""The dense network as it is and, where that can be, recalibrated."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Estimated metric of a joint cut, with an interval that covers the sampling of single curves only."""

    value: float
    low: float
    high: float
    figure: FigureName


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Measured minus predicted, with its 95 % interval."""

    gap: float
    low: float
    high: float


def limits_plan(
    model: nn.Module,
    graph: ModelGraph,
    found: Sensitivity,
    limits: Limits,
    statistics: Statistics | None = None,
) -> Plan:
    """The plan that cuts each target as far as the limits let it; one whose curve lets nothing go stays whole.
    `statistics`: as `make_plan` takes them, for the scan's spec."""
    keep, requested = kept_within(found, limits), requested_within(found, limits)
    return plan_keeping(model, graph, found.spec, statistics, keep=keep, requested=requested)


def kept_of(plan: Plan) -> tuple[tuple[str, int], ...]:
    """Each target and how much of it stays, as `Joint.kept` says it."""
    return tuple(plan.counts.items())


def measure_joint(
    model: nn.Module,
    graph: ModelGraph,
    data: Data,
    meter: Meter,
    plan: Plan,
    like: Sensitivity,
    cancel: Cancel | None = None,
    *,
    dense: Dense | None = None,
) -> Joint:
    """Measure a plan on the images of a scan, those of its meter: as cut, recalibrated, and repaired where the network
    can be refitted. `dense`: as `dense_answers` gives them, where several plans are measured.

    Raises:
        Cancelled: `cancel()` became true.
    """
    dense = dense or dense_answers(model, graph, data, meter, like, cancel)
    found = meter.measure(plan, keep=False, cancel=cancel)
    known = Figures(**figures(given(found.as_cut), found.recalibrated, dense))
    repaired, why = None, None
    if meter.repairs:
        repaired = repaired_figure(meter, plan, dense[0], known, found, cancel=cancel)
    else:
        why = meter.whole_because or "its calls are not known one by one"
    return Joint(kept=kept_of(plan), **{**vars(known), "repaired": repaired}, not_repaired=why)


def predict_joint(found: Sensitivity, removed: Mapping[str, float], name: FigureName = "recalibrated") -> Prediction:
    """Metric of a network that loses all of `removed` (target → share, as `Plan.shares` gives it) at once.

    guess + (dense − guess) · Π (value_t − guess) / (dense − guess) over the targets that lose something, each value
    interpolated linearly between the measured points of its curve. Dense is the figure's own: recalibrated
    curves begin at the recalibrated dense network, so that what recalibration itself changes counts once. The
    interval combines those of the single changes on the log scale as if they were independent.

    Raises:
        InputError: a share is beyond what was measured, or a target is unknown or locked.
    """
    if found.dense is None:
        raise InputError("Nothing is measured yet, so nothing can be predicted: measure sensitivity first.")
    known = {curve.name: curve for curve in found.curves if curve.locked is None}
    cut = {name: share for name, share in removed.items() if share > 1e-9}
    start, guess = found.start(name), found.guess
    room = start.value - guess
    if not cut:
        low, high = found.dense.as_cut.interval
        return Prediction(value=found.dense.as_cut.value, low=low, high=high, figure=name)
    if found.metric.gain(room) <= 0:
        raise InputError("The dense network is no better than guessing here, so there is nothing to predict.")
    left, below, above = 1.0, 0.0, 0.0
    for target, share in cut.items():
        if target not in known:
            raise InputError(f"There is no curve for '{target}': it is locked, or not part of this network.")
        middle, *ends = (max(0.0, (value - guess) / room) for value in _at(known[target], share, name, start))
        low, high = sorted(ends)  # where less is better the ends change places
        left *= middle
        below += math.log(middle / low) ** 2 if low > 0 and middle > 0 else math.inf
        above += math.log(high / middle) ** 2 if middle > 0 else 0.0
    spread = (math.exp(-math.sqrt(below)), math.exp(math.sqrt(above)))
    low, high = sorted(_clipped(guess + room * left * factor, found.metric) for factor in spread)
    return Prediction(value=_clipped(guess + room * left, found.metric), low=low, high=high, figure=name)


def interaction_gap(predicted: Prediction, measured: Figure | Evaluation) -> Gap:
    """Measured − predicted. The two intervals are combined as if independent; both stem from the same images, which
    makes the true one narrower."""
    low, high = measured.interval
    gap = measured.value - predicted.value
    return Gap(
        gap=gap,
        low=gap - math.hypot(measured.value - low, predicted.high - predicted.value),
        high=gap + math.hypot(high - measured.value, predicted.value - predicted.low),
    )


def _at(curve: Curve, share: float, name: FigureName, start: Figure) -> tuple[float, float, float]:
    """Value of a curve at a share removed, and the ends of its interval."""
    knots = [(0.0, start.value, start.value, start.value)]
    for point in curve.points:
        value = point.figure(name)
        half_low, half_high = max(0.0, value.change - value.change_low), max(0.0, value.change_high - value.change)
        knot = (point.achieved, value.value, value.value - half_low, value.value + half_high)
        if point.achieved > knots[-1][0] + 1e-12:  # small groups reach fewer sparsities than were asked for
            knots.append(knot)
    if share > knots[-1][0] + 1e-9:
        raise InputError(
            f"No prediction: {curve.name} loses {share:.1%}, but only up to {knots[-1][0]:.1%} is measured."
        )
    for (x0, *first), (x1, *second) in itertools.pairwise(knots):
        if share <= x1 + 1e-9:
            t = min(1.0, (share - x0) / (x1 - x0))
            middle, low, high = (a + t * (b - a) for a, b in zip(first, second, strict=True))
            return middle, low, high
    return start.value, start.value, start.value


def _clipped(value: float, metric: Metric) -> float:
    low, high = metric.bounds
    return min(high, max(low, value))
