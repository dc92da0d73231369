"""Gather what a criterion needs of data: its scores on one batch of train images after another, averaged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.criteria import criteria_for, find_criterion
from pruning.criteria.record import BATCH, BATCHES
from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import free_targets
from pruning.spec import PruneSpec
from pruning.statistics.probe import Probe
from pruning.statistics.scores import unit_scores
from pruning.tasks.table import task_of
from pruning.tasks.task import Task

Progress = Callable[[int, int], None]
"""Gets how many batches are done, and of how many."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistics:
    """What was gathered of data on one network, for one criterion."""

    key: tuple[object, ...]
    """`key_of` the spec that it was gathered for."""
    scores: Mapping[str, Tensor]
    """Target's key → score of each of its units, float32, averaged over the batches."""


def key_of(spec: PruneSpec) -> tuple[object, ...]:
    """What of a spec decides what is gathered: specs that differ in amounts alone share it."""
    return spec.granularity, spec.criterion, spec.parameters, spec.seed


def without_images(spec: PruneSpec) -> InputError:
    """The error of a spec that needs train images to tell what goes, where there are none."""
    others = ", ".join(entry.name for entry in criteria_for(spec.granularity, images=False))
    return InputError(
        f"{find_criterion(spec.criterion).title} ranks by what train images show, and here are none: choose a "
        f"criterion that works without ({others})."
    )


def gather_scores(
    model: nn.Module,
    graph: ModelGraph,
    data: Data,
    spec: PruneSpec,
    *,
    dense: nn.Module | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Statistics:
    """Scores that rest on train images; `model` is not changed: a copy of it runs, in eval mode.

    The images are drawn by the spec's seed, all classes in every batch. `dense`: whose answers stand in for what is
    right where that is not known, by default the model's own.

    Raises:
        InputError: numbers are NaN or infinite, or what a layer puts out cannot be seen.
        Cancelled: `cancel()` became true.
    """
    wanted = dict(spec.parameters)[BATCHES.name]
    targets = free_targets(graph, spec.granularity)
    totals: dict[str, Tensor] = {}
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)  # a network may draw lots even in eval mode
        task = task_of(data.info)
        probe = Probe(model, graph, find_criterion(spec.criterion).needs, task, dense)
        for number, (images, known) in enumerate(_batches(task, data, spec.seed, wanted)):
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while looking at train images.")
            sight = probe.look(images, known)
            for target in targets:
                scores = unit_scores(graph, target, spec, probe.tensors, sight)
                totals[target.key] = totals[target.key] + scores if number else scores
            if progress is not None:
                progress(number + 1, wanted)
    return Statistics(key=key_of(spec), scores={name: total / wanted for name, total in totals.items()})


def _batches(task: Task, data: Data, seed: int, count: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Normalised train images with what is right (None where that is not known), `count` batches: as in training, one
    shuffle after another."""
    done = 0
    for shuffle in itertools.count(seed):
        for index in data.balanced("train", shuffle).split(BATCH):
            if done == count:
                return
            known = task.targets(data, "train", index) if data.info.labelled else None
            batch = data.normalise(data.images("train", index))
            layout = torch.channels_last if batch.dim() == 4 else torch.contiguous_format
            yield batch.contiguous(memory_format=layout), known
            done += 1
