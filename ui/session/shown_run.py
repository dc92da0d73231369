"""The run that the session shows: started here, followed while it works, its result once done. F5 loses nothing.

The run's name stands in the address (`?run=`) and in the session; everything else is read from the run's folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders, permits, state, visitor
from ui.session import cuts, data_box, gate

if TYPE_CHECKING:
    from pruning.runs import Run
    from pruning.runs.recipe import Recipe

_RUN = "prune_run"

_RESTORED = "prune_restored"
_REFUSED = "prune_refused"
"""Why the run that was asked for cannot be shown."""


def restore() -> None:
    """Before anything is drawn: take up the run that the address names, after F5 or a link, with its sliders."""
    name = st.query_params.get("run") or st.session_state.get(_RUN)
    if not name:
        return
    st.query_params["run"] = name  # back from another page, which leaves it out
    st.session_state[_RUN] = name
    if st.session_state.get(_RESTORED) == name:
        return
    st.session_state[_RESTORED] = name
    run = shown()
    if run is not None and not run.recipe.only_fine_tunes:
        with errors.shown(stop=False):
            adopt(run.recipe)


def shown() -> Run | None:
    """The run in the address, or None; a name that is no run is forgotten."""
    from pruning.base.errors import PruningError
    from pruning.runs import default_runs_dir, read_run

    name = st.session_state.get(_RUN)
    if not name:
        return None
    refused = None
    if Path(name).name == name and name != "..":
        folder = default_runs_dir() / name
        try:
            return read_run(folder)
        except PruningError as error:
            refused = str(error) if os.path.lexists(folder) else None
    close()
    st.session_state[_REFUSED] = refused
    return None


def refused() -> str | None:
    """Why the run that was asked for last cannot be shown, in a sentence; None where nothing is wrong."""
    found: str | None = st.session_state.get(_REFUSED)
    return found


def adopt(recipe: Recipe) -> None:
    """Set network, data and sliders to those of a run on this server. Raises InputError where they do not fit each
    other, DataError where it cannot be told what the images are."""
    from pruning.base.errors import InputError
    from pruning.catalog.openers import is_on_this_machine_alone

    if is_on_this_machine_alone(recipe.model):
        permits.allow(recipe.model)
    subject = loaders.open_subject(recipe.model)
    try:
        subject = loaders.with_data(subject, recipe.data, recipe.preprocess)
    except InputError as error:
        if subject.network.data:
            raise
        raise InputError(f"{subject.title} comes without images, and the recipe's do not fit it. {error}") from error
    cuts.adopt(subject, recipe)  # first: it refuses what does not fit
    if recipe.data not in subject.network.data:
        data_box.bring(recipe.data)
    if recipe.preprocess is not None:
        permits.prepare(recipe.model, recipe.data, recipe.preprocess)
        gate.passed(subject)
    state.put(state.MODEL, recipe.model)
    state.put(state.DATA, recipe.data)


def adopt_from_visitor(recipe: Recipe) -> None:
    """As `adopt`, for a recipe that comes from a visitor and not from a run on this server.

    Raises:
        InputError: also where its images are files of the server; then nothing was looked for.
    """
    from pruning.data.readers import check_visitor

    check_visitor(recipe.data)
    loaders.check_visitor(recipe.model)
    adopt(recipe)


def start(recipe: Recipe, data_dir: str | None, expected: float | None = None) -> None:
    """Have a run carried out and show it; one that answers the same is shown as it is, or goes on where it was stopped.
    `expected`: seconds that it should take.

    Raises:
        PruningError: it cannot be written, or too many jobs wait.
    """
    from pruning.runs.equal import run_of
    from pruning.runs.quota import check_room
    from pruning.runs.start import start_run

    check_room(visitor.current())
    subject = loaders.with_data(loaders.open_subject(recipe.model), recipe.data, recipe.preprocess)
    run = run_of(recipe, subject, data_dir=data_dir)
    path = run.path
    start_run(path, visitor.current(), expected)
    st.session_state[_RUN] = st.session_state[_RESTORED] = path.name
    st.session_state.pop(_REFUSED, None)
    st.query_params["run"] = path.name
    st.rerun()


def open_run(run: Run) -> None:
    """Show a run on the Prune page from now on, with its sliders."""
    st.session_state[_RUN] = run.name
    for key in (_RESTORED, _REFUSED):
        st.session_state.pop(key, None)


def close() -> None:
    """Show no run any longer; its folder stays."""
    for key in (_RUN, _REFUSED):
        st.session_state.pop(key, None)
    st.query_params.pop("run", None)


def is_busy() -> bool:
    """Whether the shown run is still going."""
    run = shown()
    return run is not None and run.state in ("queued", "running")
