"""What a task is: how images are answered rightly, how that is measured, and how it is learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from pruning.data.info import DataInfo, Role
from pruning.data.protocol import Data
from pruning.tasks.choices import Choices
from pruning.tasks.metric import Metric


class Loss(Protocol):
    """A loss over a batch, as torch.nn.functional has them."""

    def __call__(self, outputs: Tensor, targets: Tensor, /, *, reduction: Literal["mean", "sum"]) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """One row in `pruning.tasks.table.TASKS`: all that runs, what-if, scans and comparisons need of a task.

    Outputs are what the network gives for a batch, images first; targets are what `targets` reads for it.
    """

    name: str
    """What `DataInfo.task` says."""
    title: str
    metric: Metric
    targets: Callable[[Data, Role, Tensor], Tensor]
    """How a batch is read: the right answers to the images of a role at these places (int64), images first. Raises
    InputError where the data set does not have them."""
    loss: Loss
    """What training makes small."""
    distance: Callable[[Tensor, Tensor], Tensor]
    """How far outputs are from those of a teacher for the same batch, as one number: what distillation makes small."""
    same_answer: Callable[[Tensor, Tensor], Tensor]
    """Outputs of two networks for one batch → bool (images): whether they amount to the same answer."""
    as_targets: Callable[[Tensor], Tensor]
    """Outputs of a network as if they were right: what stands in for targets where those are not known."""
    misfit: Callable[[tuple[int, ...], DataInfo], str | None]
    """Why outputs of this shape (batch first) cannot be answers about a data set, as the end of a sentence; None where
    they can."""
    choices: Callable[[Tensor, Tensor], Choices] | None = None
    """Outputs and targets → which class is answered; None for a task that chooses none."""
    further: tuple[Metric, ...] = ()
    """Metrics beside the main one, of the same outputs and targets."""
    against_dense: tuple[Metric, ...] = ()
    """Metrics beside it whose targets are what the unpruned network puts out for the same images."""
    needs_labels: bool = True
    """Whether it has to be known of every image what is right."""
