"""What came of a run, typed: dense and pruned side by side, with everything that was measured of both.

Test figures, times, images and labels are parts that a run may lack; whoever shows a result says what is absent.
`pruning.runs.result_json` writes and reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from pruning.base.errors import InputError, first_line
from pruning.cost.counts import Cost
from pruning.data.info import Role
from pruning.latency import clock
from pruning.latency.clock import Comparison, Timing
from pruning.latency.noise import TOO_NOISY
from pruning.planning.plan import LayerPlan
from pruning.removal.verify import Check
from pruning.repair.kinds import CANDIDATES, METHODS, Candidate
from pruning.runs.recipe import Recipe
from pruning.tasks.metric import Difference, Metric, Summary
from pruning.tasks.table import find_metric
from pruning.training.evaluate import Scores

if TYPE_CHECKING:
    from pruning.repair.candidates import Repaired

ACCURACY = "accuracy"
"""Name of the metric of top-1 classification."""
NOT_TIMED, TIMES_FOLLOW = "not timed", "times follow when the machine is quiet"
"""Why a run has no times; `pruning.latency.noise.TOO_NOISY` is another reason."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A metric of one network on the images of a role."""

    metric: str = ACCURACY
    """Its name in `pruning.tasks`. The figures stand under it in the JSON."""
    value: float
    interval: tuple[float, float]
    """95 % interval."""
    images: int
    role: Role
    correct: int | None = None
    """Right answers; None for a metric that counts none."""

    def __post_init__(self) -> None:
        metric = _check_metric(self.metric, self.value, self.interval)
        if self.images < 1 or not 0 <= (self.correct or 0) <= self.images:
            _refuse(f"{self.metric} is of {self.images} images, {self.correct} of them right")
        if not metric.bounds[0] <= self.value <= metric.bounds[1]:
            _refuse(f"{metric.title} is {self.value:g}")

    @classmethod
    def of(cls, found: Scores) -> Measurement:
        """What was measured of a network's answers."""
        return cls(
            metric=found.metric.name,
            value=found.value,
            interval=found.interval,
            correct=found.correct,
            images=found.images,
            role=found.role,
        )

    @classmethod
    def beside(cls, name: str, found: Summary, like: Scores) -> Measurement:
        """A further metric of the same answers."""
        return cls(metric=name, value=found.value, interval=found.interval, images=like.images, role=like.role)

    @property
    def kind(self) -> Metric:
        """The metric, with the words to speak of it."""
        return find_metric(self.metric)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A metric of the pruned network minus that of the dense one, on the same images."""

    metric: str = ACCURACY
    value: float
    interval: tuple[float, float]
    """95 % interval of the paired difference."""
    newly_wrong: int | None = None
    newly_right: int | None = None
    """Images; None for a metric that knows no right and wrong."""

    def __post_init__(self) -> None:
        _check_metric(self.metric, self.value, self.interval)
        if min(self.newly_wrong or 0, self.newly_right or 0) < 0:
            _refuse("a number of images is negative")

    @classmethod
    def of(cls, found: Difference, metric: str = ACCURACY) -> Change:
        """A paired difference of a metric."""
        return cls(
            metric=metric,
            value=found.value,
            interval=found.interval,
            newly_wrong=found.newly_wrong,
            newly_right=found.newly_right,
        )

    @property
    def kind(self) -> Metric:
        """The metric, with the words to speak of it."""
        return find_metric(self.metric)

    @property
    def paired(self) -> Difference:
        """As a paired difference."""
        return Difference(
            value=self.value,
            interval=self.interval,
            newly_wrong=self.newly_wrong,
            newly_right=self.newly_right,
        )


@dataclass(frozen=True, kw_only=True)
class Side(Cost):
    """One of the two networks: what it costs, and what was measured of it."""

    test: Measurement | None = None
    """From the one look at the test images; None where there were none, or no labels."""
    further: tuple[Measurement, ...] = ()
    """Other metrics from the same look."""
    latency: Mapping[int, Timing] = field(default_factory=dict)
    """Batch size → time of one batch. Dense and pruned were timed in turn."""

    def __post_init__(self) -> None:
        if self.params < 1 or not 0 <= self.nonzero <= self.params:
            _refuse(f"of {self.params:,} parameters {self.nonzero:,} are not zero")
        if min(self.macs, self.bytes.raw, self.bytes.deflate, self.bytes.sparse, self.activation_bytes) < 0:
            _refuse("a size or cost is negative")
        for batch, timing in self.latency.items():
            if batch < 1 or not 0 < timing.low <= timing.median <= timing.high < math.inf:
                _refuse(f"the time of a batch of {batch} is {timing.low:g}, {timing.median:g}, {timing.high:g} ms")


@dataclass(frozen=True, kw_only=True)
class Speedup:
    """How many times as fast the second network is: 95 % interval and estimate."""

    batch: int
    low: float
    middle: float
    high: float
    estimated: bool = False
    """Worked out from the times of two runs, each against dense; else measured in turn, one beside the other."""

    def __post_init__(self) -> None:
        if self.batch < 1 or not 0 < self.low <= self.middle <= self.high < math.inf:
            _refuse(f"the speed-up of a batch of {self.batch} is {self.low:g}, {self.middle:g}, {self.high:g}")

    @classmethod
    def of(cls, found: Comparison) -> Speedup:
        """As it was measured."""
        low, middle, high = found.speedup
        return cls(batch=found.batch, low=low, middle=middle, high=high)

    @property
    def span(self) -> tuple[float, float, float]:
        """As `pruning.latency.clock.verdict` takes it."""
        return self.low, self.middle, self.high

    @property
    def shows(self) -> bool:
        """Whether the clock shows a difference at all."""
        return clock.shows(self.span)

    @property
    def words(self) -> str:
        """'1.80× as fast (1.70–1.90)', claiming no more than the interval shows."""
        return clock.verdict(self.span)

    @property
    def short(self) -> str:
        """'1.80×', or 'same' where the clock shows no difference."""
        return clock.short(self.span)


@dataclass(frozen=True, kw_only=True)
class RepairNote:
    """How a network was repaired without training."""

    method: Candidate
    """The candidate that was taken."""
    agreement: Mapping[str, float]
    """Candidate → share of the judged images on which it gave the answer of the network before the cut."""
    images: int
    """`train` images, without their labels, that candidates were fitted to; the recipe's seed draws them."""
    judged: int
    """Other `train` images, by which one was chosen."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Layer whose weights were not fitted → why."""
    without: str | None = None
    """Why none were."""

    def __post_init__(self) -> None:
        known = set(self.agreement) <= set(CANDIDATES)
        if not known or self.method not in self.agreement or not all(0 <= s <= 1 for s in self.agreement.values()):
            _refuse(f"its repair was '{self.method}', and candidates agreed with dense {self.agreement}")
        if min(self.images, self.judged) < 0:
            _refuse("its repair saw less than no image")

    @classmethod
    def of(cls, found: Repaired) -> RepairNote:
        """What is to be noted of a repair."""
        return cls(
            method=found.chosen,
            agreement={name: round(share, 6) for name, share in found.agreement.items()},
            images=found.fitted_images,
            judged=found.judged_images,
            left={layer.layer: layer.left for layer in found.layers if layer.left is not None},
            without=found.without,
        )

    @property
    def words(self) -> str:
        """The method in a few words: 'refit'."""
        return METHODS[self.method]


