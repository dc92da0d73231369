"""Uniform cuts measured ahead of time, so that the reader of a report can move a slider without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pruning.base.cancel import Cancel
from pruning.data.datasets import Dataset
from pruning.granularity import Granularity
from pruning.opening.models import OpenModel
from pruning.planning.plan import make_plan
from pruning.render.preview import savings
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.training.evaluate import Evaluation
from pruning.whatif import WhatIf

SPARSITIES: dict[Granularity, tuple[float, ...]] = {
    "channel": tuple(step / 20 for step in range(19)),
    "weight": (*(step / 20 for step in range(20)), 0.98, 0.99),
}
"""0 to 90 % in steps of 5 points; single weights bear more, so theirs go on."""
MOST_MACS = 2e10
"""Multiply-accumulates that one accuracy may take: a second or two on one core."""
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

    @property
    def best(self) -> Evaluation:
        """Recalibrated where that can be, else as cut: the fairer look ahead to fine-tuning."""
        return self.recalibrated or self.as_cut


def images_for(macs: int) -> int:
    """How many select images a network is measured on: fewer for a large one, so that a report takes a minute.

    >>> images_for(3_126_000), images_for(40_600_000), images_for(4_000_000_000)
    (2000, 492, 300)
    """
    return int(min(MOST, max(FEWEST, MOST_MACS / max(1, macs))))


def measure_plans(
    opened: OpenModel,
    data: Dataset,
    spec: PruneSpec,
    *,
    images: int | None = None,
    sparsities: tuple[float, ...] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> tuple[UniformPlan, ...]:
    """Accuracy on select images and costs of each uniform cut by a spec's criterion, whatever its own amounts.

    `progress` gets how many are done, and of how many.

    Raises:
        InputError: the network's weights cannot be ranked.
        Cancelled: `cancel()` became true.
    """
    wanted = SPARSITIES[spec.granularity] if sparsities is None else sparsities
    found: list[UniformPlan] = []
    meter: WhatIf | None = None
    for number, sparsity in enumerate(wanted):
        cut = spec.replace(sparsity=sparsity, layers=())
        statistics = statistics_for(opened.model, opened.graph, data, cut, cancel=cancel)
        plan = make_plan(opened.model, opened.graph, cut, statistics)
        costs = savings(opened, plan)
        if meter is None:
            meter = WhatIf(
                opened.model, opened.graph, data, images=images or images_for(costs.dense_macs), seed=spec.seed
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
            )
        )
        if progress is not None:
            progress(number + 1, len(wanted))
    return tuple(found)
