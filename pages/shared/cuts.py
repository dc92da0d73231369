"""The cut that the Prune page works on: how much of each channel group or layer goes, kept for the session.

Percentages are kept for each network and granularity apart, so that switching to and fro loses nothing. A target is
named as `Recipe.layers` names it: a channel group's name, or a layer's for weight pruning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import state
from pages.shared.lab import Cut

if TYPE_CHECKING:
    from pruning.catalog.models import OpenModel
    from pruning.recipe import Recipe

GRANULARITY = "prune_granularity"
CRITERION = "prune_criterion"
CHOSEN = "prune_chosen"
"""The target that the inspector shows."""
SEED = "prune_seed"
EPOCHS = "prune_epochs"
SCHEDULE = "prune_schedule"
ROUNDS = "prune_rounds"
LEARNING_RATE = "prune_lr"
"""None: what suits the data set."""
TRAINING = "prune_training"
"""Data set and further settings of training that an adopted recipe brought; None: what suits the data set."""
state.DEFAULTS.update(
    {
        GRANULARITY: "channel",
        CRITERION: "l2",
        CHOSEN: None,
        SEED: 0,
        EPOCHS: 3,
        SCHEDULE: "oneshot",
        ROUNDS: 3,
        LEARNING_RATE: None,
        TRAINING: None,
    }
)
_PERCENTS = "prune_percents"
MOST = 99
"""Per cent that a slider removes at most; at least one unit always stays."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one slider controls."""

    name: str
    total: int
    """Units, or weights."""
    layers: tuple[str, ...]
    """Layers that lose the same channels; one layer for weight pruning."""
    tensor: str
    """Name that `pruning.preview` uses: the group's, or the parameter's."""
    locked: str | None = None

    @property
    def label(self) -> str:
        """'layer2.0.conv2/own' reads better as 'layer2.0.conv2 · own part', 'qkv#2' as 'qkv (2)'."""
        name, _, number = self.name.replace("/own", " · own part").partition("#")
        return f"{name} ({number})" if number else name

    @property
    def is_part(self) -> bool:
        """Whether its first layer has more channels, which belong to an earlier group."""
        return "/own" in self.name


def targets(opened: OpenModel, granularity: str) -> list[Target]:
    """Every slider of a network in network order, and what is locked at the end."""
    from pruning.graph.rules.contractions import layer_name
    from pruning.plan import target_sizes

    if granularity == "weight":
        return [
            Target(name=layer_name(tensor), total=total, layers=(layer_name(tensor),), tensor=tensor)
            for tensor, total in target_sizes(opened.graph, "weight").items()
        ]
    return [
        Target(name=group.name, total=group.units, layers=group.producers, tensor=group.name, locked=group.locked)
        for group in (*opened.graph.groups, *opened.graph.locked)
    ]


def percents(opened: OpenModel) -> dict[str, int]:
    """Target → per cent removed, for the chosen granularity; changing it changes the state."""
    everything = st.session_state.setdefault(_PERCENTS, {})
    mine: dict[str, int] = everything.setdefault((opened.digest, state.get(GRANULARITY)), {})
    for target in targets(opened, state.get(GRANULARITY)):
        if target.locked is None:
            mine.setdefault(target.name, 0)
    return mine


def common(values: Mapping[str, int]) -> int | None:
    """The percentage that all sliders have, or None where they differ."""
    first = next(iter(values.values()), 0)
    return first if all(value == first for value in values.values()) else None


def current(opened: OpenModel) -> Cut:
    """The cut as the sliders stand."""
    values = percents(opened)
    same = common(values)
    layers = () if same is not None else tuple((name, value / 100) for name, value in values.items() if value)
    return Cut(
        granularity=state.get(GRANULARITY),
        criterion=state.get(CRITERION),
        sparsity=(same or 0) / 100,
        layers=layers,
        seed=state.get(SEED),
    )


def set_all(opened: OpenModel, percent: int) -> None:
    """Move every slider."""
    values = percents(opened)
    values.update(dict.fromkeys(values, percent))


def adopt(opened: OpenModel, recipe: Recipe) -> None:
    """Set the page to a recipe for this network.

    Raises:
        InputError: it names layers that this network does not have.
    """
    from pruning.allocation import per_target
    from pruning.catalog.datasets import dataset_info

    by_tensor = per_target(opened.graph, recipe.granularity, recipe.sparsity, recipe.layers)
    state.put(GRANULARITY, recipe.granularity)
    state.put(CRITERION, recipe.criterion)
    state.put(SEED, recipe.seed)
    state.put(SCHEDULE, recipe.schedule)
    state.put(LEARNING_RATE, recipe.lr)
    kept = ("batch_size", "momentum", "weight_decay", "shift", "precision")
    state.put(TRAINING, (recipe.data, {name: getattr(recipe, name) for name in kept}))
    if recipe.schedule == "iterative":
        state.put(ROUNDS, max(2, recipe.iterations))
    per_epoch = max(1, dataset_info(recipe.data).sizes["train"] // recipe.batch_size)
    state.put(EPOCHS, min(100, max(0, round(recipe.finetune_steps / per_epoch))))
    values = percents(opened)
    for target in targets(opened, recipe.granularity):
        if target.locked is None:
            values[target.name] = min(MOST, round(100 * by_tensor[target.tensor]))
