"""Top-1 classification: one class an image, right or wrong, learnt by cross-entropy."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from pruning.base.errors import InputError
from pruning.data.info import DataInfo, Role
from pruning.data.protocol import Data
from pruning.tasks.alike import AGREEMENT, DIVERGENCE
from pruning.tasks.choices import Choices
from pruning.tasks.ranks import ACCURACY, MEAN_PER_CLASS, TOP5
from pruning.tasks.task import Task


def labels_at(data: Data, role: Role, index: Tensor) -> Tensor:
    """The true classes of images, int64.

    Raises:
        InputError: they have no labels.
    """
    labels = data.labels(role)
    if labels is None:
        raise InputError(
            f"The {role} images of {data.info.title} have no labels, so it cannot be told which answers are right: "
            "choose images that are sorted into classes."
        )
    return labels[index]


def distance_to_teacher(outputs: Tensor, answers: Tensor, temperature: float = 4.0) -> Tensor:
    """Kullback-Leibler divergence from a teacher's softened answers (both N × classes), scaled by temperature² (Hinton
    2015, arXiv 1503.02531)."""
    student, target = F.log_softmax(outputs / temperature, 1), F.softmax(answers / temperature, 1)
    return F.kl_div(student, target, reduction="batchmean") * temperature**2


def chosen(outputs: Tensor, labels: Tensor) -> Choices:
    """The class answered, and softmax probabilities; what is NaN has probability 0."""
    shares = outputs.float().softmax(1).nan_to_num(0.0)
    return replace(answered(outputs), labels=labels, truth=shares.gather(1, labels[:, None])[:, 0])


def answered(outputs: Tensor) -> Choices:
    """The class answered and its softmax probability, where it is not known what is right."""
    return Choices(
        predicted=torch.where(outputs.isnan().any(1), -1, outputs.argmax(1)),
        confidence=outputs.float().softmax(1).nan_to_num(0.0).max(1).values,
    )


def same_class(first: Tensor, second: Tensor) -> Tensor:
    """bool (images): whether both outputs (N × classes) are largest at the same class."""
    return likeliest(first) == likeliest(second)


def likeliest(outputs: Tensor) -> Tensor:
    """int64 (images): the class whose output (N × classes) is largest."""
    return outputs.argmax(1)


def not_by_class(shape: tuple[int, ...]) -> str | None:
    """Why outputs of this shape, images first, are not one number for each of several classes; None where they are."""
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
        return (
            "it gives one number for an image, as for two classes with a sigmoid, not one for each class: let forward "
            "give two, such as torch.cat([-z, z], 1) where z is that number before the sigmoid"
        )
    if len(shape) != 2:
        return f"it gives {'×'.join(map(str, shape[1:]))} for an image, not one number a class"
    return None


def misfit(shape: tuple[int, ...], info: DataInfo) -> str | None:
    """Outputs must be one number a class."""
    reason = not_by_class(shape)
    if reason is not None:
        return reason
    if info.classes and shape[1] != len(info.classes):
        return f"it tells {shape[1]:,} classes apart, and {info.title} has {len(info.classes):,}"
    return None


CLASSIFICATION = Task(
    name="classification",
    title="Classification",
    metric=ACCURACY,
    targets=labels_at,
    loss=F.cross_entropy,
    distance=distance_to_teacher,
    same_answer=same_class,
    as_targets=likeliest,
    misfit=misfit,
    choices=chosen,
    further=(TOP5, MEAN_PER_CLASS),
    against_dense=(AGREEMENT, DIVERGENCE),
)
