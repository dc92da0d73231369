"""Agreement with the unpruned network, for images without labels: what is right for an image is what that puts out."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from torch import Tensor
from torch.nn import functional as F

from pruning.base.errors import InputError
from pruning.data.info import DataInfo, Role
from pruning.data.protocol import Data
from pruning.tasks.alike import AGREEMENT, DIVERGENCE
from pruning.tasks.choices import Choices
from pruning.tasks.classification import answered, distance_to_teacher, likeliest, not_by_class, same_class
from pruning.tasks.task import Task


@runtime_checkable
class Taught(Protocol):
    """Images for which it is known what the unpruned network puts out."""

    def answers(self, role: Role, index: Tensor) -> Tensor:
        """Its outputs (N × classes) for the images of a role at these places."""
        ...


def answers_at(data: Data, role: Role, index: Tensor) -> Tensor:
    """What the unpruned network puts out for images (N × classes).

    Raises:
        InputError: no unpruned network goes with them.
    """
    if not isinstance(data, Taught):
        raise InputError(
            f"The images of {data.info.title} have no labels and no network to agree with: open them with a network."
        )
    return data.answers(role, index)


def soft_cross_entropy(outputs: Tensor, targets: Tensor, /, *, reduction: Literal["mean", "sum"]) -> Tensor:
    """The divergence from answers (N × classes); for classes (int64) that stand in for them, cross-entropy."""
    if not targets.is_floating_point():
        return F.cross_entropy(outputs, targets, reduction=reduction)
    said, meant = F.log_softmax(outputs, 1), F.log_softmax(targets, 1)
    summed = F.kl_div(said, meant, reduction="sum", log_target=True)
    return summed / len(outputs) if reduction == "mean" else summed


def chosen(outputs: Tensor, answers: Tensor) -> Choices:
    """The class answered; what is right is not known."""
    return answered(outputs)


def misfit(shape: tuple[int, ...], info: DataInfo) -> str | None:
    """Outputs must be one number a class, whatever the classes are."""
    return not_by_class(shape)


AGREEMENT_TASK = Task(
    name="agreement",
    title="Agreement with the unpruned network",
    metric=AGREEMENT,
    further=(DIVERGENCE,),
    targets=answers_at,
    loss=soft_cross_entropy,
    distance=distance_to_teacher,
    same_answer=same_class,
    as_targets=likeliest,
    misfit=misfit,
    choices=chosen,
    needs_labels=False,
)
