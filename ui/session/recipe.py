"""The recipe that the session is editing: what goes, and how it is fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui.kit import state
from ui.session import cuts

if TYPE_CHECKING:
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec
    from pruning.subject import Subject


def recipe(chosen: Subject, cut: PruneSpec) -> Recipe:
    """The recipe that the page describes. Raises InputError for values that are not allowed."""
    from pruning.runs.recipe import Recipe

    iterative = state.get(cuts.SCHEDULE) == "iterative"
    return Recipe(
        model=chosen.ref,
        data=chosen.data_name,
        prune=cut,
        schedule="iterative" if iterative else "oneshot",
        iterations=state.get(cuts.ROUNDS) if iterative else 1,
        finetune_steps=_steps(chosen),
        **training(chosen),
    )


def untouched(chosen: Subject) -> Recipe:
    """The recipe of the page as it is at first: nothing removed, and the options that suit the network."""
    from pruning.data.readers import describe_data
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec

    settings = _suitable(chosen)
    return Recipe(
        model=chosen.ref,
        data=chosen.data_name,
        prune=PruneSpec(),
        finetune_steps=describe_data(chosen.data_name).steps_of(state.DEFAULTS[cuts.EPOCHS], settings["batch_size"]),
        **settings,
    )


def _steps(chosen: Subject) -> int:
    epochs = int(state.get(cuts.EPOCHS))
    data, adopted, steps = state.get(cuts.STEPS) or (None, 0, 0)
    return steps if (data, adopted) == (chosen.data_name, epochs) else epochs * per_epoch(chosen)


def per_epoch(chosen: Subject) -> int:
    from pruning.data.readers import describe_data

    return describe_data(chosen.data_name).steps_per_epoch(int(training(chosen)["batch_size"]))


def training(chosen: Subject) -> dict[str, Any]:
    """Settings of training: those of an adopted recipe for this data set, else what suits it; then the page's own."""
    settings = _suitable(chosen)
    data, adopted = state.get(cuts.TRAINING) or (None, {})
    if data == chosen.data_name:
        settings.update(adopted)
    if state.get(cuts.LEARNING_RATE) is not None:
        settings["lr"] = float(state.get(cuts.LEARNING_RATE))
    return settings


def _suitable(chosen: Subject) -> dict[str, Any]:
    """Settings of training that suit the network and the data set."""
    from pruning.data.readers import describe_data
    from pruning.training.finetune import choose_precision, default_hyperparameters

    settings: dict[str, Any] = dict(default_hyperparameters(describe_data(chosen.data_name)))
    return settings | {"precision": choose_precision(chosen.model)}
