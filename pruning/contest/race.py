"""The race: every seed cuts at once and in rounds, with exactly as many optimiser steps, all advancing side by side.

Iterative pruning with retraining is Han et al. 2015 (arXiv 1506.02626). How long one retrains changes the result (Renda
et al. 2020, arXiv 2003.02389), so both sides get equally many steps.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.data.augmentations import AS_KNOWN
from pruning.data.preprocess import Preprocess
from pruning.data.readers import describe_data
from pruning.runs.pipeline import Pruned, prune_in_rounds
from pruning.runs.recipe import BatchNorm, Optimiser, Recipe, Schedule
from pruning.spec import CONTEST, PruneSpec
from pruning.subject import Subject
from pruning.tasks.agreement import AGREEMENT_TASK
from pruning.tasks.metric import Metric
from pruning.tasks.table import task_of
from pruning.training.evaluate import evaluate
from pruning.training.finetune import Precision

TRAINING = ("batch_size", "lr", "optimiser", "batch_norm", "momentum", "weight_decay", "augment", "shift",
            "distillation", "precision")  # fmt: skip
"""Fields of terms that are a recipe's of the same name."""
OPTIONS = ("batch_size", "lr", "optimiser", "batch_norm", "weight_decay", "augment", "distillation")
"""Those that the command line has options for."""
SCHEDULES: tuple[Schedule, ...] = ("oneshot", "iterative")
MOST_SEEDS = 12
NEWER = ("preprocess", "labelled", "optimiser", "batch_norm", "momentum", "weight_decay", "augment", "shift",
         "distillation", "precision")  # fmt: skip
"""Fields of terms that races have had since there are images of one's own and choices of training."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What both sides agree on."""

    model: str
    data: str
    preprocess: Preprocess | None = None
    """How its images are prepared; None where they are as they are."""
    labelled: bool = True
    """Whether it is known what is right for them; else the race is about agreement with the unpruned network."""
    prune: PruneSpec = CONTEST
    """What both remove in the end; its seed is each lane's own."""
    rounds: int = 4
    """Of the iterative side; the other has one."""
    steps: int = 240
    """Optimiser steps of each lane, over all its rounds."""
    batch_size: int = 64
    lr: float = 0.05
    optimiser: Optimiser = "sgd"
    batch_norm: BatchNorm = "learnt"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: str = AS_KNOWN
    shift: int = 0
    distillation: float | None = None
    precision: Precision = "fp32"
    """Of training, all as in `Recipe`."""
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        if not 2 <= len(set(self.seeds)) == len(self.seeds) <= MOST_SEEDS:
            raise InputError(f"A race takes 2 to {MOST_SEEDS} different seeds, not {list(self.seeds)}.")
        if self.rounds < 2:
            raise InputError(f"The iterative side needs at least 2 rounds, not {self.rounds}.")
        if self.steps < self.rounds:
            raise InputError(f"{self.rounds} rounds need at least as many steps, not {self.steps}.")
        for schedule in SCHEDULES:
            self.recipe(schedule, self.seeds[0])

    def recipe(self, schedule: Schedule, seed: int) -> Recipe:
        """What one lane carries out. Raises InputError for values that are not allowed."""
        return Recipe(
            model=self.model,
            data=self.data,
            preprocess=self.preprocess,
            prune=self.prune.replace(seed=seed),
            schedule=schedule,
            iterations=self.rounds if schedule == "iterative" else 1,
            finetune_steps=self.steps,
            **{name: getattr(self, name) for name in TRAINING},
        )

    @property
    def metric(self) -> Metric:
        """What the race is about: that of the data set's task."""
        if not self.labelled:
            return AGREEMENT_TASK.metric
        return task_of(describe_data(self.data, self.preprocess)).metric

    def to_values(self) -> dict[str, Any]:
        """All fields by name, flat, those of the spec among them but for its seed; ready for JSON."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "prune"}
        for name in NEWER:
            if own[name] == getattr(type(self), name):
                del own[name]  # so that races that were run before keep their name
        if self.preprocess is not None:
            own["preprocess"] = self.preprocess.to_values()
        spec = self.prune.to_values()
        del spec["seed"]
        return {**own, **spec, "seeds": list(self.seeds)}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where a lane stands at one place of its way: the metric on select images."""

    step: int
    value: float
    correct: int | None
    """Images that are right; None where the metric counts none."""
    images: int
    after: Literal["cut", "training"]


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Where a lane ended."""

    metric: Metric
    scores: tuple[float, ...]
    """Of each select image, in the data set's order: 1 for right and 0 for wrong where the metric counts those."""
    kept: int
    """Units or weights that are left, over all that the plan speaks of."""
    total: int
    steps: int
    """Optimiser steps taken."""

    @property
    def value(self) -> float:
        """The metric."""
        return self.metric.mean(self._tensor)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % for other images of the same kind."""
        return self.metric.interval(self._tensor)

    @property
    def _tensor(self) -> Tensor:
        return torch.tensor(self.scores, dtype=torch.bool if self.metric.counts else torch.float64)


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One seed of one schedule."""

    schedule: Schedule
    seed: int
    marks: tuple[Mark, ...] = ()
    finish: Finish | None = None

    @property
    def step(self) -> int:
        return self.marks[-1].step if self.marks else 0


