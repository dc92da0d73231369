"""Several targets cut at once: measured on the images of a scan, and held against what their own curves say."""

from __future__ import annotations

from collections.abc import Callable

from pruning.base.cancel import Cancel
from pruning.planning.plan import Plan
from pruning.sensitivity.cache import read, remember
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.figures import FIGURES, FigureName
from pruning.sensitivity.interaction import Dense, Prediction, interaction_gap, limits_plan, measure_joint
from pruning.sensitivity.scan import Meter, dense_answers
from pruning.sensitivity.tighten import Tightened, tighten
from pruning.statistics.gather import Statistics
from pruning.subject import Subject
from pruning.tasks.metric import Metric
from pruning.training.evaluate import Evaluation
from pruning.whatif import WhatIf


class Together:
    """Measures joint cuts on the images of a scan, as the scan was measured, and keeps each with the scan.

    One at a time: of two that are kept at once, one may be lost.
    """

    def __init__(self, subject: Subject, scan: Sensitivity, meter: Meter | None = None) -> None:
        """`meter`: of these images; made where there is none."""
        self.subject, self.scan = subject, scan
        self.meter = meter or meter_of(subject, scan)
        self._dense: Dense | None = None

    def measure(self, plan: Plan, cancel: Cancel | None = None) -> Joint:
        """Measure a joint cut and keep it.

        Raises:
            Cancelled: `cancel()` became true.
            InputError: a process measures the same scan.
            StorageError: it cannot be kept.
        """
        network = (self.subject.model, self.subject.graph, self.subject.data, self.meter)
        self._dense = self._dense or dense_answers(*network, self.scan, cancel)
        joint = measure_joint(*network, plan, self.scan, cancel, dense=self._dense)
        remember(self.scan, joint)
        return joint

    def tighten(
        self,
        figure: FigureName,
        lose: float,
        statistics: Statistics | None = None,
        *,
        progress: Callable[[Tightened], None] = lambda search: None,
        cancel: Cancel | None = None,
    ) -> Tightened:
        """Search for the limits that let most go while all targets together lose at most `lose`; see
        `pruning.sensitivity.tighten`. `statistics`: as `make_plan` takes them, for the scan's spec. `progress` gets the
        search before each measurement, and at its end.

        Raises:
            As `measure`; joint cuts that were measured by then are kept.
        """
        while True:
            search = tighten(read(self.scan), figure, lose)
            progress(search)
            if search.next is None:
                return search
            plan = limits_plan(self.subject.model, self.subject.graph, self.scan, search.next, statistics)
            self.measure(plan, cancel)


def meter_of(subject: Subject, scan: Sensitivity) -> WhatIf:
    """What measures a scan."""
    return WhatIf(subject.model, subject.graph, subject.data, images=scan.images, seed=scan.spec.seed)


def is_joint(plan: Plan) -> bool:
    """Whether a plan cuts more than one target."""
    return sum(share > 0 for share in plan.shares.values()) > 1


def how_estimated(metric: Metric) -> str:
    """What the estimate of a joint cut supposes, and how to read its gap."""
    sides = ("above", "below") if metric.higher_is_better else ("below", "above")
    return (
        f"Estimated as if each group did its harm independently of the others (what is left of {metric.title} "
        f"{sides[0]} chance multiplies). A gap {sides[1]} 0: cuts add up, so set a tighter limit. Repaired: without "
        "training or labels, from few images; a run takes more."
    )


def together_words(predicted: Prediction, measured: Evaluation, figure: FigureName) -> str:
    """What single curves say of a joint cut, against what was measured, in Markdown. `figure`: that both are."""
    gap = interaction_gap(predicted, measured)
    metric = measured.metric
    words = (
        f"From the curve of each group alone one would expect **{metric.words(predicted.value)}** "
        f"({metric.span((predicted.low, predicted.high))}) ○; measured together, {FIGURES[figure]}, it is "
        f"**{metric.words(measured.value)}** ●"
    )
    if gap.low <= 0 <= gap.high:
        return f"{words}: no difference that {measured.images:,} images can show."
    ends = "–".join(map(metric.size, sorted((gap.low, gap.high), key=abs)))
    points = f"{f'{metric.size(gap.gap)} {metric.unit_of_change}'.rstrip()} ({ends})"
    if metric.gain(gap.gap) < 0:
        return f"{words}: {points} worse. Cuts add up: set a tighter limit."
    return f"{words}: {points} better."
