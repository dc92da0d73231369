"""The recipe that suits a network and its images, for whoever does not say more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from pruning.data.info import DataInfo
from pruning.repair.kinds import Repair
from pruning.runs.recipe import Recipe, Schedule
from pruning.spec import PruneSpec
from pruning.subject import Subject
from pruning.training.finetune import choose_precision, default_hyperparameters

REPAIR: Repair = "refit"
"""How a run repairs before it trains."""
OF_OPTIMISER: dict[str, dict[str, float]] = {
    "sgd": {"lr": 1e-3, "weight_decay": 5e-4},
    "adamw": {"lr": 1e-4, "weight_decay": 0.01},
}
"""What suits a trained network, by optimiser."""


def suitable_training(model: nn.Module, data: DataInfo) -> dict[str, Any]:
    """Settings of training that suit a network and a data set, by their names in `Recipe`: batch size, learning rate
    and the like, and precision."""
    return {**default_hyperparameters(data), "precision": choose_precision(model)}


def suitable_recipe(
    subject: Subject,
    spec: PruneSpec,
    *,
    epochs: float,
    schedule: Schedule = "oneshot",
    rounds: int = 1,
    **chosen: Any,
) -> Recipe:
    """A run that removes what `spec` says and fine-tunes for so many passes over the train images, over all rounds
    together. `chosen`: settings of repair and training by their names in `Recipe`, in place of those that suit.

    Raises:
        InputError: the subject has no images, or a value is not allowed.
    """
    training = suited(suitable_training(subject.model, subject.info), chosen)
    return Recipe(
        model=subject.ref,
        data=subject.data_name,
        preprocess=subject.preprocess,
        prune=spec,
        schedule=schedule,
        iterations=rounds,
        finetune_steps=subject.info.steps_of(epochs, training["batch_size"]),
        **{"repair": REPAIR, **training},
    )


def suited(training: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of training with some of them chosen otherwise. A learning rate and a weight decay suit one optimiser:
    with another one, what is not chosen itself begins from that one's own."""
    settings = {**training, **chosen}
    other = chosen.get("optimiser")
    if other is not None and other != training.get("optimiser", "sgd"):
        for name, value in OF_OPTIMISER[other].items():
            settings[name] = chosen.get(name, value)
    return settings
