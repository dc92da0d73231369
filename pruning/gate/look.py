"""The first look: how well the unpruned network answers to some select images, and eight of them with its answers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.base.cancel import Cancel
from pruning.data.preprocess import Preprocess
from pruning.subject import Subject
from pruning.tasks.alike import AGREEMENT
from pruning.tasks.metric import Summary
from pruning.training.answers import Answers, answer

IMAGES = 500
EXAMPLES = 8
HALFWAY = 0.5
"""Of the way from guessing to perfect: below it a figure is doubted."""
BELOW_STATED = 0.05
"""A figure that is surely so much below what is stated for the weights is doubted."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One image with the network's answer."""

    index: int
    """Among the select images."""
    answer: str
    """The class answered, by its name, or by its number where it has none."""
    truth: str | None
    """The true class; None where it is not known."""
    right: bool | None
    confidence: float | None
    """Softmax probability of the class answered; None where no class is chosen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What the unpruned network makes of select images."""

    title: str
    """Of the network."""
    pruned: bool
    """Whether it was pruned already."""
    index: Tensor
    """int64: the images looked at, among the select images."""
    answers: Answers
    examples: tuple[Example, ...]
    preprocess: Preprocess | None
    doubt: str | None
    """Why the figure is suspicious, in a sentence; None where it is as expected."""
    remarks: tuple[str, ...]
    """What was guessed, left out or noticed of network and images, each a whole sentence."""

    @property
    def value(self) -> float:
        return self.answers.value

    @property
    def interval(self) -> tuple[float, float]:
        return self.answers.interval

    @property
    def trivial(self) -> bool:
        """Whether the network is held against itself, so that the figure says nothing."""
        return self.answers.metric.name == AGREEMENT.name and not self.pruned

    @property
    def words(self) -> str:
        """The figure in a sentence."""
        return "".join(self.parts)

    @property
    def parts(self) -> tuple[str, str, str]:
        """The sentence taken apart: what stands before the figure, the figure, and the rest. Where there is none all
        of it is the first part."""
        metric, images = self.answers.metric, self.answers.images
        if self.trivial:
            said = f"These {images:,} select images have no labels: what is measured with them is {metric.title}."
            return said, "", ""
        start = "As it is" if self.pruned else "Unpruned"
        share, span = metric.words(self.value), metric.span(self.interval)
        if metric.name == "accuracy":
            return f"{start}, {self.title} gets ", share, f" ({span}) of {images:,} select images right."
        return f"{start}, {self.title}: {metric.title} ", share, f" ({span}) on {images:,} select images."

    def figure(self, name: str) -> float | None:
        """A metric of this look by its name; None where it was not measured."""
        if name == self.answers.metric.name:
            return self.value
        found: Summary | None = self.answers.further.get(name)
        return None if found is None else found.value


def look(subject: Subject, *, images: int = IMAGES, cancel: Cancel | None = None) -> Look:
    """Look at so many select images, a fixed sample with the classes in equal parts.

    Raises:
        InputError: the subject cannot be measured, as where its weights are random.
        DataError: an image cannot be read.
        Cancelled: `cancel()` became true.
    """
    subject.check("measure")
    data = subject.data
    index = data.subset("select", images)
    found = answer(subject.model, data, "select", limit=images, cancel=cancel)
    return Look(
        title=subject.title,
        pruned=bool(subject.network.root),
        index=index,
        answers=found,
        examples=_examples(subject, found, index),
        preprocess=subject.preprocess,
        doubt=doubt(subject, found),
        remarks=subject.remarks,
    )


def doubt(subject: Subject, found: Answers) -> str | None:
    """Why a figure is suspicious, in a sentence; None where it is not."""
    metric, stated = found.metric, subject.network.stated
    if not subject.info.labelled or not metric.counts:
        return None
    high = found.interval[1]
    if stated is not None and high < stated - BELOW_STATED:
        return (
            f"Its library states {metric.words(stated)} for these weights on the images they were tested with, far "
            "above that: perhaps the images are prepared otherwise here, or are of another kind."
        )
    guess = metric.guess(subject.info)
    if high < guess + HALFWAY * (1 - guess):
        near = "little more than guessing gets" if high < guess + 0.1 * (1 - guess) else "low for a trained network"
        return (
            f"That is {near} ({metric.words(guess)} would be luck): perhaps the images are prepared otherwise than the "
            "network knows them, or its classes stand in another order."
        )
    return None


def _examples(subject: Subject, found: Answers, index: Tensor) -> tuple[Example, ...]:
    """Eight images spread over those looked at, with what is wrong among them where there is any."""
    places = torch.linspace(0, len(index) - 1, min(EXAMPLES, len(index))).round().long().unique()
    wrong = (~found.scores.bool()).nonzero()[:, 0] if found.metric.counts else places[:0]
    if len(wrong) and bool(found.scores[places].all()):
        places = torch.cat([places[:-1], wrong[:1]]).unique()
    choices, data = found.choices, subject.data
    labels = data.labels("select")
    shown = index[places]
    with torch.no_grad():
        outputs = subject.model(data.normalise(data.images("select", shown)))
    if outputs.dim() != 2:
        return ()
    shares = outputs.float().softmax(1).nan_to_num(0.0)
    made = []
    for row, place in enumerate(places.tolist()):
        predicted = int(shares[row].argmax()) if choices is None else int(choices.predicted[place])
        made.append(
            Example(
                index=int(shown[row]),
                answer=subject.named(predicted),
                truth=None if labels is None else subject.named(int(labels[shown[row]])),
                right=None if labels is None else bool(found.scores[place]),
                confidence=float(shares[row].max()),
            )
        )
    return tuple(made)
