"""An accuracy in a notebook, which says itself with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from pruning.base.errors import InputError
from pruning.data.info import ROLES, Role
from pruning.notebook.opened import Opened
from pruning.notebook.whole import whole
from pruning.training.evaluate import Evaluation, evaluate


@dataclass(frozen=True, kw_only=True, repr=False)
class Accuracy(Evaluation):
    """A metric that says itself with its interval."""

    how: str = "as cut"

    def __repr__(self) -> str:
        metric = self.metric
        return (
            f"{metric.words(self.value)} ({metric.span(self.interval)}) of {self.images:,} {self.role} images, "
            f"{self.how} ●"
        )


def accuracy_of(model: nn.Module, network: Opened, role: Role, images: int | None, how: str) -> Accuracy:
    """That of a model on a network's images: so many of a role, None for all. `how`: what was done to it.

    Raises:
        InputError: the network comes without images, or there is no such role or number of images.
        DataError: they are absent.
    """
    if role not in ROLES:
        raise InputError(f"The role of images is {', '.join(ROLES[:-1])} or {ROLES[-1]}, not {role!r}.")
    limit = None if images is None else whole("images", images, 1)
    found = evaluate(model, network.images, role, limit=limit)
    return Accuracy(metric=found.metric, role=found.role, scores=found.scores, loss=found.loss, how=how)
