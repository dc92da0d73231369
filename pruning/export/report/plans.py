"""Uniform cuts measured ahead of time, so that the reader of a report can move a slider without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pruning.base.cancel import Cancel
from pruning.cost.counts import count_macs
from pruning.granularity import Granularity
from pruning.planning.plan import Plan, make_plan
from pruning.render.preview import savings
from pruning.sensitivity import FIGURES, FigureName
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.subject import Subject
from pruning.training.evaluate import Evaluation
from pruning.whatif import Measured, WhatIf

SPARSITIES: dict[Granularity, tuple[float, ...]] = {
    "channel": tuple(step / 20 for step in range(19)),
    "weight": (*(step / 20 for step in range(20)), 0.98, 0.99),
}
"""0 to 90 % in steps of 5 points; single weights bear more, so theirs go on."""
MOST_MACS = 2e10
"""Multiply-accumulates that one accuracy may take: a second or two on one core."""
MOST_REPAIRED = 10**9
"""Multiply-accumulates of one image up to which each cut is repaired as well: that takes seconds."""
FEWEST, MOST = 300, 2000
"""Select images to measure on."""


@dataclass(frozen=True, kw_only=True)
class UniformPlan:
    """The same share removed everywhere; nothing was fine-tuned."""

    sparsity: float
    """Asked for in each layer or channel group."""
    params: int
    nonzero: int
    macs: int
    """Of one image."""
    as_cut: Evaluation
    recalibrated: Evaluation | None
    """None where nothing goes, and without batch normalisation."""
    repaired: Evaluation | None = None
    """After the best repair without training, a coarse refit among them; None where nothing goes, and where that was
    not measured."""

    @property
    def furthest(self) -> FigureName:
        """The last figure there is: the fairest look ahead to fine-tuning."""
        return next(name for name in reversed(FIGURES) if getattr(self, name) is not None)

    def line(self, name: FigureName) -> Evaluation:
        """A figure by its name, or where there is none, as where nothing goes, the network as cut."""
        found: Evaluation | None = getattr(self, name)
        return self.as_cut if found is None else found

    @property
    def best(self) -> Evaluation:
        """The furthest figure."""
        return self.line(self.furthest)


def images_for(macs: int) -> int:
    """How many select images a network is measured on: fewer for a large one, so that a report takes a minute.

    >>> images_for(3_126_000), images_for(40_600_000), images_for(4_000_000_000)
    (2000, 492, 300)
    """
    return int(min(MOST, max(FEWEST, MOST_MACS / max(1, macs))))


def shares(spec: PruneSpec, *, repaired: bool) -> tuple[float, ...]:
    """The cuts that are measured, ascending; where each is repaired, up to 90 % half as many, and the spec's own.

    >>> shares(PruneSpec(sparsity=0.35), repaired=True)
    (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    """
    usual = SPARSITIES[spec.granularity]
    if not repaired:
        return usual
    fewer = {share for share in usual if share > 0.9 or round(20 * share) % 2 == 0}
    return tuple(sorted(fewer | ({spec.sparsity} if not spec.layers else set())))


def measure_plans(
    subject: Subject,
    spec: PruneSpec,
    *,
    images: int | None = None,
    sparsities: tuple[float, ...] | None = None,
    repaired: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> tuple[UniformPlan, ...]:
    """Accuracy on select images and costs of each uniform cut by a spec's criterion, whatever its own amounts.

    `repaired`: also after a repair without training, where the network can be refitted and is small enough for that
    (`MOST_REPAIRED`). `progress` gets how many are done, and of how many.

    Raises:
        InputError: the network's weights cannot be ranked.
        Cancelled: `cancel()` became true.
    """
    repaired = repaired and count_macs(subject.graph, subject.graph.shapes) <= MOST_REPAIRED
    wanted = shares(spec, repaired=repaired) if sparsities is None else sparsities
    found: list[UniformPlan] = []
    meter: WhatIf | None = None
    for number, sparsity in enumerate(wanted):
        cut = spec.replace(sparsity=sparsity, layers=())
        statistics = statistics_for(subject.model, subject.graph, subject.data, cut, cancel=cancel)
        plan = make_plan(subject.model, subject.graph, cut, statistics)
        costs = savings(subject, plan)
        if meter is None:
            meter = WhatIf(
                subject.model,
                subject.graph,
                subject.data,
                images=images or images_for(costs.dense_macs),
                seed=spec.seed,
            )
        measured = meter.measure(plan, cancel=cancel)
        assert measured.as_cut is not None, "both figures are wanted"
        found.append(
            UniformPlan(
                sparsity=sparsity,
                params=costs.params,
                nonzero=costs.nonzero,
                macs=costs.macs,
                as_cut=measured.as_cut,
                recalibrated=measured.recalibrated,
                repaired=_repaired(meter, plan, measured, cancel) if repaired else None,
            )
        )
        if progress is not None:
            progress(number + 1, len(wanted))
    return tuple(found)


def _repaired(meter: WhatIf, plan: Plan, measured: Measured, cancel: Cancel | None) -> Evaluation | None:
    """What does best of a coarse refit, recalibration and nothing, of equals the simplest."""
    if plan.removes_nothing or not meter.repairs:
        return None
    *_, last = meter.follow_repaired(plan, cancel=cancel)
    there = [found for found in (measured.as_cut, measured.recalibrated, last.repaired) if found is not None]
    return max(there, key=lambda found: found.metric.gain(found.value))
