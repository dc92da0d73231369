"""The recipe that the session is editing: what goes, and how it is fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui.kit import state
from ui.session import cuts

if TYPE_CHECKING:
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec
    from ui.session.chosen import Chosen


def recipe(chosen: Chosen, cut: PruneSpec) -> Recipe:
    """The recipe that the page describes. Raises InputError for values that are not allowed."""
    from pruning.runs.recipe import Recipe

    iterative = state.get(cuts.SCHEDULE) == "iterative"
    return Recipe(
        model=chosen.opened.ref,
        data=chosen.data_name,
        prune=cut,
        schedule="iterative" if iterative else "oneshot",
        iterations=state.get(cuts.ROUNDS) if iterative else 1,
        finetune_steps=_steps(chosen),
        **training(chosen),
    )


def untouched(chosen: Chosen) -> Recipe:
    """The recipe of the page as it is at first: nothing removed, and the options that suit the network."""
    from pruning.data.datasets import dataset_info
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec

    settings = _suitable(chosen)
    per_epoch = dataset_info(chosen.data_name).sizes["train"] // settings["batch_size"]
    return Recipe(
        model=chosen.opened.ref,
        data=chosen.data_name,
        prune=PruneSpec(),
        finetune_steps=state.DEFAULTS[cuts.EPOCHS] * per_epoch,
        **settings,
    )


def _steps(chosen: Chosen) -> int:
    epochs = int(state.get(cuts.EPOCHS))
    data, adopted, steps = state.get(cuts.STEPS) or (None, 0, 0)
    return steps if (data, adopted) == (chosen.data_name, epochs) else epochs * per_epoch(chosen)


def per_epoch(chosen: Chosen) -> int:
    from pruning.data.datasets import dataset_info

    return max(1, dataset_info(chosen.data_name).sizes["train"] // int(training(chosen)["batch_size"]))


def training(chosen: Chosen) -> dict[str, Any]:
    """Settings of training: those of an adopted recipe for this data set, else what suits it; then the page's own."""
    settings = _suitable(chosen)
    data, adopted = state.get(cuts.TRAINING) or (None, {})
    if data == chosen.data_name:
        settings.update(adopted)
    if state.get(cuts.LEARNING_RATE) is not None:
        settings["lr"] = float(state.get(cuts.LEARNING_RATE))
    return settings


def _suitable(chosen: Chosen) -> dict[str, Any]:
    """Settings of training that suit the network and the data set."""
    from pruning.data.datasets import dataset_info
    from pruning.training.finetune import choose_precision, default_hyperparameters

    settings: dict[str, Any] = dict(default_hyperparameters(dataset_info(chosen.data_name)))
    return settings | {"precision": choose_precision(chosen.opened.model)}