@dataclass(frozen=True, kw_only=True)
class Race:
    """All lanes, as far as they have come."""

    terms: Terms
    lanes: tuple[Lane, ...]

    @property
    def done(self) -> bool:
        return all(lane.finish is not None for lane in self.lanes)

    @property
    def share(self) -> float:
        """How much of the training is done, as a fraction."""
        return sum(lane.step for lane in self.lanes) / (self.terms.steps * len(self.lanes))

    def of(self, schedule: Schedule) -> list[Lane]:
        """The lanes of one side, by seed."""
        return [lane for lane in self.lanes if lane.schedule == schedule]


def line_up(terms: Terms) -> Race:
    """The race before the start."""
    lanes = tuple(Lane(schedule=schedule, seed=seed) for seed in terms.seeds for schedule in SCHEDULES)
    return Race(terms=terms, lanes=lanes)


def race(terms: Terms, subject: Subject, *, cancel: Cancel | None = None) -> Iterator[Race]:
    """Run all lanes, in turn from mark to mark, yielding the race after each; the subject is not changed.

    Raises:
        Cancelled: `cancel()` became true; what was yielded stands.
    """
    now = line_up(terms)
    steps = {schedule: sum(part.steps for part in terms.recipe(schedule, 0).rounds()) for schedule in SCHEDULES}
    assert len(set(steps.values())) == 1, "equal steps are the point"
    walks = [_walk(terms.recipe(lane.schedule, lane.seed), subject, cancel) for lane in now.lanes]
    going = dict(enumerate(walks))
    try:
        while going:
            # The lane that lags goes on: all come along together, whatever their marks stand apart.
            number = min(going, key=lambda i: (now.lanes[i].step, len(now.lanes[i].marks), i))
            lane = now.lanes[number]
            found = next(going[number])
            if isinstance(found, Finish):
                lane = replace(lane, finish=found)
                going.pop(number).close()
            else:
                lane = replace(lane, marks=(*lane.marks, found))
            now = replace(now, lanes=(*now.lanes[:number], lane, *now.lanes[number + 1 :]))
            yield now
    finally:
        for walk in walks:
            walk.close()


def _walk(recipe: Recipe, subject: Subject, cancel: Cancel | None) -> Generator[Mark | Finish, None, None]:
    """One lane's marks as they come, and its finish."""
    taken, data, metric = 0, subject.data, subject.task.metric
    pruned: Pruned | None = None
    with closing(_events(lambda tell: prune_in_rounds(recipe, subject, tell, cancel))) as events:
        for event in events:
            if isinstance(event, Pruned):
                pruned = event
                break
            trained = event["stage"] == "finetune"
            taken += trained
            value = event.get(metric.name)
            if (trained or event["stage"] == "as_cut") and value is not None:
                images = data.length("select")
                yield Mark(
                    step=taken,
                    value=value,
                    correct=round(value * images) if metric.counts else None,
                    images=images,
                    after="training" if trained else "cut",
                )
    assert pruned is not None, "the events end with it, or with an error"
    yield Finish(
        metric=metric,
        scores=tuple(evaluate(pruned.model, data, "select", cancel=cancel).scores.tolist()),
        kept=sum(layer.kept for layer in pruned.plan.layers),
        total=sum(layer.total for layer in pruned.plan.layers),
        steps=taken,
    )


def _events(
    work: Callable[[Callable[[dict[str, Any]], None]], Pruned],
) -> Generator[dict[str, Any] | Pruned, None, None]:
    """What `work` tells, event by event, and at last what it returns; between two of them it stands still.

    It runs in a thread, of which only one moves at a time: so several trainings can go on in turn.
    """
    told: queue.Queue[dict[str, Any] | Pruned | BaseException] = queue.Queue()
    go, left = threading.Semaphore(0), threading.Event()
    threads = torch.get_num_threads()

    def tell(event: dict[str, Any]) -> None:
        told.put(event)
        go.acquire()
        if left.is_set():
            raise Cancelled("Nobody looks on any longer.")

    def run() -> None:
        go.acquire()
        torch.set_num_threads(threads)
        try:
            if not left.is_set():
                told.put(work(tell))
        except BaseException as error:
            told.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            go.release()
            event = told.get()
            if isinstance(event, BaseException):
                raise event
            yield event
            if isinstance(event, Pruned):
                return
    finally:
        left.set()
        go.release()
        thread.join()
