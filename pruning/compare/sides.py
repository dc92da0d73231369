"""The two networks of a comparison, with what was measured of each, from the folders of finished runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pruning.base.errors import InputError
from pruning.data.protocol import Data
from pruning.runs import Run
from pruning.runs.result import NOT_TIMED, Result, Speedup
from pruning.runs.result import Side as Figures
from pruning.runs.summary import Summary
from pruning.subject import Subject
from pruning.tasks.metric import Difference, Metric
from pruning.training.answers import Answers

Kind = Literal["dense", "run"]
Listed = TypeVar("Listed", Run, Summary)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What a run's times hold for."""

    cpu: str
    """'' where the run is older than this entry."""
    threads: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One network of a comparison."""

    kind: Kind
    label: str
    """A few words for headings, such as 'dense' or 'channels by L2, 40 %, fine-tuned'."""
    subject: Subject
    """With the images that both looked at. Shared: copy the model before changing anything.
    `subject.network.structure.kept` has the original channel numbers."""
    run: Run | None
    """The run it is the result of; None for dense."""
    answers: Answers | None
    """To the test images, from the one look at them; None where the run is older than the file of answers."""
    figures: Figures
    """What was measured of it at the end of a run."""
    tuned: bool
    """Fine-tuned: its accuracy has the badge ◆, else ●."""

    @property
    def name(self) -> str:
        """The run's name; '' for dense."""
        return self.run.name if self.run is not None else ""

    @property
    def heading(self) -> str:
        """The label, for readers who do not know the word 'dense'."""
        return f"{self.label} (nothing removed)" if self.kind == "dense" else self.label


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two networks that looked at the same images."""

    before: Side
    after: Side

    @property
    def data_name(self) -> str:
        """Reference of the images; '' where there are none."""
        return self.after.subject.data_name

    @property
    def missing(self) -> str | None:
        """Why the images are not there, in words; None where they are."""
        return self.after.subject.missing

    def data(self) -> Data:
        """The images. Only where nothing is `missing`."""
        assert self.missing is None, self.missing
        return self.after.subject.data

    @property
    def why_no_answers(self) -> str | None:
        """Why the answers of both to the test images are not known, as sentences; None where they are."""
        lacking = [side for side in (self.before, self.after) if side.answers is None]
        if not lacking:
            return None
        if self.after.figures.test is None:
            return "The run had no test images, so there are no answers to show."
        names = " and ".join(dict.fromkeys(side.name or "the original" for side in lacking))
        return (
            f"The answers image by image were not kept for: {names}. That run is from before they were; the figures "
            "above are from its result. Run its recipe again to have them."
        )

    @property
    def why_no_pictures(self) -> str | None:
        """Why the pictures behind the answers to the test images cannot be shown, in words; None where they can.

        Only where those answers were kept.
        """
        if self.missing is not None:
            return self.missing
        assert self.before.answers is not None, "there are answers"
        if self.data().digest != self.before.answers.data_digest:
            return "the images on this machine are not those that the run was tested on"
        return None

    @property
    def names(self) -> tuple[str, str]:
        """What the two networks are called in a word."""
        return ("original", "pruned") if self.before.kind == "dense" else ("before", "after")

    @property
    def only_zeros(self) -> bool:
        """Whether they differ in zeros alone: as many parameters, but not as many that are not zero."""
        before, after = self.before.figures, self.after.figures
        return before.params == after.params and before.nonzero != after.nonzero

    @property
    def tuned(self) -> bool:
        """Whether either was fine-tuned: then a change between them is one after fine-tuning."""
        return self.before.tuned or self.after.tuned

    @property
    def metric(self) -> Metric:
        """What both are measured by."""
        test = self.after.figures.test
        return self.after.subject.task.metric if test is None else test.kind

    @property
    def same_network(self) -> bool:
        """Whether both go back to the same dense network, so that layers and channels correspond."""
        return self.before.subject.network.origin == self.after.subject.network.origin

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes that both were timed at, the smallest first."""
        return tuple(sorted(self.before.figures.latency.keys() & self.after.figures.latency.keys()))

    @property
    def clock(self) -> Clock | None:
        """On what both were timed; None where two runs were timed on different processors or numbers of threads."""
        found = {_clock(side.run) for side in (self.before, self.after) if side.run is not None}
        return found.pop() if len(found) == 1 else None

    @property
    def untimed(self) -> str:
        """Why the two have no times to be held against each other, in a few words, where one of them has none."""
        results = [side.run.result for side in (self.before, self.after) if side.run is not None]
        return next((found.untimed for found in results if found is not None and not found.speedups), NOT_TIMED)

    def speedup(self, batch: int = 1) -> Speedup | None:
        """How many times as fast `after` is; None where the two were never held against the same network, or not on
        the same clock."""
        own = _against_dense(self.after, batch)
        if own is None or not self.same_network or self.clock is None:
            return None
        if self.before.run is None:
            return own
        other = _against_dense(self.before, batch)
        return None if other is None else _quotient(own, other)

    @property
    def difference(self) -> Difference | None:
        """The metric of `after` minus that of `before` on the same images; None where their answers were not kept."""
        if self.before.answers is not None and self.after.answers is not None:
            return self.after.answers.minus(self.before.answers)
        if self.before.kind == "dense" and self.after.run is not None:
            stated = _result(self.after.run).difference
            return None if stated is None else stated.paired
        return None


