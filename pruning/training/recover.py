"""A short fine-tuning of a cut network while somebody looks on; anything longer is a run in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pruning.base.cancel import Cancel
from pruning.planning.plan import Plan
from pruning.removal.apply import pruned_model
from pruning.subject import Subject
from pruning.training.evaluate import Evaluation, evaluate
from pruning.training.finetune import TrainConfig, TrainEvent, train

BATCH, RATE = 64, 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Recovered:
    """A cut network after a short fine-tuning."""

    model: nn.Module
    """In eval mode; never to be changed."""
    accuracy: Evaluation
    """On select images."""


def recover(
    subject: Subject,
    plan: Plan,
    *,
    epochs: float,
    seed: int,
    images: int | None = None,
    progress: Callable[[TrainEvent], None] | None = None,
    cancel: Cancel | None = None,
) -> Recovered:
    """Fine-tune a copy of the cut network on train images and measure it on (at most `images`) select images; what is
    zero stays zero.

    Raises:
        Cancelled: `cancel()` became true.
    """
    model = pruned_model(subject.model, subject.graph, plan)
    steps = subject.data.info.steps_of(epochs, BATCH)
    config = TrainConfig(steps=steps, batch_size=BATCH, lr=RATE, seed=seed)
    train(model, subject.data, config, masks=plan.masks, progress=progress, cancel=cancel)
    accuracy = evaluate(model, subject.data, "select", limit=images, cancel=cancel)
    return Recovered(model=model.eval(), accuracy=accuracy)
