"""Accuracy with its interval, and two models compared on the same images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.base.intervals import paired_interval, wilson_interval
from pruning.data.info import Role
from pruning.data.protocol import Data


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a model answers on one role of a data set."""

    role: Role
    right: Tensor
    """bool, one entry an image, in the data set's order."""
    loss: float
    """Mean cross-entropy in nats."""

    @property
    def images(self) -> int:
        return len(self.right)

    @property
    def correct(self) -> int:
        return int(self.right.sum())

    @property
    def accuracy(self) -> float:
        return self.correct / self.images

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.correct, self.images)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two models on the same images: `accuracy` is second minus first, as a fraction."""

    accuracy: float
    interval: tuple[float, float]
    newly_wrong: int
    newly_right: int


def paired_difference(before: Tensor, after: Tensor) -> Difference:
    """Accuracy of `after` minus `before` on the same images, with its 95 % interval.

    Both are bool, one entry an image; only images on which the two disagree carry information.
    """
    if len(before) != len(after):
        raise InputError(f"Two models must be compared on the same images, not on {len(before)} and {len(after)}.")
    images = len(before)
    newly_wrong = int((before & ~after).sum())
    newly_right = int((~before & after).sum())
    return Difference(
        accuracy=(newly_right - newly_wrong) / images,
        interval=paired_interval(newly_wrong, newly_right, images),
        newly_wrong=newly_wrong,
        newly_right=newly_right,
    )


def evaluate(
    model: nn.Module,
    data: Data,
    role: Role,
    *,
    limit: int | None = None,
    batch_size: int = 500,
    cancel: Cancel | None = None,
) -> Evaluation:
    """Run the model in eval mode and fp32 over the images of a role; its mode is put back afterwards.

    `limit` takes a fixed random sample of that many images. Outputs that are NaN count as wrong.
    """
    right: list[Tensor] = []
    loss = 0.0
    for logits, labels in outputs(model, data, role, limit=limit, batch_size=batch_size, cancel=cancel):
        right.append((logits.argmax(1) == labels) & ~logits.isnan().any(1))
        loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
    answers = torch.cat(right)
    return Evaluation(role=role, right=answers, loss=loss / len(answers))


def outputs(
    model: nn.Module,
    data: Data,
    role: Role,
    *,
    limit: int | None = None,
    batch_size: int = 500,
    cancel: Cancel | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs (images, classes) and labels (images), batch by batch, in eval mode; the mode is put back at the end.

    Raises:
        Cancelled: `cancel()` became true.
    """
    labels = data.labels(role)
    assert labels is not None
    was_training = model.training
    model.eval()
    try:
        for images, index in data.batches(role, batch_size, limit):
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while measuring accuracy.")
            with torch.no_grad():
                logits = model(images.contiguous(memory_format=torch.channels_last))
            yield logits, labels[index]
    finally:
        model.train(was_training)
