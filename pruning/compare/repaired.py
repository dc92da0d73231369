"""What a repair without training gave a run's network, on all select images and class by class: who gained by it, and
who still loses against the unpruned network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pruning.base.errors import InputError, StorageError
from pruning.base.intervals import beyond_chance, sign_test
from pruning.compare.casualties import check_same_images
from pruning.runs import Run
from pruning.runs.result import Measurement, RepairNote, Result
from pruning.runs.result_json import STAGES
from pruning.tasks.choices import Choices
from pruning.tasks.metric import Difference, Metric
from pruning.tasks.shares import difference_of
from pruning.training.answers import Answers

DENSE = "dense"
PARTS = 20
"""Into how many parts an axis from nothing to all is divided, to begin and end at one."""


@dataclass(frozen=True, kw_only=True)
class ClassRepaired:
    """One class from the cut to the repaired network, and beside the unpruned one."""

    name: str
    images: int
    answered: int
    """Images, of whatever class, that the network as cut answered with this one."""
    right: Mapping[str, int]
    """Images answered rightly: of the unpruned network ('dense'), and at each stage that the run has."""
    gained: Difference
    """Of the repaired network against that as cut, on this class's images alone."""
    left: Difference
    """Of the network at its last stage against the unpruned one, likewise: what is still lost is negative."""
    gain_stands: bool = False
    loss_stands: bool = False
    """Whether either is beyond chance when all classes are looked at (`beyond_chance`)."""

    def accuracy(self, stage: str) -> float:
        """Share of its images that are answered rightly at a stage, or by 'dense'."""
        return self.right[stage] / self.images

    @property
    def repaired_span(self) -> tuple[float, float]:
        """Accuracy as cut plus the ends of the interval of what was won, within what there can be."""
        low, high = (self.accuracy("as_cut") + end for end in self.gained.interval)
        return max(0.0, low), min(1.0, high)


@dataclass(frozen=True, kw_only=True)
class RepairGain:
    """What a repair gave on the select images."""

    note: RepairNote
    rounds: int
    """Of the run; the stages are those of the last one."""
    values: Mapping[str, Measurement]
    """Of the unpruned network ('dense') and at each stage that the run has, in the order of stages."""
    gained: Difference
    """Of the repaired network against that as cut."""
    left: Difference
    """Of the network at its last stage against the unpruned one."""
    trained: Difference | None
    """Of the fine-tuned network against the repaired one; None where it was not fine-tuned."""
    classes: tuple[ClassRepaired, ...]
    """That which still loses most first; empty where no class is chosen, or it is not known which is right."""

    @property
    def metric(self) -> Metric:
        """What was measured."""
        return self.values[DENSE].kind

    @property
    def images(self) -> int:
        """How many select images there are."""
        return self.values[DENSE].images

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages that the run has, in their order."""
        return tuple(name for name in STAGES if name in self.values)

    @property
    def last(self) -> str:
        """The stage at which the network is handed out."""
        return self.stages[-1]

    @property
    def tuned(self) -> bool:
        """Whether it was fine-tuned after the repair."""
        return self.last == "finetuned"


def drawn_range(shown: Sequence[ClassRepaired]) -> tuple[float, float]:
    """From the lowest to the highest accuracy that is drawn of some classes, as shares: those of all stages and of the
    unpruned network, and the intervals of what was won; rounded outwards to whole twentieths."""
    drawn = [share for one in shown for share in (*map(one.accuracy, one.right), *one.repaired_span)]
    low, high = min(drawn, default=0.0), max(drawn, default=1.0)
    ends = math.floor(PARTS * low + 1e-9) / PARTS, math.ceil(PARTS * high - 1e-9) / PARTS
    return ends if ends[0] < ends[1] else (max(0.0, ends[0] - 1 / PARTS), min(1.0, ends[1] + 1 / PARTS))


def was_repaired(result: Result) -> bool:
    """Whether a run repaired its network without training."""
    return result.stages.repair is not None and result.stages.repaired is not None


def repair_gain(run: Run, names: Sequence[str]) -> RepairGain | None:
    """What a repair gave in a finished run that repaired; None where it is from before answers were kept for that.
    `names`: of the classes.

    Raises:
        StorageError: its answers are damaged.
    """
    assert run.result is not None and run.result.stages.repair is not None, f"{run.name} did not repair"
    found = run.stage_answers()
    if not {DENSE, "as_cut", "repaired"} <= found.keys():
        return None
    return gain_of(found, run.result.stages.repair, names, rounds=len(run.result.rounds))


def gain_of(found: Mapping[str, Answers], note: RepairNote, names: Sequence[str], *, rounds: int = 1) -> RepairGain:
    """The same of answers to the select images: those of 'dense', and by stage.

    Raises:
        StorageError: they are to different images.
    """
    said = {name: found[name] for name in (DENSE, *STAGES) if name in found}
    dense, as_cut, repaired, last = said[DENSE], said["as_cut"], said["repaired"], list(said.values())[-1]
    try:
        for other in said.values():
            check_same_images(dense, other)
    except InputError as error:
        raise StorageError(
            "The answers that the run kept are not all to the same images: run its recipe again."
        ) from error
    choices = {name: answers.choices for name, answers in said.items() if answers.choices is not None}
    judged = len(choices) == len(said) and choices[DENSE].labels is not None
    return RepairGain(
        note=note,
        rounds=rounds,
        values={name: Measurement.of(answers) for name, answers in said.items()},
        gained=repaired.minus(as_cut),
        left=last.minus(dense),
        trained=None if last is repaired else last.minus(repaired),
        classes=_told(_classes(choices, names)) if judged else (),
    )


def _classes(choices: Mapping[str, Choices], names: Sequence[str]) -> list[ClassRepaired]:
    labels = choices[DENSE].labels
    assert labels is not None, "it is known what is right"
    right = {name: said.right for name, said in choices.items()}
    last = list(right)[-1]

    def counted(which: Tensor) -> list[int]:
        """How many of some images (bool) are of each class."""
        found: list[int] = labels[which].bincount(minlength=len(names)).tolist()
        return found

    images = counted(torch.ones_like(labels, dtype=torch.bool))
    predicted = choices["as_cut"].predicted
    answered = predicted[predicted >= 0].bincount(minlength=len(names)).tolist()
    each = {stage: counted(part) for stage, part in right.items()}
    gained = _changed(right["as_cut"], right["repaired"], counted)
    left = _changed(right[DENSE], right[last], counted)
    found = [
        ClassRepaired(
            name=name,
            images=images[number],
            answered=answered[number],
            right={stage: counts[number] for stage, counts in each.items()},
            gained=difference_of(*gained[number], images[number]),
            left=difference_of(*left[number], images[number]),
        )
        for number, name in enumerate(names)
        if images[number]
    ]
    return sorted(found, key=lambda one: one.left.value)


def _changed(before: Tensor, after: Tensor, counted: Callable[[Tensor], list[int]]) -> list[tuple[int, int]]:
    """Of each class the images that only the first, and only the second, has right."""
    return list(zip(counted(before & ~after), counted(~before & after), strict=True))


def _told(found: Sequence[ClassRepaired]) -> tuple[ClassRepaired, ...]:
    """Which gains and losses stand, all classes being looked at."""
    gains = beyond_chance([_chance(one.gained) for one in found])
    losses = beyond_chance([_chance(one.left) for one in found])
    return tuple(
        replace(one, gain_stands=gain, loss_stands=loss) for one, gain, loss in zip(found, gains, losses, strict=True)
    )


def _chance(change: Difference) -> float:
    return sign_test(change.newly_wrong or 0, change.newly_right or 0)
