"""The two networks of a comparison, with what was measured of each, from the folders of finished runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pruning.base.errors import InputError, StorageError
from pruning.data.protocol import Data
from pruning.opening.models import STRUCTURE_FILE, OpenModel
from pruning.runs import Run
from pruning.runs.store import ANSWERS
from pruning.tasks.metric import Difference
from pruning.training.answers import Answers, read_answers

Kind = Literal["dense", "run"]


@dataclass(frozen=True, kw_only=True)
class Speedup:
    """How many times as fast the second network is: 95 % interval and estimate."""

    batch: int
    low: float
    middle: float
    high: float
    estimated: bool = False
    """Worked out from the times of two runs, each against dense; else measured in turn, one beside the other."""

    @property
    def span(self) -> tuple[float, float, float]:
        """As `pruning.latency.clock.verdict` takes it."""
        return self.low, self.middle, self.high

    @property
    def shows(self) -> bool:
        """Whether the clock shows a difference at all."""
        return not self.low <= 1 <= self.high


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
    opened: OpenModel
    """Shared: copy the model before changing anything. `opened.structure.kept` has the original channel numbers."""
    run: Run | None
    """The run it is the result of; None for dense."""
    answers: Answers | None
    """To the test images, from the one look at them; None where the run is older than the file of answers."""
    figures: Mapping[str, Any]
    """What was measured of it at the end of a run, as `dense` or `pruned` in result.json."""
    tuned: bool
    """Fine-tuned: its accuracy has the badge ◆, else ●."""

    @property
    def name(self) -> str:
        """The run's name; '' for dense."""
        return self.run.name if self.run is not None else ""

    @property
    def accuracy(self) -> float:
        """On test images, as a fraction."""
        return float(self.figures["accuracy"])

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        low, high = self.figures["accuracy_interval"]
        return float(low), float(high)

    @property
    def images(self) -> int:
        """Number of test images."""
        return int(self.figures["images"])

    @property
    def params(self) -> int:
        return int(self.figures["params"])

    @property
    def nonzero(self) -> int:
        return int(self.figures["nonzero"])

    @property
    def macs(self) -> int:
        """Of one image."""
        return int(self.figures["macs"])

    @property
    def raw(self) -> int:
        """Bytes of the weights as they are."""
        return int(self.figures["bytes"]["raw"])

    def milliseconds(self, batch: int = 1) -> tuple[float, float, float]:
        """Time of one batch: lower end, median, upper end. From the run's own minute: compare with `Pair.speedup`."""
        timing = self.figures["latency_ms"][str(batch)]
        return timing["low"], timing["median"], timing["high"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two networks that looked at the same images."""

    before: Side
    after: Side
    data_name: str
    missing: str | None
    """Why the images are not there, in words; None where they are."""
    load: Callable[[], Data]

    def data(self) -> Data:
        """The images. Only where nothing is `missing`."""
        assert self.missing is None, self.missing
        return self.load()

    @property
    def same_network(self) -> bool:
        """Whether both go back to the same dense network, so that layers and channels correspond."""
        before, after = self.before.opened.sample, self.after.opened.sample
        return before is not None and after is not None and before.name == after.name

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes that both were timed at."""
        before, after = self.before.figures["latency_ms"], self.after.figures["latency_ms"]
        return tuple(sorted(int(batch) for batch in after if batch in before))

    @property
    def clock(self) -> Clock | None:
        """On what both were timed; None where two runs were timed on different processors or numbers of threads."""
        found = {_clock(side.run) for side in (self.before, self.after) if side.run is not None}
        return found.pop() if len(found) == 1 else None

    def speedup(self, batch: int = 1) -> Speedup | None:
        """How many times as fast `after` is; None where the two were never held against the same network, or not on
        the same clock."""
        own = _against_dense(self.after, batch)
        if own is None or not self.same_network or self.clock is None:
            return None
        other = _against_dense(self.before, batch)
        return own if other is None else _quotient(own, other)

    @property
    def difference(self) -> Difference | None:
        """Accuracy of `after` minus `before` on the same images; None where their answers were not kept."""
        if self.before.answers is not None and self.after.answers is not None:
            return self.after.answers.minus(self.before.answers)
        if self.before.kind == "dense" and self.after.run is not None and self.after.run.result is not None:
            stated = self.after.run.result["difference"]
            low, high = stated["interval"]
            return Difference(
                value=stated["accuracy"],
                interval=(low, high),
                newly_wrong=stated["newly_wrong"],
                newly_right=stated["newly_right"],
            )
        return None


def dense_of(run: Run) -> str:
    """Reference of the dense network a finished run goes back to, also through other runs.

    Raises:
        StorageError: its folder does not say.
    """
    try:
        return f"sample:{json.loads((run.path / STRUCTURE_FILE).read_text(encoding='utf-8'))['sample']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"The files of {run.name} do not say which network it began from: do it again.") from error


def comparable(first: Run, second: Run) -> bool:
    """Whether two finished runs looked at the very same images."""
    return bool(_images(first) and _images(first) == _images(second))


def find_run(runs: Mapping[str, Run], name: str) -> Run:
    """A finished run by its name, which may come from an address.

    Raises:
        InputError: there is no such run.
    """
    run = runs.get(name) if Path(name).name == name else None
    if run is None:
        raise InputError(f"There is no finished run '{name[:80]}' here: choose one of those in the boxes.")
    return run


def run_side(run: Run, opened: OpenModel, label: str) -> Side:
    """The result of a finished run; `opened` is `run:` with its folder.

    Raises:
        StorageError: its answers are damaged.
    """
    result = _result(run)
    return Side(
        kind="run",
        label=label,
        opened=opened,
        run=run,
        answers=_answers(run).get("pruned"),
        figures=result["pruned"],
        tuned=bool(result["stages"]["finetuned"]),
    )


def dense_side(run: Run, opened: OpenModel) -> Side:
    """The dense network that a finished run was held against; `opened` is what `dense_of` names.

    Raises:
        StorageError: its answers are damaged.
    """
    return Side(
        kind="dense",
        label="dense",
        opened=opened,
        run=None,
        answers=_answers(run).get("dense"),
        figures=_result(run)["dense"],
        tuned=False,
    )


def _answers(run: Run) -> dict[str, Answers]:
    path = run.path / ANSWERS
    return read_answers(path) if path.is_file() else {}


def _result(run: Run) -> dict[str, Any]:
    assert run.result is not None, f"{run.name} is not finished"
    return run.result


def _images(run: Run) -> str | None:
    """Digest of the images a finished run looked at."""
    return str(run.result["data"]["sha256"]) if run.result is not None else None


def _clock(run: Run) -> Clock:
    result = _result(run)
    return Clock(cpu=str(result.get("cpu", "")), threads=int(result["threads"]))


def _against_dense(side: Side, batch: int) -> Speedup | None:
    """A run's speed against dense as it was measured; None for dense itself."""
    if side.run is None:
        return None
    low, middle, high = _result(side.run)["speedup"][str(batch)]
    return Speedup(batch=batch, low=low, middle=middle, high=high)


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
