"""The recipe that the session is editing: what goes, and how it is fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

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
        preprocess=chosen.preprocess,
        prune=cut,
        schedule="iterative" if iterative else "oneshot",
        iterations=state.get(cuts.ROUNDS) if iterative else 1,
        finetune_steps=_steps(chosen),
        **training(chosen),
    )


def untouched(chosen: Subject) -> Recipe:
    """The recipe of the page as it is at first: nothing removed, and the options that suit the network."""
    from pruning.runs.suitable import suitable_recipe
    from pruning.spec import PruneSpec

    return suitable_recipe(chosen, PruneSpec(), epochs=state.DEFAULTS[cuts.EPOCHS])


def _steps(chosen: Subject) -> int:
    epochs = int(state.get(cuts.EPOCHS))
    data, adopted, steps = state.get(cuts.STEPS) or (None, 0, 0)
    return steps if (data, adopted) == (chosen.data_name, epochs) else epochs * per_epoch(chosen)


def per_epoch(chosen: Subject) -> int:
    """Optimiser steps of one pass over the train images, with the page's batch size."""
    return chosen.info.steps_per_epoch(int(training(chosen)["batch_size"]))


def training(chosen: Subject) -> dict[str, Any]:
    """Settings of repair and training: those of an adopted recipe for this data set, else what suits it; then the
    page's own."""
    from pruning.runs.suitable import REPAIR, suitable_training

    settings = {"repair": REPAIR, **suitable_training(chosen.model, chosen.info)}
    data, adopted = state.get(cuts.TRAINING) or (None, {})
    if data == chosen.data_name:
        settings.update(adopted)
    if state.get(cuts.LEARNING_RATE) is not None:
        settings["lr"] = float(state.get(cuts.LEARNING_RATE))
    return settings


def keep_training(chosen: Subject, found: dict[str, Any]) -> None:
    """Choose settings for this data set, beside those chosen or adopted before; the page is drawn anew."""
    data, before = state.get(cuts.TRAINING) or (None, {})
    kept: dict[str, Any] = before if data == chosen.data_name else {}
    state.put(cuts.TRAINING, (chosen.data_name, {**kept, **found}))
    st.rerun()
