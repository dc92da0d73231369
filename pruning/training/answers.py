"""What a network answers image by image: kept from a run's one look at the test images, so that nobody looks again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, StorageError, first_line
from pruning.data.info import ROLES, Role
from pruning.data.protocol import Data
from pruning.tasks.choices import Choices
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Metric, Summary
from pruning.tasks.table import find_metric, task_of
from pruning.tasks.task import Task
from pruning.training.evaluate import Scores

CHOICES = tuple(entry.name for entry in fields(Choices))
UNJUDGED = ("predicted", "confidence")
"""Of choices of which it is not known whether they are right."""
SCORES = "scores"
METRIC = ".metric"
"""Key of a file's metadata; absent: accuracy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers(Scores):
    """Answers to all images of a role, in the data set's order."""

    data_digest: str
    """Of the data set the images are from, as `Data.digest`."""
    choices: Choices | None
    """Which class was answered; None where the task chooses none."""
    further: Mapping[str, Summary] = field(default_factory=dict)
    """Metrics beside the main one, by name; empty for answers that come from a file."""
    loss: float | None = None
    """Mean loss of the task; None for answers that come from a file."""

    @property
    def classes(self) -> Choices:
        """`choices`, for whoever cannot do without.

        Raises:
            InputError: no class is chosen.
        """
        if self.choices is None:
            raise InputError("These networks choose no class: this needs images that are sorted into classes.")
        return self.choices


def answer(
    model: nn.Module, data: Data, role: Role, *, limit: int | None = None, cancel: Cancel | None = None
) -> Answers:
    """Run a model over the images of a role, as `evaluate` does, and keep what it says of each.

    Raises:
        InputError: the data set does not say what is right, as where it has no labels.
        Cancelled: `cancel()` became true.
    """
    return answer_side_by_side({"": model}, data, role, limit=limit, cancel=cancel)[""]


def answer_side_by_side(
    models: Mapping[str, nn.Module],
    data: Data,
    role: Role,
    *,
    dense: str | None = None,
    limit: int | None = None,
    cancel: Cancel | None = None,
) -> dict[str, Answers]:
    """Show the images of a role to several models, each image read once: what each says, by the same names.

    `dense`: the name of the unpruned one among them, which the others are held against.

    Raises:
        InputError, Cancelled: as `answer`.
    """
    task = task_of(data.info)
    books = {name: _Book(task) for name in models}
    training = {name: model.training for name, model in models.items()}
    try:
        for images, index in data.batches(role, limit=limit):
            shown = images.contiguous(memory_format=torch.channels_last)
            said: dict[str, Tensor] = {}
            for name, model in models.items():
                if cancel is not None and cancel():
                    raise Cancelled("Cancelled while measuring accuracy.")
                with torch.no_grad():
                    said[name] = model.eval()(shown)
            targets = task.targets(data, role, index)
            for name, book in books.items():
                book.add(said[name], targets, None if dense in (None, name) else said[str(dense)])
    finally:
        for name, model in models.items():
            model.train(training[name])
    return {name: book.answers(role, data.digest) for name, book in books.items()}


class _Book:
    """What one model says of images, batch by batch."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._scores: list[Tensor] = []
        self._chosen: list[Choices] = []
        self._targets: list[Tensor] = []
        self._beside: dict[str, list[Tensor]] = {}
        self._loss, self._images = 0.0, 0

    def add(self, found: Tensor, targets: Tensor, dense: Tensor | None) -> None:
        """Outputs, what is right, and what the unpruned network puts out, for some images."""
        self._scores.append(self._task.metric.score(found, targets))
        self._loss += float(self._task.loss(found, targets, reduction="sum"))
        self._images += len(found)
        if self._task.choices is not None:
            self._chosen.append(self._task.choices(found, targets))
        for metric in self._task.further:
            self._beside.setdefault(metric.name, []).append(metric.score(found, targets))
        if any(metric.of_all for metric in self._task.further):
            self._targets.append(targets)
        if dense is not None:
            for metric in self._task.against_dense:
                self._beside.setdefault(metric.name, []).append(metric.score(found, dense))

    def answers(self, role: Role, digest: str) -> Answers:
        """All of it."""
        chosen = self._chosen
        known = [name for name in CHOICES if chosen and getattr(chosen[0], name) is not None]
        joined = {name: torch.cat([getattr(some, name) for some in chosen]) for name in known} if chosen else None
        targets = torch.cat(self._targets) if self._targets else torch.empty(0)
        return Answers(
            role=role,
            data_digest=digest,
            metric=self._task.metric,
            scores=torch.cat(self._scores),
            choices=None if joined is None else Choices(**joined),
            loss=self._loss / self._images,
            further={
                metric.name: metric.summary(torch.cat(self._beside[metric.name]), targets)
                for metric in (*self._task.further, *self._task.against_dense)
                if metric.name in self._beside
            },
        )


def save_answers(path: Path, sides: Mapping[str, Answers]) -> None:
    """Write answers of several networks to the same images, by name, into one file without code.

    Raises:
        OSError, SafetensorError: it cannot be written.
    """
    tensors, about = to_tensors(sides)
    save_file(tensors, path, metadata=about)


def read_answers(path: Path) -> dict[str, Answers]:
    """Read what `save_answers` wrote, also before it named the metric.

    Raises:
        StorageError: the file is absent or damaged.
    """
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise StorageError(f"The answers in {path.name} cannot be read (it is no file): run the recipe again.")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
        return from_tensors(load_file(path), about)
    except (OSError, SafetensorError, ValueError) as error:
        raise StorageError(
            f"The answers in {path.name} cannot be read ({first_line(error)}): run the recipe again."
        ) from error


def to_tensors(sides: Mapping[str, Answers]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Answers of several networks to the same images as named tensors, and what else is to be known of them."""
    tensors: dict[str, Tensor] = {}
    for name, answers in sides.items():
        if answers.choices is not None:
            said = {field: getattr(answers.choices, field) for field in CHOICES}
            tensors |= {f"{name}.{field}": part.contiguous() for field, part in said.items() if part is not None}
        if answers.choices is None or answers.metric != ACCURACY:  # accuracy follows from the choices
            tensors[f"{name}.{SCORES}"] = answers.scores.contiguous()
    about = {name: f"{answers.role} {answers.data_digest}" for name, answers in sides.items()}
    (metric,) = {answers.metric.name for answers in sides.values()}
    return tensors, about if metric == ACCURACY.name else {**about, METRIC: metric}


def from_tensors(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> dict[str, Answers]:
    """The inverse of `to_tensors`.

    Raises:
        ValueError: these are no answers.
    """
    metric = find_metric(about.get(METRIC, ACCURACY.name))
    return {name: _side(name, said, metric, tensors) for name, said in about.items() if name != METRIC}


def _side(name: str, about: str, metric: Metric, tensors: Mapping[str, Tensor]) -> Answers:
    """Raises ValueError where these are no answers."""
    said, _, digest = about.partition(" ")
    role = next((role for role in ROLES if role == said), None)
    own = {field: tensors[f"{name}.{field}"] for field in CHOICES if f"{name}.{field}" in tensors}
    choices = Choices(**own) if set(own) in (set(CHOICES), set(UNJUDGED)) else None
    scores = tensors.get(f"{name}.{SCORES}")
    if scores is None and choices is not None and choices.labels is not None:
        scores = choices.right
    if role is None or scores is None or any(part.shape != scores.shape for part in own.values()):
        raise ValueError("its parts do not fit each other")
    return Answers(role=role, data_digest=digest, metric=metric, scores=scores, choices=choices)
