"""What a repair without training gives, for a scan that is complete: one coarse refit a point."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.calls.parts import Parts
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, make_plan
from pruning.sensitivity.curves import SPARSITIES, Curve, Point, Sensitivity
from pruning.sensitivity.figures import Figure, Figures, figure
from pruning.sensitivity.scan import Meter, SinglePlans, given
from pruning.statistics.cache import statistics_for
from pruning.training.evaluate import Evaluation
from pruning.whatif import Measured


def scan_repaired(
    model: nn.Module,
    graph: ModelGraph,
    data: Data,
    meter: Meter,
    start: Sensitivity,
    cancel: Cancel | None = None,
) -> Iterator[Sensitivity]:
    """Measure the repaired figures that `start` lacks, in the order of a scan, yielding after each the scan so far.

    `start`: complete, and measured in the arithmetic of the meter, which `pruning.sensitivity.scan` sees to.

    Raises:
        Cancelled: `cancel()` became true; what was yielded stands.
        InputError: this network cannot be refitted.
    """
    started, before = time.monotonic(), start.repair_seconds
    statistics = statistics_for(model, graph, data, start.spec, cancel=cancel)
    plans = SinglePlans(model, graph, start.spec, statistics)
    dense = given(meter.measure(make_plan(model, graph, start.spec), keep=True, cancel=cancel).as_cut)
    result = start
    for sparsity in SPARSITIES[start.spec.granularity]:
        for target in start.curves:
            curve = result.curve(target.name)
            point = next((point for point in curve.points if point.sparsity == sparsity), None)
            if point is None or point.repaired is not None:
                continue
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while measuring what repairs give.")
            repaired = _known(curve, point)
            if repaired is None:
                plan = plans.plan(curve.name, point.kept, sparsity)
                repaired = repaired_figure(meter, plan, dense, point, cancel=cancel)
            result = result.plus(curve.name, replace(point, repaired=repaired))
            result = replace(result, repair_seconds=before + time.monotonic() - started)
            yield result


def repaired_figure(
    meter: Meter,
    plan: Plan,
    dense: Evaluation,
    known: Figures,
    measured: Measured | None = None,
    *,
    cancel: Cancel | None = None,
) -> Figure:
    """The figure of a plan after the repair that does best on the images of the meter: a coarse refit, statistics
    measured anew, or nothing at all; of equals, the simplest. Against dense as it is, of which nothing is to be
    repaired.

    `known`: the plan's other figures. `measured`: their answers, where they are at hand.

    Raises:
        Cancelled: `cancel()` became true.
        InputError: this network cannot be refitted.
    """
    if plan.removes_nothing:
        return known.as_cut
    *_, last = meter.follow_repaired(plan, cancel=cancel)
    refitted = figure(given(last.repaired), dense)
    best = refitted if _good(refitted) > _good(known.as_cut) else known.as_cut
    if known.recalibrated is None or _good(known.recalibrated) <= _good(best):
        return best
    again = (measured or meter.measure(plan, keep=False, cancel=cancel)).recalibrated
    return figure(given(again), dense)


def why_not_repaired(model: nn.Module, graph: ModelGraph) -> str | None:
    """Why a network cannot be repaired point by point, as a part of a sentence; None where it can."""
    try:
        Parts(model, graph)
    except LookupError as error:
        return str(error)
    return None


def _good(found: Figure) -> float:
    return found.metric.gain(found.value)


def _known(curve: Curve, point: Point) -> Figure | None:
    """Where nothing goes there is nothing to repair, and equal widths are measured once."""
    if point.kept == curve.units:
        return point.as_cut
    return next((other.repaired for other in curve.points if other.kept == point.kept and other.repaired), None)
