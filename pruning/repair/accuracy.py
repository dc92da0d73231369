"""The accuracy of a cut before any training: as cut and recalibrated, against dense on the same images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from pruning.planning.plan import Plan
from pruning.removal.apply import pruned_model
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.subject import Subject
from pruning.tasks.metric import Difference
from pruning.training.evaluate import Evaluation, evaluate


@dataclass(frozen=True, kw_only=True)
class CutAccuracy:
    """What a cut network answers before any training."""

    as_cut: Evaluation
    recalibrated: Evaluation | None
    """With BN statistics measured anew; None without BN, or when nothing is removed."""
    difference: Difference
    """Of the best of the two against dense."""

    @property
    def best(self) -> Evaluation:
        """Recalibrated where there is something to recalibrate, else as cut."""
        return self.recalibrated or self.as_cut


def cut_accuracy(subject: Subject, plan: Plan, dense: Evaluation, *, images: int | None = None) -> CutAccuracy:
    """Carry a plan out on a copy and measure it on (at most `images`) select images, recalibrated on train images.

    `dense`: the dense network on the same images.
    """
    model = pruned_model(subject.model, subject.graph, plan)
    as_cut = evaluate(model, subject.data, "select", limit=images)
    recalibrated = None
    if _can_recalibrate(model, plan):
        recalibrate(model, subject.data)
        recalibrated = evaluate(model, subject.data, "select", limit=images)
    difference = (recalibrated or as_cut).minus(dense)
    return CutAccuracy(as_cut=as_cut, recalibrated=recalibrated, difference=difference)


def best_without_training(subject: Subject, plan: Plan) -> nn.Module:
    """The network that `CutAccuracy.best` is measured of: cut, and recalibrated on train images where that is done."""
    model = pruned_model(subject.model, subject.graph, plan)
    if _can_recalibrate(model, plan):
        recalibrate(model, subject.data)
    return model.eval()


def _can_recalibrate(model: nn.Module, plan: Plan) -> bool:
    return has_batch_norm(model) and not plan.removes_nothing
