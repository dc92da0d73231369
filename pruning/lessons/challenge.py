"""A challenge: cut a network below a limit, train as long as everybody, and compare one's runs on the same images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.base.errors import PruningError, StorageError
from pruning.granularity import Granularity
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec

if TYPE_CHECKING:
    from pruning.planning.plan import Plan
    from pruning.runs import Run
    from pruning.tasks.metric import Difference
    from pruning.training.answers import Answers
    from pruning.training.evaluate import Evaluation

GRANULARITY: dict[str, Granularity] = {"weights": "weight", "macs": "channel"}
"""What each task removes: the weights, or the multiplications, are to fall below the limit."""
RATE = 0.05
"""Learning rate of everybody's training."""
BATCH = 64
"""Batch size of everybody's training."""


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What everybody meets alike."""

    network: str
    data: str
    task: str
    """One of `GRANULARITY`."""
    limit: float
    """Share of weights or multiplications that may be left, 0 to 1."""
    steps: int
    """Training steps that everybody gets."""

    @property
    def granularity(self) -> Granularity:
        return GRANULARITY[self.task]

    def is_met(self, share: float) -> bool:
        """Whether what a cut leaves is at most the limit."""
        return share <= self.limit + 1e-9

    def recipe(self, cut: PruneSpec) -> Recipe:
        """The run of a cut."""
        return Recipe(
            model=self.network, data=self.data, prune=cut, finetune_steps=self.steps, batch_size=BATCH, lr=RATE
        )

    def is_of(self, recipe: Recipe) -> bool:
        """Whether a run, by its recipe, takes part, whatever it leaves."""
        return (
            (recipe.model, recipe.data) == (self.network, self.data)
            and recipe.prune.granularity == self.granularity
            and recipe.finetune_steps == self.steps
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run that takes part."""

    run: str
    path: Path
    number: int
    """Which one it is of the visitor's, from 1."""
    state: str
    share: float
    """Of weights or multiplications that are left."""
    ended_early: str = ""
    """Why, where it did."""
    removed: str = ""
    """What goes, by `what_goes`."""
    evaluation: Evaluation | None = None
    """On select images, after fine-tuning."""
    against: Difference | None = None
    """This one minus the leader, on the same images; None for the leader."""

    @property
    def is_working(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def is_done(self) -> bool:
        return self.state == "done"


def what_goes(plan: Plan) -> str:
    """Names what a plan removes: plans that remove the same have the same name, whatever asked for them."""
    found = hashlib.sha256(plan.granularity.encode())
    for name, units in sorted(plan.kept.items()):
        found.update(f"{name} {units}".encode())
    for name, mask in sorted(plan.masks.items()):
        found.update(name.encode() + mask.numpy().tobytes())
    return found.hexdigest()


def twin_of(removed: str, entries: Sequence[Entry]) -> Entry | None:
    """The entry that removes just that, unless it ended early; everybody's training is the same, so they are equal."""
    return next((entry for entry in entries if entry.removed == removed and not entry.ended_early), None)


def entries_of(
    names: Sequence[str],
    challenge: Challenge,
    share_left: Callable[[PruneSpec], float],
    removed: Callable[[PruneSpec], str],
) -> list[Entry]:
    """The runs of those names that take part in a challenge and meet its limit, in the order of the names; of equal
    ones the first.

    The names come from a browser, so each is looked up as a run and its recipe decides whether it belongs here.
    `share_left`: what a cut leaves of what the challenge counts, 0 to 1. `removed`: what goes, by `what_goes`.
    """
    from pruning.runs import default_runs_dir, read_run

    found: list[Entry] = []
    for name in names:
        if Path(name).name != name or name.startswith("."):
            continue
        try:
            run = read_run(default_runs_dir() / name)
            if not challenge.is_of(run.recipe):
                continue
            share, gone = share_left(run.recipe.prune), removed(run.recipe.prune)
        except PruningError:  # deleted meanwhile, or no run at all
            continue
        if challenge.is_met(share) and twin_of(gone, found) is None:
            found.append(_entry(run, name, len(found) + 1, share, gone))
    return found


def ranked(entries: Sequence[Entry]) -> list[Entry]:
    """Measured entries, the best first, each compared with it image by image."""
    measured = [entry for entry in entries if entry.evaluation is not None]
    measured.sort(key=_value, reverse=True)
    leader = measured[0].evaluation
    assert leader is not None
    return [
        measured[0],
        *(
            replace(entry, against=entry.evaluation.minus(leader))
            for entry in measured[1:]
            if entry.evaluation is not None
        ),
    ]


def is_tie(difference: Difference) -> bool:
    """Whether the interval of a difference holds zero."""
    return difference.interval[0] <= 0 <= difference.interval[1]


def handed_in(entry: Entry, name: str) -> tuple[Answers, Difference]:
    """The look at the test images: how the entry's network does there, and how that differs from the dense one.

    `name`: what the entry is called, for the error.

    Raises:
        StorageError: the run kept no answers to the test images.
    """
    from pruning.runs import read_run

    sides = read_run(entry.path).answers()
    if not {"dense", "pruned"} <= sides.keys():
        raise StorageError(f"{name} kept no answers to the test images: enter it again.")
    return sides["pruned"], sides["pruned"].minus(sides["dense"])


def _entry(run: Run, name: str, number: int, share: float, removed: str) -> Entry:
    early = run.message or run.state if run.state in ("failed", "cancelled") else ""
    return Entry(
        run=name, path=run.path, number=number, state=run.state, share=share, removed=removed, ended_early=early
    )


def _value(entry: Entry) -> float:
    return 0.0 if entry.evaluation is None else entry.evaluation.value
