"""The cut that the Prune page works on: how much of each channel group or layer goes, kept for the session.

A row of the board stands at a whole number, as the board counts: units removed of a channel group, or per mille of a
layer's weights. They are kept for each network and granularity apart, so that switching to and fro loses nothing. A
target is named as `Recipe.layers` names it: a channel group's name, or a layer's for weight pruning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit import state
from ui.kit.lab import Cut

if TYPE_CHECKING:
    from pruning.opening.models import OpenModel
    from pruning.runs.recipe import Recipe

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
STEPS = "prune_steps"
"""Data set, epochs on the page, and the exact steps that an adopted recipe brought: they hold while the epochs do."""
MOST_EPOCHS = 100
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
        STEPS: None,
    }
)
_ROWS = "prune_rows"
_IMPOSED = "prune_imposed"
"""How often something other than the board set the rows: a new number makes the board take them over."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one slider controls."""

    name: str
    total: int
    """Units, or weights."""
    layers: tuple[str, ...]
    """Layers that lose the same channels; one layer for weight pruning."""
    tensor: str
    """Name that `pruning.render.preview` uses: the group's, or the parameter's."""
    granularity: str
    locked: str | None = None

    @property
    def label(self) -> str:
        """'layer2.0.conv2/own' reads better as 'layer2.0.conv2 · own', 'qkv#2' as 'qkv (2)'."""
        name, _, number = self.name.replace("/own", " · own").partition("#")
        return f"{name} ({number})" if number else name

    @property
    def is_part(self) -> bool:
        """Whether its first layer has more channels, which belong to an earlier group."""
        return "/own" in self.name

    @property
    def most(self) -> int:
        """The highest number its row can stand at: one unit stays, or one weight in a thousand."""
        return self.total - 1 if self.granularity == "channel" else 999

    def at(self, sparsity: float) -> int:
        """The number at which its row removes that share."""
        from pruning.planning.allocation import kept_units

        if self.granularity == "channel":
            return self.total - kept_units(self.total, sparsity)
        return min(self.most, round(1000 * sparsity))

    def sparsity(self, number: int) -> float:
        """The exact fraction that a number stands for."""
        return number / (self.total if self.granularity == "channel" else 1000)


@dataclass
class Rows:
    """Where the rows of one network stand, for one granularity."""

    numbers: dict[str, int] = field(default_factory=dict)
    """Target → number; what is not named loses nothing."""
    share: float = 0.0
    """The share that was asked of all rows. Rows that stand elsewhere have a sparsity of their own."""
    asked: dict[str, float] = field(default_factory=dict)
    """Target → the sparsity that a recipe asks for, as long as the row stands where that puts it."""
    pinned: list[str] = field(default_factory=list)
    """Targets that the user locked: the slider of all rows leaves them alone."""
    mode: str = "uniform"
    """Of the slider of all rows: the same share of each, or the same threshold for all scores."""


def targets(opened: OpenModel, granularity: str) -> list[Target]:
    """Every row of a network in network order, locked ones too."""
    return _targets(opened.digest, granularity, opened)


@st.cache_resource(show_spinner=False, max_entries=32)
def _targets(digest: str, granularity: str, _opened: OpenModel) -> list[Target]:
    from pruning.graph.rules.contractions import layer_name
    from pruning.planning.plan import target_sizes

    graph = _opened.graph
    if granularity == "weight":
        return [
            Target(
                name=layer_name(tensor),
                total=total,
                layers=(layer_name(tensor),),
                tensor=tensor,
                granularity="weight",
            )
            for tensor, total in target_sizes(graph, "weight").items()
        ]
    found = [
        Target(
            name=group.name,
            total=group.units,
            layers=group.producers,
            tensor=group.name,
            granularity="channel",
            locked=group.locked,
        )
        for group in (*graph.groups, *graph.locked)
    ]
    place = {site.layer: number for number, site in reversed(list(enumerate(graph.contractions)))}
    return sorted(found, key=lambda target: min((place.get(layer, len(place)) for layer in target.layers), default=0))


def free_targets(opened: OpenModel) -> list[Target]:
    """The rows of the chosen granularity that can lose something."""
    return [target for target in targets(opened, state.get(GRANULARITY)) if target.locked is None]


def rows(opened: OpenModel) -> Rows:
    """Where the rows stand, for the chosen granularity; changing it changes the state."""
    everything = st.session_state.setdefault(_ROWS, {})
    mine: Rows = everything.setdefault((opened.digest, state.get(GRANULARITY)), Rows())
    return mine


def token(opened: OpenModel) -> str:
    """Names what the board shows: it takes the rows over from here when this changes, and only then."""
    imposed = st.session_state.get(_IMPOSED, 0)
    return f"{opened.digest}:{state.get(GRANULARITY)}:{state.get(CRITERION)}:{state.get(SEED)}:{imposed}"