def comparable(first: Run | Summary, second: Run | Summary) -> bool:
    """Whether two finished runs looked at the very same images."""
    return bool(_images(first) and _images(first) == _images(second))


def find_run(runs: Mapping[str, Listed], name: str) -> Listed:
    """A finished run by its name, which may come from an address.

    Raises:
        InputError: there is no such run.
    """
    run = runs.get(name) if Path(name).name == name else None
    if run is None:
        raise InputError(f"There is no finished run '{name[:80]}' here: choose one of those in the boxes.")
    return run


def run_side(run: Run, subject: Subject, label: str) -> Side:
    """The result of a finished run; `subject` is `run:` with its folder.

    Raises:
        StorageError: its answers are damaged.
    """
    result = _result(run)
    return Side(
        kind="run",
        label=label,
        subject=subject,
        run=run,
        answers=run.answers().get("pruned"),
        figures=result.pruned,
        tuned=result.tuned,
    )


def dense_side(run: Run, subject: Subject) -> Side:
    """The dense network that a finished run was held against; `subject` is what `run.dense_ref()` names.

    Raises:
        StorageError: its answers are damaged.
    """
    return Side(
        kind="dense",
        label="original",
        subject=subject,
        run=None,
        answers=run.answers().get("dense"),
        figures=_result(run).dense,
        tuned=False,
    )


def _result(run: Run) -> Result:
    assert run.result is not None, f"{run.name} is not finished"
    return run.result


def _images(run: Run | Summary) -> str | None:
    """Digest of the images a finished run looked at."""
    if isinstance(run, Summary):
        return run.images_digest
    data = run.result.data if run.result is not None else None
    return None if data is None else data.sha256


def _clock(run: Run) -> Clock:
    timed = _result(run).clock
    return Clock(cpu=timed.cpu, threads=timed.threads)


def _against_dense(side: Side, batch: int) -> Speedup | None:
    """A run's speed against dense as it was measured; None for dense itself, and where no time was taken."""
    return None if side.run is None else _result(side.run).speedup(batch)


def _quotient(own: Speedup, other: Speedup) -> Speedup:
    """Both are ratios to the same dense network, measured apart: their logarithms' half widths add in quadrature."""
    middle = math.log(own.middle / other.middle)
    below = math.hypot(math.log(own.middle / own.low), math.log(other.high / other.middle))
    above = math.hypot(math.log(own.high / own.middle), math.log(other.middle / other.low))
    return Speedup(
        batch=own.batch,
        low=math.exp(middle - below),
        middle=math.exp(middle),
        high=math.exp(middle + above),
        estimated=True,
    )
