"""Ways to win accuracy back without training or labels, of which the best for a network is handed out.

Which is best differs: on residual networks of plain convolutions the refit alone is, on depthwise ones with ReLU6 the
refit with statistics measured anew behind it, and with few photos the statistics alone. So all are tried, and the one
whose answers are most often those of the dense network, on images that none of them was fitted to, is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.calls.parts import Parts
from pruning.planning.plan import Plan
from pruning.removal.apply import named_tensors
from pruning.repair.recalibrate import has_batch_norm, recalibrate_on
from pruning.repair.refit import Refit, refit
from pruning.tasks.task import Task

Candidate = Literal["as_cut", "recalibrated", "bias", "refitted", "refitted_recalibrated"]
CANDIDATES: tuple[Candidate, ...] = get_args(Candidate)
JUDGED_BY = 0.2
"""Share of the images on which candidates are judged; the others are what they are fitted to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Repaired:
    """A network that was repaired, and what was tried."""

    model: nn.Module
    chosen: Candidate
    agreement: Mapping[Candidate, float]
    """Share of the judged images on which each gives the dense network's answer."""
    fitted_images: int
    judged_images: int


def repaired(
    dense: nn.Module,
    small: nn.Module,
    parts: Parts,
    plan: Plan,
    batches: Sequence[Tensor],
    task: Task,
    *,
    seed: int = 0,
    go_on: Callable[[], None] = lambda: None,
) -> Repaired:
    """The best of the candidates for a network that a plan left, `small`, which is not changed.

    `batches`: normalised images without labels, N × C × H × W each; the last ones judge. Ties go to the simplest.
    """
    fitted, judging = _apart(batches)
    made: dict[Candidate, nn.Module] = {"as_cut": small}
    norms = has_batch_norm(small) and not plan.removes_nothing
    if norms:
        made["recalibrated"] = _recalibrated(small, fitted)
    if not plan.removes_nothing:
        made["bias"] = _with(small, refit(parts, plan, fitted, seed=seed, bias_alone=True, go_on=go_on))
        made["refitted"] = _with(small, refit(parts, plan, fitted, seed=seed, go_on=go_on))
    if norms:
        made["refitted_recalibrated"] = _recalibrated(made["refitted"], fitted)
    agreement: dict[Candidate, float] = {}
    for name, model in made.items():
        go_on()
        agreement[name] = _agreement(dense, model, judging, task)
    chosen = max(made, key=lambda name: (agreement[name], -CANDIDATES.index(name)))
    return Repaired(
        model=clone(small) if chosen == "as_cut" else made[chosen],
        chosen=chosen,
        agreement=agreement,
        fitted_images=sum(map(len, fitted)),
        judged_images=sum(map(len, judging)),
    )


def _apart(batches: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    total = sum(map(len, batches))
    count = 1
    while count < len(batches) - 2 and sum(map(len, batches[-count:])) < JUDGED_BY * total:
        count += 1
    return list(batches[:-count]), list(batches[-count:])


@torch.no_grad()
def _with(small: nn.Module, found: Refit) -> nn.Module:
    """A copy with new values."""
    model = clone(small)
    tensors = named_tensors(model)
    for name, value in found.tensors.items():
        tensors[name].copy_(value)
    return model.eval()


def _recalibrated(small: nn.Module, batches: Sequence[Tensor]) -> nn.Module:
    model = clone(small)
    recalibrate_on(model, batches)
    return model


@torch.inference_mode()
def _agreement(dense: nn.Module, model: nn.Module, batches: Sequence[Tensor], task: Task) -> float:
    same = [task.same_answer(dense.eval()(batch), model.eval()(batch)) for batch in batches]
    return float(torch.cat(same).double().mean())
