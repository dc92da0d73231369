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

from pruning.criteria import Criterion, criteria_for, find_criterion
from pruning.granularity import Granularity
from pruning.spec import PruneSpec
from ui.kit import errors, state

if TYPE_CHECKING:
    from pruning.graph.targets import Target
    from pruning.opening.models import OpenModel
    from pruning.runs.recipe import Recipe
    from ui.session.chosen import Chosen

GRANULARITY = "prune_granularity"
CRITERION = "prune_criterion"
PARAMETERS = "prune_parameters"
"""Criterion → values of its parameters that the user or a recipe set; what is not named has its default."""
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
        PARAMETERS: {},
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
class Row:
    """A target as one slider controls it."""

    target: Target
    parts: int
    """How finely it is cut: into units, or a layer's weights into thousandths."""

    @property
    def name(self) -> str:
        return self.target.name

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
        """The highest number it can stand at: one unit stays, or one weight in a thousand."""
        return self.parts - 1

    def at(self, sparsity: float) -> int:
        """The number at which it removes that share."""
        from pruning.planning.allocation import kept_units

        if self.target.group is not None:
            return self.parts - kept_units(self.parts, sparsity)
        return min(self.most, round(self.parts * sparsity))

    def sparsity(self, number: int) -> float:
        """The exact fraction that a number stands for."""
        return number / self.parts


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


def all_rows(opened: OpenModel, granularity: Granularity) -> list[Row]:
    """Every row of a network in network order, locked ones too."""
    return _all_rows(opened.digest, granularity, opened)


@st.cache_resource(show_spinner=False, max_entries=32)
def _all_rows(digest: str, granularity: Granularity, _opened: OpenModel) -> list[Row]:
    from pruning.graph.targets import all_targets

    return [
        Row(target=target, parts=1000 if target.group is None else target.units)
        for target in all_targets(_opened.graph, granularity)
    ]


def free_rows(opened: OpenModel) -> list[Row]:
    """The rows of the chosen granularity that can lose something."""
    return [row for row in all_rows(opened, state.get(GRANULARITY)) if row.target.locked is None]


def rows(opened: OpenModel) -> Rows:
    """Where the rows stand, for the chosen granularity; changing it changes the state."""
    everything = st.session_state.setdefault(_ROWS, {})
    mine: Rows = everything.setdefault((opened.digest, state.get(GRANULARITY)), Rows())
    return mine


def token(opened: OpenModel) -> str:
    """Names what the board shows: it takes the rows over from here when this changes, and only then."""
    ranks = ranking()
    imposed = st.session_state.get(_IMPOSED, 0)
    return f"{opened.digest}:{ranks.granularity}:{ranks.criterion}:{ranks.digest[:12]}:{imposed}"


def impose() -> None:
    """Make the board take the rows over as they now stand."""
    st.session_state[_IMPOSED] = st.session_state.get(_IMPOSED, 0) + 1


def ranking() -> PruneSpec:
    """What the session ranks by: a spec that removes nothing yet."""
    criterion = state.get(CRITERION)
    return PruneSpec(
        granularity=state.get(GRANULARITY),
        criterion=criterion,
        parameters=tuple(state.get(PARAMETERS).get(criterion, {}).items()),
        seed=state.get(SEED),
    )


def settle(chosen: Chosen) -> None:
    """Where the criterion of the session cannot rank what is now chosen, rank by the first one, and say so.

    Before anything is drawn; a criterion stays in the session when network, images or granularity change.
    """
    granularity, criterion = state.get(GRANULARITY), find_criterion(state.get(CRITERION))
    reason = unfit(chosen, granularity, criterion)
    if reason is not None:
        instead = next(iter(criteria_for(granularity, images=False)))
        state.put(CRITERION, instead.name)
        st.toast(
            f"**{errors.plain(criterion.title)} cannot rank here:** {errors.plain(reason)} Ranked by "
            f"{errors.plain(instead.title)} now.",
            icon=":material/swap_horiz:",
        )


