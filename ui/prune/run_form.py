"""The bar at the bottom of Prune: how a run repairs and trains, how long it takes, and the button that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import duration
from pruning.criteria import Parameter, find_criterion
from pruning.latency import turns
from pruning.repair.kinds import CHOOSES
from ui.kit import charts, errors, jobs, state
from ui.prune import repair_form, training_form
from ui.session import cuts, shown_run
from ui.session.recipe import per_epoch, recipe, training

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec
    from pruning.subject import Subject

_ASKED = "prune_asked"
_FILE = "prune_recipe_file"
_REFUSED = "prune_recipe_refused"
_SECONDS = "prune_run_seconds"
"""That the run of the page should take."""


def show(chosen: Subject, cut: PruneSpec) -> DeltaGenerator:
    """Draw the bar and start a run if asked; returns the place where the duration is to be written."""
    from pruning.render.figures.style import palette

    st.html(
        f"<style>[data-testid=stLayoutWrapper]:has(>.st-key-run_bar){{position:sticky;bottom:0;z-index:50;background:{palette(charts.dark()).paper};"
        f"border-top:1px solid {palette(charts.dark()).line};padding:.6rem 0}}</style>"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_bar"):
        busy = shown_run.is_busy()
        st.button(
            _does(chosen),
            type="primary",
            key="start_run",
            icon=":material/content_cut:",
            disabled=busy or chosen.missing is not None,
            on_click=_ask,
            help=f"There can be no run: {chosen.missing}." if chosen.missing else None,
        )
        if chosen.data_name:
            with st.popover("Options", icon=":material/tune:"):
                _options(chosen)
        _upload()
        place = st.empty()
    if not chosen.data_name:
        place.markdown(f":gray[No run: {chosen.missing}.]")
        return place
    place.markdown(f":gray[{_plan_words(chosen, cut)}]")
    if st.session_state.pop(_ASKED, False):
        with errors.shown(stop=False):
            shown_run.start(recipe(chosen, cut), chosen.data_dir, st.session_state.get(_SECONDS))
    return place


def _does(chosen: Subject) -> str:
    """What a run does, as its button says it."""
    if state.get(cuts.EPOCHS):
        return "Prune and fine-tune"
    return "Prune and repair" if chosen.data_name and training(chosen)["repair"] in CHOOSES else "Prune"


def _ask() -> None:
    st.session_state[_ASKED] = True


def say_duration(place: DeltaGenerator, subject: Subject, recipe: Recipe) -> None:
    """Write how long the run will take, from the time of one step, measured once for this network."""
    from pruning.runs.duration import run_seconds
    from pruning.runs.recipe_words import training_words

    of = (subject.identity, subject.data.digest)
    step = _seconds_per_step(*of, recipe.batch_size, recipe.precision, subject, recipe)
    seconds = st.session_state[_SECONDS] = run_seconds(recipe, step)
    outlook = jobs.outlook_words()
    epochs = recipe.finetune_steps / subject.info.steps_per_epoch(recipe.batch_size)
    place.markdown(
        f"{training_words(recipe, epochs)}: about **{duration(seconds)}** on this machine ○"
        + (f" · {outlook}" if outlook else "")
    )


def _plan_words(chosen: Subject, cut: PruneSpec) -> str:
    from pruning.runs.recipe_words import training_words

    with errors.shown(stop=False):
        wanted = recipe(chosen, cut)
        return training_words(wanted, wanted.finetune_steps / per_epoch(chosen))
    return ""


def _options(chosen: Subject) -> None:
    st.number_input(
        "Epochs of fine-tuning",
        0,
        cuts.MOST_EPOCHS,
        help="Passes over the train images, over all rounds together.",
        **state.bound_anew(cuts.EPOCHS),
    )
    st.segmented_control(
        "Schedule",
        ["oneshot", "iterative"],
        format_func={"oneshot": "at once", "iterative": "in rounds"}.__getitem__,
        required=True,
        help="In rounds: prune a little, fine-tune, prune further, to the same end and with equally many steps.",
        **state.bound_anew(cuts.SCHEDULE),
    )
    if state.get(cuts.SCHEDULE) == "iterative":
        st.number_input("Rounds", 2, 100, **state.bound_anew(cuts.ROUNDS))
    st.number_input(
        "Learning rate", 1e-8, 10.0, value=None, step=0.001, format="%g", placeholder=f"{training(chosen)['lr']:g}",
        help="Empty: what suits the data set.", **state.bound_anew(cuts.LEARNING_RATE),
    )  # fmt: skip
    repair_form.show(chosen)
    if chosen.preprocess is not None:
        training_form.show(chosen)
    for parameter in find_criterion(state.get(cuts.CRITERION)).parameters:
        _parameter(parameter)
    st.number_input("Seed", 0, 2**31 - 1, help="Equal seeds give equal runs.", **state.bound_anew(cuts.SEED))


def _parameter(parameter: Parameter) -> None:
    """A number that the chosen criterion takes."""
    criterion = state.get(cuts.CRITERION)
    known = state.get(cuts.PARAMETERS).get(criterion, {})
    value = st.number_input(
        parameter.title,
        parameter.low,
        parameter.high,
        value=known.get(parameter.name, parameter.default),
        help=parameter.explanation,
        key=f"prune_parameter_{criterion}_{parameter.name}_{known.get(parameter.name)}",
    )
    if value != known.get(parameter.name, parameter.default):
        state.put(cuts.PARAMETERS, {**state.get(cuts.PARAMETERS), criterion: {**known, parameter.name: value}})
        st.rerun()


def _upload() -> None:
    with st.popover("Open a recipe", icon=":material/upload_file:"):
        if st.session_state.get(_REFUSED):
            st.error(errors.plain(st.session_state[_REFUSED]), icon=":material/error:")
        st.file_uploader(
            "A recipe.yaml sets the network, the sliders and the options.",
            type=["yaml", "yml"],
            max_upload_size=1,
            key=_FILE,
            on_change=_read_recipe,
        )


def _read_recipe() -> None:
    """Take an uploaded recipe over. In a callback: widgets can be set only before they are drawn."""
    from pruning.base.errors import PruningError
    from pruning.runs.recipe import Recipe

    st.session_state[_REFUSED] = None
    file = st.session_state[_FILE]
    if file is None:
        return
    try:
        shown_run.adopt_from_visitor(Recipe.from_yaml(file.getvalue().decode("utf-8", "replace")))
    except PruningError as error:  # shown where the file was given; the sliders stay as they are
        st.session_state[_REFUSED] = str(error)


@st.cache_data(show_spinner=False, max_entries=100)
def _seconds_per_step(
    digest: str, data_digest: str, batch: int, precision: str, _subject: Subject, _recipe: Recipe
) -> float:
    from pruning.runs.duration import seconds_of_step

    with turns.computing():
        return seconds_of_step(_subject, _recipe)