def impose() -> None:
    """Make the board take the rows over as they now stand."""
    st.session_state[_IMPOSED] = st.session_state.get(_IMPOSED, 0) + 1


def current(opened: OpenModel) -> Cut:
    """The cut as the rows stand: one sparsity for all, and of their own for those that stand elsewhere."""
    mine = rows(opened)
    layers = []
    for target in free_targets(opened):
        number = mine.numbers.get(target.name, 0)
        own = mine.asked.get(target.name)
        if own is not None and target.at(own) == number:
            layers.append((target.name, own))
        elif target.at(mine.share) != number:
            layers.append((target.name, target.sparsity(number)))
    return Cut(
        granularity=state.get(GRANULARITY),
        criterion=state.get(CRITERION),
        sparsity=mine.share,
        layers=tuple(layers),
        seed=state.get(SEED),
    )


def set_rows(opened: OpenModel, sparsities: Mapping[str, float], *, share: float = 0.0) -> None:
    """Set the rows that are named to a sparsity each and the others to none; the board follows.

    `share`: the sparsity that rows have in common, where they do.
    """
    mine = rows(opened)
    known = {target.name: target for target in free_targets(opened)}
    wanted = {name: value for name, value in sparsities.items() if name in known}
    mine.numbers = {name: known[name].at(value) for name, value in wanted.items()}
    mine.asked = {name: value for name, value in wanted.items() if value != share}
    mine.share = share
    impose()


def follow(opened: OpenModel, sent: Mapping[str, Any]) -> None:
    """Take over what the board says, unless it speaks of rows that are no longer shown."""
    if sent.get("token") != token(opened):
        return
    mine = rows(opened)
    known = {target.name: target for target in free_targets(opened)}
    mine.numbers = {
        name: max(0, min(known[name].most, int(number)))
        for name, number in sent["removed"].items()
        if name in known and number
    }
    mine.share = max(0.0, min(0.999, float(sent["share"])))
    mine.asked = {name: value for name, value in mine.asked.items() if known[name].at(value) == mine.numbers.get(name)}
    mine.pinned = [name for name in sent["pinned"] if name in known]
    mine.mode = "threshold" if sent["mode"] == "threshold" else "uniform"
    state.put(CHOSEN, sent["chosen"] if sent["chosen"] in known else None)


def same(opened: OpenModel, recipe: Recipe, cut: Cut) -> bool:
    """Whether a recipe for this network removes exactly what a cut removes."""
    from pruning.base.errors import InputError
    from pruning.planning.allocation import kept_units, per_target
    from pruning.planning.plan import target_sizes

    if (recipe.granularity, recipe.criterion, recipe.seed) != (cut.granularity, cut.criterion, cut.seed):
        return False
    sizes = target_sizes(opened.graph, cut.granularity)
    try:
        asked = [
            per_target(opened.graph, cut.granularity, sparsity, layers)
            for sparsity, layers in ((recipe.sparsity, recipe.layers), (cut.sparsity, dict(cut.layers)))
        ]
    except InputError:  # a recipe of another network under the same name
        return False
    first, second = ({name: kept_units(sizes[name], value) for name, value in one.items()} for one in asked)
    return first == second


def adopt(opened: OpenModel, recipe: Recipe) -> None:
    """Set the page to a recipe for this network.

    Raises:
        InputError: it names layers that this network does not have; then nothing is changed.
    """
    from pruning.data.readers import describe_data

    adopt_rows(opened, recipe)
    in_rounds = recipe.schedule == "iterative" and recipe.iterations > 1  # one round is at once
    state.put(SCHEDULE, "iterative" if in_rounds else "oneshot")
    state.put(LEARNING_RATE, recipe.lr)
    kept = ("batch_size", "momentum", "weight_decay", "shift", "precision")
    state.put(TRAINING, (recipe.data, {name: getattr(recipe, name) for name in kept}))
    if in_rounds:
        state.put(ROUNDS, recipe.iterations)
    per_epoch = describe_data(recipe.data).steps_per_epoch(recipe.batch_size)
    epochs = min(MOST_EPOCHS, max(1, round(recipe.finetune_steps / per_epoch))) if recipe.finetune_steps else 0
    state.put(EPOCHS, epochs)
    state.put(STEPS, (recipe.data, epochs, recipe.finetune_steps))


def adopt_rows(opened: OpenModel, recipe: Recipe) -> None:
    """Set what goes, and that alone, to a recipe for this network.

    Raises:
        InputError: as `adopt`; then nothing is changed.
    """
    from pruning.planning.allocation import per_target

    by_tensor = per_target(opened.graph, recipe.granularity, recipe.sparsity, recipe.layers)
    state.put(GRANULARITY, recipe.granularity)
    state.put(CRITERION, recipe.criterion)
    state.put(SEED, recipe.seed)
    set_rows(opened, {t.name: by_tensor[t.tensor] for t in free_targets(opened)}, share=recipe.sparsity)