@dataclass(frozen=True, kw_only=True)
class Stages:
    """A metric on select images after a cut, step by step; None: not done, or nothing to measure it on."""

    as_cut: Measurement | None = None
    recalibrated: Measurement | None = None
    repaired: Measurement | None = None
    """Without training."""
    finetuned: Measurement | None = None
    repair: RepairNote | None = None
    """How it was repaired; None where it was not."""

    @property
    def untrained(self) -> Measurement | None:
        """The furthest figure without training."""
        return self.repaired or self.recalibrated or self.as_cut


@dataclass(frozen=True, kw_only=True)
class FinishedRound:
    """One prune–fine-tune round of the schedule, carried out."""

    number: int
    """From 1 on."""
    sparsity: float
    """Counted on the dense network."""
    steps: int
    stages: Stages


@dataclass(frozen=True, kw_only=True)
class DataUsed:
    """The images that a run looked at."""

    name: str
    sha256: str
    source: str
    """Where they came from."""
    title: str = ""
    """'' where the run is older than this entry, or the data set is a published one; so are the others below."""
    things: str = ""
    """What they show, in the plural."""
    classes: int | None = None
    """How many there are to answer with."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Images of each role."""
    remarks: tuple[str, ...] = ()
    """What was guessed, left out or noticed, each a whole sentence."""


@dataclass(frozen=True, kw_only=True)
class WorstClass:
    """The class that lost the most of its right answers on the test images of a run."""

    name: str
    drop: float
    """Its accuracy before minus afterwards, as a fraction; negative where every class gained."""
    images: int
    """Of it."""

    def __post_init__(self) -> None:
        if not -1 <= self.drop <= 1 or self.images < 1:
            _refuse(f"the class '{self.name[:40]}' lost {self.drop:g} of {self.images} images")


