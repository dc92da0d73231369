"""The recipe that suits a network and its images, for whoever does not say more."""

from __future__ import annotations

from typing import Any

from torch import nn

from pruning.data.info import DataInfo
from pruning.runs.recipe import Recipe, Schedule
from pruning.spec import PruneSpec
from pruning.subject import Subject
from pruning.training.finetune import choose_precision, default_hyperparameters


def suitable_training(model: nn.Module, data: DataInfo) -> dict[str, Any]:
    """Settings of training that suit a network and a data set, by their names in `Recipe`: batch size, learning rate and
    the like, and precision."""
    return {**default_hyperparameters(data), "precision": choose_precision(model)}


def suitable_recipe(
    subject: Subject, spec: PruneSpec, *, epochs: float, schedule: Schedule = "oneshot", rounds: int = 1
) -> Recipe:
    """A run that removes what `spec` says and fine-tunes for so many passes over the train images, over all rounds
    together.

    Raises:
        InputError: the subject has no images, or a value is not allowed.
    """
    training = suitable_training(subject.model, subject.info)
    return Recipe(
        model=subject.ref,
        data=subject.data_name,
        preprocess=subject.preprocess,
        prune=spec,
        schedule=schedule,
        iterations=rounds,
        finetune_steps=subject.info.steps_of(epochs, training["batch_size"]),
        **training,
    )
