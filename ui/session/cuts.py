"""The cut that the Prune page works on: how much of each channel group or layer goes, kept for the session.

Where the rows stand (`pruning.planning.rows`) is kept for each network and granularity apart, so that switching to and
fro loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.criteria import Criterion, criteria_for, find_criterion
from pruning.granularity import Granularity
from pruning.spec import PruneSpec
from ui.kit import errors, state
from ui.kit.view import Setting

if TYPE_CHECKING:
    from pruning.planning.rows import Positions, Row
    from pruning.runs.recipe import Recipe
    from pruning.subject import Subject

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
"""Data set and further settings of repair and training that were chosen, or brought by an adopted recipe; None: what
suits the data set."""
STEPS = "prune_steps"
"""Data set, epochs on the page, and the exact steps that an adopted recipe brought: they hold while the epochs do."""
LOCKED = "prune_locked"
"""Places of the locked rows among those that are free, as a link carries them: '0,3'."""
_LOCKS_SAID = "prune_locks_said"
"""What it was after the rows were last looked at: anything else came with a link."""
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
        LOCKED: "",
    }
)
_ROWS = "prune_rows"
_IMPOSED = "prune_imposed"
"""How often something other than the board set the rows: a new number makes the board take them over."""


def free_rows(subject: Subject) -> tuple[Row, ...]:
    """The rows of the chosen granularity that can lose something."""
    from pruning.planning.rows import free_rows

    return free_rows(subject.graph, state.get(GRANULARITY))


def positions(subject: Subject) -> Positions:
    """Where the rows stand, for the chosen granularity."""
    from pruning.planning.rows import Positions

    found: Positions = st.session_state.get(_ROWS, {}).get(_place(subject)) or Positions()
    return found


def _put(subject: Subject, stand: Positions) -> None:
    st.session_state.setdefault(_ROWS, {})[_place(subject)] = stand


def _place(subject: Subject) -> tuple[str, Granularity]:
    return subject.digest, state.get(GRANULARITY)


def token(subject: Subject) -> str:
    """Names what the board shows: it takes the rows over from here when this changes, and only then."""
    ranks = ranking()
    imposed = st.session_state.get(_IMPOSED, 0)
    return f"{subject.identity}:{ranks.granularity}:{ranks.criterion}:{ranks.digest[:12]}:{imposed}"


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


def settle(chosen: Subject) -> None:
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


def unfit(chosen: Subject, granularity: Granularity, criterion: Criterion) -> str | None:
    """Why a criterion cannot rank a network's channels or weights with the images at hand, in a sentence, or None."""
    if granularity not in criterion.granularities:
        return criterion.conditions
    if criterion.needs_images and not chosen.has_images:
        return f"It needs train images: {chosen.missing}."
    return _unranked(chosen.identity, criterion.name, chosen) if "batch_norm" in criterion.needs else None


@st.cache_data(show_spinner=False, max_entries=200)
def _unranked(digest: str, criterion: str, _subject: Subject) -> str | None:
    from pruning.planning.ranking import why_unranked

    return why_unranked(_subject.model, _subject.graph, PruneSpec(criterion=criterion))


def current(subject: Subject) -> PruneSpec:
    """The spec as the rows stand: one sparsity for all, and of their own for those that stand elsewhere."""
    return positions(subject).spec(free_rows(subject), ranking())


def set_rows(subject: Subject, sparsities: Mapping[str, float], *, share: float = 0.0) -> None:
    """Set the rows that are named to a sparsity each and the others to none; the board follows.

    `share`: the sparsity that rows have in common, where they do.
    """
    _put(subject, positions(subject).moved_to(free_rows(subject), sparsities, share=share))
    impose()


def follow(subject: Subject, sent: Mapping[str, Any]) -> None:
    """Take over what the board says, unless it speaks of rows that are no longer shown."""
    if sent.get("token") != token(subject):
        return
    rows = free_rows(subject)
    _put(subject, positions(subject).following(rows, sent))
    state.put(CHOSEN, sent["chosen"] if sent["chosen"] in {row.name for row in rows} else None)


def _are_places(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"(\d{1,5}(,\d{1,5})*)?", value, re.ASCII) is not None


VIEW = {"locked": Setting(key=LOCKED, allowed=_are_places)}
"""What a link to Prune carries beside the plan."""


def settle_locks(subject: Subject) -> None:
    """Lock the rows that a link names, if one was opened; then note those that are locked, for the next link."""
    from pruning.runs.links import LONGEST_TEXT

    rows, stand = free_rows(subject), positions(subject)
    if state.get(LOCKED) != st.session_state.get(_LOCKS_SAID, ""):
        places = {int(place) for place in state.get(LOCKED).split(",") if place}
        stand = replace(stand, pinned=[row.name for place, row in enumerate(rows) if place in places])
        _put(subject, stand)
        impose()
    said = ",".join(str(place) for place, row in enumerate(rows) if row.name in stand.pinned)
    state.put(LOCKED, said if len(said) <= LONGEST_TEXT else "")
    st.session_state[_LOCKS_SAID] = state.get(LOCKED)


def adopt(subject: Subject, recipe: Recipe) -> None:
    """Set the page to a recipe for this network.

    Raises:
        InputError: it names layers that this network does not have; then nothing is changed.
    """
    from pruning.data.readers import describe_data

    adopt_rows(subject, recipe)
    in_rounds = recipe.schedule == "iterative" and recipe.iterations > 1  # one round is at once
    state.put(SCHEDULE, "iterative" if in_rounds else "oneshot")
    state.put(LEARNING_RATE, recipe.lr)
    kept = ("repair", "batch_size", "optimiser", "batch_norm", "momentum", "weight_decay", "augment", "shift",
            "precision", "distillation")  # fmt: skip
    state.put(TRAINING, (recipe.data, {name: getattr(recipe, name) for name in kept}))
    if in_rounds:
        state.put(ROUNDS, recipe.iterations)
    per_epoch = describe_data(recipe.data).steps_per_epoch(recipe.batch_size)
    epochs = min(MOST_EPOCHS, max(1, round(recipe.finetune_steps / per_epoch))) if recipe.finetune_steps else 0
    state.put(EPOCHS, epochs)
    state.put(STEPS, (recipe.data, epochs, recipe.finetune_steps))


def adopt_rows(subject: Subject, recipe: Recipe) -> None:
    """Set what goes, and that alone, to a recipe for this network.

    Raises:
        InputError: as `adopt`; then nothing is changed.
    """
    from pruning.planning.rows import sparsities_of

    spec = recipe.prune
    wanted = sparsities_of(subject.graph, spec)
    state.put(GRANULARITY, spec.granularity)
    state.put(CRITERION, spec.criterion)
    state.put(PARAMETERS, {**state.get(PARAMETERS), spec.criterion: dict(spec.parameters)})
    state.put(SEED, spec.seed)
    set_rows(subject, wanted, share=spec.sparsity)