@dataclass(frozen=True, kw_only=True)
class Timed:
    """How and when times were taken."""

    at: datetime | None = None
    """With its zone; None in a run from before this was noted, which took them at its end."""
    cpu: str
    """'' where the run is older than this entry."""
    threads: int
    engine: str
    torch: str
    """Version."""
    noisy: tuple[int, ...] = ()
    """Batch sizes whose times the machine was too noisy for: nothing else is told of them."""

    @property
    def without(self) -> str:
        """Why there is no speed-up where there is none, in a few words."""
        return TOO_NOISY if self.noisy else NOT_TIMED

    def __post_init__(self) -> None:
        if self.threads < 1 or any(batch < 1 for batch in self.noisy):
            _refuse(f"it was timed on {self.threads} threads with batches of {self.noisy}")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished run's figures. Values that contradict each other are an InputError when it is built."""

    recipe: Recipe
    model: str
    """Reference of the network that was pruned."""
    model_digest: str
    """SHA-256 of its weights."""
    data: DataUsed | None
    """None for a run without images."""
    dense: Side
    """The network that everything began with, also where the run went on from another run's."""
    pruned: Side
    speedups: tuple[Speedup, ...] = ()
    """Dense time over pruned time, the smallest batch first; empty: no time was taken."""
    difference: Change | None = None
    """Of the test figures; None where there are none."""
    worst_class: WorstClass | None = None
    """None where no classes were answered."""
    looks: int | None = None
    """How often the test images were looked at for the unpruned network, this run's look included; None where that is
    not counted."""
    stages: Stages
    """Of the last round."""
    dense_select: Measurement | None = None
    """The dense network on the select images of the stages; None where the run is older than this entry."""
    rounds: tuple[FinishedRound, ...]
    layers: tuple[LayerPlan, ...]
    check: Check
    engine: str
    cpu: str
    """'' where the run is older than this entry."""
    threads: int
    torch: str
    """Version."""
    seconds: float
    """Of the whole run, without its times."""
    timed: Timed | None = None
    """How the times were taken, which is after the run; None where there are none, and in a run that took them at its
    own end."""
    untimed: str = NOT_TIMED
    """Why there is no speed-up, where there is none, in a few words."""

    def __post_init__(self) -> None:
        batches = [speedup.batch for speedup in self.speedups]
        if batches != sorted(set(batches)):
            _refuse("its speed-ups are not in the order of their batch sizes")
        if any(batch not in side.latency for batch in batches for side in (self.dense, self.pruned)):
            _refuse("a speed-up has no times")
        if self.threads < 1 or not 0 <= self.seconds < math.inf:
            _refuse(f"it took {self.seconds:g} s on {self.threads} threads")
        if (self.difference is None) == (self.dense.test is not None and self.pruned.test is not None):
            _refuse("the difference and the two test figures do not belong together")
        if self.difference is not None and self.dense.test is not None and self.pruned.test is not None:
            metrics = {self.difference.metric, self.dense.test.metric, self.pruned.test.metric}
            changed = (self.difference.newly_wrong or 0) + (self.difference.newly_right or 0)
            if len(metrics) > 1 or self.dense.test.images != self.pruned.test.images:
                _refuse("dense and pruned were measured differently")
            if changed > self.pruned.test.images:
                _refuse(f"{changed:,} answers changed on {self.pruned.test.images:,} images")
        dense, first = self.dense_select, self.stages.as_cut
        if dense is not None and (dense.role != "select" or first is None or not _measured_alike(dense, first)):
            _refuse("the dense network was measured otherwise than its stages, or not on select images")

    @property
    def tuned(self) -> bool:
        """Whether the run fine-tuned, and its figures are those after it."""
        return self.stages.finetuned is not None

    @property
    def metric_title(self) -> str:
        """What it was measured by, in words."""
        return ACCURACY if self.pruned.test is None else self.pruned.test.kind.title

    def speedup(self, batch: int = 1) -> Speedup | None:
        """Of one batch size; None where it was not timed."""
        return next((speedup for speedup in self.speedups if speedup.batch == batch), None)

    @property
    def clock(self) -> Timed:
        """How the times were taken, or would have been by the run itself."""
        own = Timed(cpu=self.cpu, threads=self.threads, engine=self.engine, torch=self.torch)
        return own if self.timed is None else self.timed

    def with_times(self, timed: Timed, comparisons: Sequence[Comparison]) -> Result:
        """The same with these times in place of any others; of noisy ones nothing but that they were noisy.

        Raises:
            InputError: they contradict each other.
        """
        timed = replace(timed, noisy=tuple(found.batch for found in comparisons if not found.quiet))
        quiet = sorted((found for found in comparisons if found.quiet), key=lambda found: found.batch)
        return replace(
            self,
            dense=replace(self.dense, latency={found.batch: found.dense for found in quiet}),
            pruned=replace(self.pruned, latency={found.batch: found.pruned for found in quiet}),
            speedups=tuple(Speedup.of(found) for found in quiet),
            timed=timed,
            untimed=timed.without,
        )


def _measured_alike(one: Measurement, other: Measurement) -> bool:
    return (one.metric, one.images, one.role) == (other.metric, other.images, other.role)


def _check_metric(name: str, value: float, interval: tuple[float, float]) -> Metric:
    try:
        metric = find_metric(name)
    except InputError as error:
        _refuse(first_line(error))
    low, high = interval
    if not all(map(math.isfinite, (value, low, high))) or low > high:
        _refuse(f"{name} is {value:g} with the interval {low:g} to {high:g}")
    return metric


def _refuse(what: str) -> NoReturn:
    raise InputError(f"This cannot be a run's result: {what}.")
