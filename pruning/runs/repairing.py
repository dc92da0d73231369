"""What a run does between a cut and training: accuracy is won back as its recipe says, and the removal proven again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.clone import clone
from pruning.base.errors import Cancelled
from pruning.planning.plan import Plan
from pruning.removal.apply import inflate
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import Check, check_removal, check_zeros
from pruning.repair.kinds import CHOOSES, Repair
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.repair.repair import repair
from pruning.runs.recipe import Recipe
from pruning.runs.result import Measurement, RepairNote, Stages
from pruning.subject import Subject

Look = Callable[[str, nn.Module], Measurement]
"""Measures a network on select images, and tells of it as the stage of that name."""


def won_back(
    recipe: Recipe,
    subject: Subject,
    before: nn.Module,
    cut: nn.Module,
    plan: Plan,
    held: Mapping[str, Tensor],
    check: Check,
    *,
    first: bool,
    look: Look,
    begin: Callable[[str], None],
    cancel: Cancel | None,
) -> tuple[nn.Module, Check, Stages]:
    """The network from which training goes on, the proof that it is still exact, and what was measured on the way.

    `before`: the network that the plan left `cut` of, in the shapes of the subject's. `held`: what must stay zero.
    `first`: whether it is the first round: there, what removes nothing leaves statistics as they are. `begin`: says
    what goes on.

    Raises:
        RemovalError: the repaired network is not the masked one with the same weights.
        Cancelled: `cancel()` became true.
    """
    model, seed = cut, recipe.prune.seed
    as_cut = look("as_cut", cut)
    recalibrated = won = note = None
    if recipe.repair != "none" and has_batch_norm(cut) and not (plan.removes_nothing and first):
        model = clone(cut)
        recalibrate(model, subject.data, seed=seed)
        recalibrated = look("recalibrated", model)
    if recipe.repair in CHOOSES and not plan.removes_nothing:
        begin("Repairing without training")
        note, found, check = repaired(
            recipe.repair, subject, before, cut, plan, held, check,
            recalibrated=None if model is cut else model,
            seed=seed,
            cancel=cancel,
        )  # fmt: skip
        model = model if found is None else found
        won = look("repaired", model)
    return model, check, Stages(as_cut=as_cut, recalibrated=recalibrated, repaired=won, repair=note)


def repaired(
    kind: Repair,
    subject: Subject,
    before: nn.Module,
    cut: nn.Module,
    plan: Plan,
    held: Mapping[str, Tensor],
    check: Check,
    *,
    recalibrated: nn.Module | None = None,
    seed: int,
    cancel: Cancel | None = None,
) -> tuple[RepairNote, nn.Module | None, Check]:
    """What helped, the repaired network, and the proof that it is still exact. No network: statistics measured anew
    helped most, and those of all images are better than those of the few that a choice leaves.

    `recalibrated`: `cut` with statistics measured anew, where that was done. The rest as of `won_back`.
    """

    def go_on() -> None:
        if cancel is not None and cancel():
            raise Cancelled("Cancelled while repairing.")

    found = repair(
        kind, before, cut, subject.graph, plan, subject.data, subject.task,
        held=held, recalibrated=recalibrated, seed=seed, go_on=go_on,
    )  # fmt: skip
    if found.chosen == "recalibrated":
        return RepairNote.of(found), None, check
    return RepairNote.of(found), found.model, _proven(subject, found.model, plan, check)


def masks_of(subject: Subject, current: nn.Module, plan: Plan) -> dict[str, Tensor]:
    """What must stay zero: the plan's masks, and zeros that an earlier weight pruning made."""
    tensors = dict(current.named_parameters())
    held = {name: tensors[name].detach() != 0 for name in subject.network.held_zero}
    return {name: plan.masks.get(name, True) & held.get(name, torch.tensor(True)) for name in {*plan.masks, *held}}


def _proven(subject: Subject, model: nn.Module, plan: Plan, check: Check) -> Check:
    """The smaller network against the masked one, both with the repaired weights."""
    if plan.masks:
        return check_zeros(model, plan)
    if check.status != "exact":
        return check
    large = inflate(subject.model, model, shrinkage(subject.graph, plan))
    return check_removal(large, model, subject.graph, plan)
