"""The figures of a network on the images of a scan: as cut, recalibrated, repaired, each against the dense network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pruning.tasks.metric import Metric
from pruning.training.evaluate import Evaluation

FigureName = Literal["as_cut", "recalibrated", "repaired"]
FIGURES: dict[FigureName, str] = {"as_cut": "as cut", "recalibrated": "recalibrated", "repaired": "repaired"}
"""What a figure is called; the furthest last."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The metric, measured once, and how it differs on the same images from that of the dense network treated alike: as
    it is, or recalibrated though nothing is cut. What recalibration changes by itself is no harm of the cut."""

    metric: Metric
    value: float
    low: float
    """Ends of its 95 % interval."""
    high: float
    images: int
    change: float
    """The value minus that of dense, treated alike, on the same images."""
    change_low: float
    """Ends of the 95 % interval of the change (paired)."""
    change_high: float
    correct: int | None = None
    newly_wrong: int | None = None
    """Images that dense has right."""
    newly_right: int | None = None
    """None, all three, for a metric that counts none."""

    @property
    def interval(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def gains(self) -> tuple[float, float]:
        """The change and the better end of its interval, as improvements: negative where dense is better."""
        ends = (self.metric.gain(self.change_low), self.metric.gain(self.change_high))
        return self.metric.gain(self.change), max(ends)

    @property
    def losses(self) -> tuple[float, float, float]:
        """What is lost against dense, the better end of its interval and the worse; negative where something is
        gained."""
        low, high = sorted(-self.metric.gain(end) for end in (self.change_low, self.change_high))
        return -self.metric.gain(self.change), low, high


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one network, cut or dense.

    Of a dense network, `recalibrated` has BN statistics measured anew though nothing is cut: where every recalibrated
    curve begins.
    """

    as_cut: Figure
    recalibrated: Figure | None
    """None without BN."""
    repaired: Figure | None = None
    """After the best repair that needs neither training nor labels, against dense as it is. None where it was not
    measured, and of a dense network, of which there is nothing to repair."""

    @property
    def furthest(self) -> FigureName:
        """The last of the figures that are known."""
        return next(name for name in reversed(FIGURES) if getattr(self, name) is not None)

    def figure(self, name: FigureName) -> Figure:
        """The figure of that name, or the furthest before it that there is."""
        names = list(FIGURES)
        before = reversed(names[: names.index(name) + 1])
        return next(found for found in (getattr(self, one) for one in before) if found is not None)


def figure(evaluation: Evaluation, dense: Evaluation) -> Figure:
    """An evaluation against that of the dense network on the same images."""
    difference = evaluation.minus(dense)
    low, high = evaluation.interval
    return Figure(
        metric=evaluation.metric,
        value=evaluation.value,
        low=low,
        high=high,
        images=evaluation.images,
        change=difference.value,
        change_low=difference.interval[0],
        change_high=difference.interval[1],
        correct=evaluation.correct,
        newly_wrong=difference.newly_wrong,
        newly_right=difference.newly_right,
    )
