"""A metric with its interval, measured on the images of a role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.data.info import Role
from pruning.data.protocol import BATCH, Data
from pruning.tasks.metric import Difference, Metric
from pruning.tasks.table import task_of
from pruning.tasks.task import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """How well a model answers, image by image."""

    metric: Metric
    role: Role
    scores: Tensor
    """One an image, in the data set's order: bool where the metric counts right and wrong, else float."""

    @property
    def images(self) -> int:
        return len(self.scores)

    @property
    def value(self) -> float:
        """The metric."""
        return self.metric.mean(self.scores)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %."""
        return self.metric.interval(self.scores)

    @property
    def correct(self) -> int | None:
        """Images that are right; None where the metric counts none."""
        return int(self.scores.sum()) if self.metric.counts else None

    def minus(self, before: Scores) -> Difference:
        """This one compared with `before`, another model on the same images.

        Raises:
            InputError: there are more images in one than in the other.
        """
        return self.metric.difference(before.scores, self.scores)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation(Scores):
    """How well a model answers on one role of a data set."""

    loss: float
    """Mean loss of the task; cross-entropy in nats for classification."""


class Tally:
    """Answers to the images of a role, scored batch by batch, in any order."""

    def __init__(self, task: Task, data: Data, role: Role) -> None:
        self._task, self._data, self._role = task, data, role
        self._scores: list[Tensor] = []
        self._index: list[Tensor] = []
        self._loss = 0.0
        self.images = 0

    def add(self, outputs: Tensor, index: Tensor) -> None:
        """Outputs for the images at `index`, images first.

        Raises:
            InputError: the data set does not say what is right.
        """
        targets = self._task.targets(self._data, self._role, index)
        self._scores.append(self._task.metric.score(outputs, targets))
        self._index.append(index)
        self._loss += float(self._task.loss(outputs, targets, reduction="sum"))
        self.images += len(index)

    def evaluation(self) -> Evaluation:
        """What is known so far; scores stand in the data set's order. At least one batch was added."""
        order = torch.cat(self._index).argsort()
        scores, loss = torch.cat(self._scores)[order], self._loss / self.images
        return Evaluation(metric=self._task.metric, role=self._role, scores=scores, loss=loss)


def evaluate(
    model: nn.Module,
    data: Data,
    role: Role,
    *,
    limit: int | None = None,
    batch_size: int = BATCH,
    cancel: Cancel | None = None,
) -> Evaluation:
    """Run the model in eval mode and fp32 over the images of a role; its mode is put back afterwards.

    `limit` takes a fixed random sample of that many images. Outputs that are NaN get the worst score.

    Raises:
        InputError: the data set does not say what is right, as where it has no labels.
        Cancelled: `cancel()` became true.
    """
    tally = Tally(task_of(data.info), data, role)
    for found, index in outputs(model, data, role, limit=limit, batch_size=batch_size, cancel=cancel):
        tally.add(found, index)
    return tally.evaluation()


def outputs(
    model: nn.Module,
    data: Data,
    role: Role,
    *,
    limit: int | None = None,
    batch_size: int = BATCH,
    cancel: Cancel | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs (images first) and the places of their images in the role (int64), batch by batch, in eval mode; the mode
    is put back at the end.

    Raises:
        Cancelled: `cancel()` became true.
    """
    was_training = model.training
    model.eval()
    try:
        for images, index in data.batches(role, batch_size, limit):
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while measuring accuracy.")
            with torch.no_grad():
                found = model(images.contiguous(memory_format=torch.channels_last))
            yield found, index
    finally:
        model.train(was_training)
