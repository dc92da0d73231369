"""Measure a scan point by point: each target is cut alone, everything else stays dense."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.clone import clone
from pruning.base.errors import Cancelled
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import free_targets
from pruning.planning.allocation import kept_units
from pruning.planning.plan import Plan, make_plan
from pruning.planning.ranking import Ranking
from pruning.repair.recalibrate import recalibrate
from pruning.sensitivity.curves import SPARSITIES, Point, Sensitivity
from pruning.sensitivity.figures import Figures, figure
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.statistics.gather import Statistics
from pruning.training.evaluate import Evaluation, evaluate
from pruning.whatif import Measured, Precision
from pruning.whatif.engine import Figure as Measurable


class Meter(Protocol):
    """What a scan needs of `pruning.whatif.WhatIf`."""

    @property
    def precision(self) -> Precision: ...

    @property
    def figures(self) -> tuple[Measurable, ...]: ...

    @property
    def repairs(self) -> bool: ...

    @property
    def whole_because(self) -> str | None: ...

    def measure(self, plan: Plan, *, keep: bool = True, cancel: Cancel | None = None) -> Measured: ...

    def follow_repaired(self, plan: Plan, *, cancel: Cancel | None = None) -> Iterator[Measured]: ...


def scan(
    model: nn.Module,
    graph: ModelGraph,
    data: Data,
    meter: Meter,
    start: Sensitivity,
    cancel: Cancel | None = None,
) -> Iterator[Sensitivity]:
    """Measure what `start` lacks of its points as cut and recalibrated, yielding after each step the scan so far;
    nothing given is changed. `pruning.sensitivity.repairs` measures the repaired figures of a complete scan.

    Where dense answers otherwise than when `start` was measured (other arithmetic), all points are measured again.

    Raises:
        Cancelled: `cancel()` became true; what was yielded stands.
    """
    started, before = time.monotonic(), start.seconds
    statistics = statistics_for(model, graph, data, start.spec, cancel=cancel)
    plans = SinglePlans(model, graph, start.spec, statistics)
    answers = dense_answers(model, graph, data, meter, start, cancel)
    dense, precision = Figures(**figures(*answers, answers)), meter.precision.name
    if start.dense != dense or start.precision != precision:
        before = 0.0
        curves = tuple(replace(curve, points=()) for curve in start.curves)
        start = replace(start, curves=curves, joints=(), repair_seconds=0.0)
    result = replace(start, dense=dense, precision=precision)
    yield replace(result, seconds=before + time.monotonic() - started)
    for sparsity in SPARSITIES[start.spec.granularity]:
        for target in start.curves:
            curve = result.curve(target.name)
            if curve.locked is not None or any(point.sparsity == sparsity for point in curve.points):
                continue
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while measuring sensitivity.")
            kept = kept_units(curve.units, sparsity)
            equal = next((point for point in curve.points if point.kept == kept), None)
            if equal is not None:
                point = replace(equal, sparsity=sparsity)
            elif kept == curve.units:
                point = Point(sparsity=sparsity, kept=kept, achieved=0.0, **vars(dense))
            else:
                found = meter.measure(plans.plan(curve.name, kept, sparsity), keep=False, cancel=cancel)
                point = Point(
                    sparsity=sparsity,
                    kept=kept,
                    achieved=(curve.units - kept) / curve.units,
                    **figures(given(found.as_cut), found.recalibrated, answers),
                )
            result = replace(result.plus(curve.name, point), seconds=before + time.monotonic() - started)
            yield result


def dense_answers(
    model: nn.Module, graph: ModelGraph, data: Data, meter: Meter, like: Sensitivity, cancel: Cancel | None = None
) -> tuple[Evaluation, Evaluation | None]:
    """The dense network as it is and, where the meter recalibrates, recalibrated: what cut ones are compared with.

    A meter does not recalibrate where nothing is cut, so it is done here; it can change accuracy by points.
    """
    dense = make_plan(model, graph, like.spec)
    as_cut = given(meter.measure(dense, keep=True, cancel=cancel).as_cut)
    if "recalibrated" not in meter.figures:
        return as_cut, None
    copy = clone(model)
    recalibrate(copy, data, seed=like.spec.seed)
    return as_cut, evaluate(copy, data, "select", limit=like.images, cancel=cancel)


def figures(
    as_cut: Evaluation, again: Evaluation | None, dense: tuple[Evaluation, Evaluation | None]
) -> dict[str, Any]:
    """Fields of `Figures`: each accuracy against that of the dense network treated alike."""
    return {
        "as_cut": figure(as_cut, dense[0]),
        "recalibrated": None if again is None or dense[1] is None else figure(again, dense[1]),
    }


def given(evaluation: Evaluation | None) -> Evaluation:
    """One that was asked for, and so is there."""
    assert evaluation is not None, "a scan measures it"
    return evaluation


class SinglePlans:
    """Plans that cut one target; equal to those of `make_plan`, each target ranked once."""

    def __init__(self, model: nn.Module, graph: ModelGraph, spec: PruneSpec, statistics: Statistics | None) -> None:
        self._dense = make_plan(model, graph, spec)
        self._ranking = Ranking(model, graph, spec, statistics)
        self._targets = {target.key: target for target in free_targets(graph, spec.granularity)}
        self._order: dict[str, Tensor] = {}

    def plan(self, name: str, kept: int, sparsity: float) -> Plan:
        """The plan that keeps `kept` units or weights of one target."""
        target, order = self._targets[name], self._ranked(name)
        gone = target.units - kept
        rows = tuple(
            replace(row, requested=sparsity, achieved=gone / target.units, kept=kept)
            if (row.group or row.name) == target.name and row.total == target.units
            else row
            for row in self._dense.layers
        )
        if target.group is not None:
            units = tuple(sorted(order[gone:].tolist()))
            return replace(self._dense, kept={**self._dense.kept, name: units}, layers=rows)
        mask = self._dense.masks[name].clone()
        mask.view(-1)[order[:gone]] = False
        return replace(self._dense, masks={**self._dense.masks, name: mask}, layers=rows)

    def _ranked(self, name: str) -> Tensor:
        """Units or weights of a target, first to go first."""
        if name not in self._order:
            self._order[name] = self._ranking.scores(self._targets[name]).argsort(stable=True)
        return self._order[name]