def unfit(chosen: Chosen, granularity: Granularity, criterion: Criterion) -> str | None:
    """Why a criterion cannot rank a network's channels or weights with the images at hand, in a sentence, or None."""
    if granularity not in criterion.granularities:
        return criterion.conditions
    if criterion.needs_images and not chosen.has_images:
        return f"It needs train images: {chosen.missing}."
    return _unranked(chosen.opened.digest, criterion.name, chosen.opened) if "batch_norm" in criterion.needs else None


@st.cache_data(show_spinner=False, max_entries=200)
def _unranked(digest: str, criterion: str, _opened: OpenModel) -> str | None:
    """Why not all groups of a network have the batch norms that a criterion needs, or None where they have."""
    from pruning.base.errors import InputError
    from pruning.graph.targets import free_targets
    from pruning.planning.ranking import Ranking

    order = Ranking(_opened.model, _opened.graph, PruneSpec(criterion=criterion))
    try:
        for target in free_targets(_opened.graph, "channel"):
            order.scores(target)
    except InputError as error:
        return str(error)
    return None


def current(opened: OpenModel) -> PruneSpec:
    """The spec as the rows stand: one sparsity for all, and of their own for those that stand elsewhere."""
    mine = rows(opened)
    layers = []
    for row in free_rows(opened):
        number = mine.numbers.get(row.name, 0)
        own = mine.asked.get(row.name)
        if own is not None and row.at(own) == number:
            layers.append((row.name, own))
        elif row.at(mine.share) != number:
            layers.append((row.name, row.sparsity(number)))
    return ranking().replace(sparsity=mine.share, layers=tuple(layers))


def set_rows(opened: OpenModel, sparsities: Mapping[str, float], *, share: float = 0.0) -> None:
    """Set the rows that are named to a sparsity each and the others to none; the board follows.

    `share`: the sparsity that rows have in common, where they do.
    """
    mine = rows(opened)
    known = {row.name: row for row in free_rows(opened)}
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
    known = {row.name: row for row in free_rows(opened)}
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


def adopt(opened: OpenModel, recipe: Recipe) -> None:
    """Set the page to a recipe for this network.

    Raises:
        InputError: it names layers that this network does not have; then nothing is changed.
    """
    from pruning.data.datasets import dataset_info

    adopt_rows(opened, recipe)
    in_rounds = recipe.schedule == "iterative" and recipe.iterations > 1  # one round is at once
    state.put(SCHEDULE, "iterative" if in_rounds else "oneshot")
    state.put(LEARNING_RATE, recipe.lr)
    kept = ("batch_size", "momentum", "weight_decay", "shift", "precision")
    state.put(TRAINING, (recipe.data, {name: getattr(recipe, name) for name in kept}))
    if in_rounds:
        state.put(ROUNDS, recipe.iterations)
    per_epoch = max(1, dataset_info(recipe.data).sizes["train"] // recipe.batch_size)
    epochs = min(MOST_EPOCHS, max(1, round(recipe.finetune_steps / per_epoch))) if recipe.finetune_steps else 0
    state.put(EPOCHS, epochs)
    state.put(STEPS, (recipe.data, epochs, recipe.finetune_steps))


def adopt_rows(opened: OpenModel, recipe: Recipe) -> None:
    """Set what goes, and that alone, to a recipe for this network.

    Raises:
        InputError: as `adopt`; then nothing is changed.
    """
    from pruning.planning.allocation import kept_per_target, per_target

    spec = recipe.prune
    asked, kept = per_target(opened.graph, spec), kept_per_target(opened.graph, spec)
    state.put(GRANULARITY, spec.granularity)
    state.put(CRITERION, spec.criterion)
    state.put(PARAMETERS, {**state.get(PARAMETERS), spec.criterion: dict(spec.parameters)})
    state.put(SEED, spec.seed)
    wanted = {}
    for row in free_rows(opened):
        exact = 1 - kept[row.target.key] / row.target.units  # where the recipe rounds to whole multiples
        wanted[row.name] = asked[row.target.key] if spec.round_to == 1 else exact
    set_rows(opened, wanted, share=spec.sparsity)
