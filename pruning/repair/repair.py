"""Repair as it is asked for: nothing, statistics, biases or a refit, each on images without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import Tensor, nn

from pruning.calls.parts import Parts
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.repair.candidates import Repaired, repaired
from pruning.repair.kinds import CHOOSES, Repair
from pruning.repair.recalibrate import has_batch_norm
from pruning.repair.unlabelled import IMAGES, of_data
from pruning.tasks.task import Task


def repair(
    kind: Repair,
    before: nn.Module,
    small: nn.Module,
    graph: ModelGraph,
    plan: Plan,
    data: Data,
    task: Task,
    *,
    held: Mapping[str, Tensor] | None = None,
    recalibrated: nn.Module | None = None,
    seed: int = 0,
    go_on: Callable[[], None] = lambda: None,
) -> Repaired:
    """Repair what a plan left of a network (`before`, whose graph it is) on `train` images, by the best of the ways of
    `CHOOSES`.

    `held`: see `pruning.repair.refit.refit`. `recalibrated`: `small` after `pruning.repair.recalibrate.recalibrate`
    with this data and seed, which need not be done twice. Where the network cannot be run call by call there is no
    refit and no bias correction, and the result says why.
    """
    parts, because = None, None
    try:
        parts = Parts(before, graph)
    except LookupError as error:
        because = str(error)
    offered = CHOOSES[kind]
    if offered is not None and not has_batch_norm(small):
        offered = tuple(name for name in offered if name != "recalibrated")
    images = of_data(data, seed=seed)
    if images.count < IMAGES:  # those that judge were among its own
        recalibrated = None
    found = repaired(
        before, small, parts, plan, images, task.same_answer,
        offered=offered, held=held, recalibrated=recalibrated, seed=seed, go_on=go_on,
    )  # fmt: skip
    return replace(found, without=because)
