"""The run that Prune shows: started here, followed while it works, its result once done. F5 loses nothing.

The run's name stands in the address (`?run=`) and in the session; everything else is read from the run's folder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import cuts, errors, job_panel, loaders, state

if TYPE_CHECKING:
    from pages.shared.lab import Cut
    from pruning.catalog.models import OpenModel
    from pruning.recipe import Recipe
    from pruning.runs import Run

_RUN = "prune_run"
_RESTORED = "prune_restored"


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
    run = shown_run()
    if run is not None and not _continues(run.recipe):
        with errors.shown(stop=False):
            adopt(run.recipe)


def shown_run() -> Run | None:
    """The run in the address, or None; a name that is no run is forgotten."""
    from pruning.errors import PruningError
    from pruning.runs import default_runs_dir, read_run

    name = st.session_state.get(_RUN)
    if not name:
        return None
    if Path(name).name == name and name != "..":
        with suppress(PruningError):
            return read_run(default_runs_dir() / name)
    close()
    return None


def adopt(recipe: Recipe) -> None:
    """Set network, data and sliders to a recipe's. Raises InputError where they do not fit each other."""
    from pruning.errors import InputError

    opened = loaders.open_model(recipe.model)
    if not opened.data:
        raise InputError(f"{opened.title} comes without images, so no run can start from it: choose a sample network.")
    if recipe.data not in opened.data:
        raise InputError(f"{opened.title} cannot be used with {recipe.data}; use {' or '.join(opened.data)}.")
    cuts.adopt(opened, recipe)  # first: it refuses what does not fit
    state.put(state.MODEL, recipe.model)
    state.put(state.DATA, recipe.data)


def start(recipe: Recipe, data_dir: str | None) -> None:
    """Start a run in a process of its own and show it. Raises StorageError where it cannot be written."""
    from pruning.jobs import local
    from pruning.runs import create_run

    path = create_run(recipe, data_dir=data_dir)
    local.start(path)
    st.session_state[_RUN] = st.session_state[_RESTORED] = path.name
    st.query_params["run"] = path.name
    st.rerun()


def open_run(run: Run) -> None:
    """Show a run on the Prune page from now on, with its sliders."""
    st.session_state[_RUN] = run.name
    st.session_state.pop(_RESTORED, None)


def close() -> None:
    """Show no run any longer; its folder stays."""
    st.session_state.pop(_RUN, None)
    st.query_params.pop("run", None)


def is_busy() -> bool:
    """Whether the shown run is still going."""
    run = shown_run()
    return run is not None and run.state in ("queued", "running")


def result_for(run: Run | None, opened: OpenModel, data_name: str, cut: Cut) -> dict[str, Any] | None:
    """The result of the shown run, if it is one of this very cut."""
    if run is None or run.result is None:
        return None
    recipe = run.recipe
    same = (recipe.model, recipe.data) == (opened.ref, data_name) and cuts.same(opened, recipe, cut)
    return run.result if same else None


def show(run: Run | None, opened: OpenModel) -> None:
    """The shown run: progress while it works, then its result."""
    if run is None:
        return
    with st.container(border=True, key="run_panel", gap="small"):
        if run.state in ("queued", "running"):
            # A timer only while there is something to wait for; it ends with a rerun of the whole page.
            st.fragment(job_panel.live, run_every=1.0)(run.path, _dense_on_select(run, opened))
            return
        title, button = st.columns([6, 1], vertical_alignment="center")
        button.button("Close", key="close_run", on_click=close, width="stretch", icon=":material/close:")
        if run.state == "done":
            job_panel.verdict(title, run)
            job_panel.finished(run, continue_run)
        else:
            job_panel.ended(title, run)


def continue_run(run: Run, epochs: int) -> None:
    """Fine-tune a finished run's model for longer: a run of its own that removes nothing more."""
    import json
    from dataclasses import replace

    from pruning.catalog.datasets import dataset_info

    recipe = run.recipe
    per_epoch = max(1, dataset_info(recipe.data).sizes["train"] // recipe.batch_size)
    job = json.loads((run.path / "job.json").read_text())
    longer = replace(
        recipe,
        model=f"run:{run.path}",
        sparsity=0.0,
        layers={},
        schedule="oneshot",
        iterations=1,
        finetune_steps=epochs * per_epoch,
        seed=recipe.seed + 1,
    )
    start(longer, job.get("data_dir"))


def _continues(recipe: Recipe) -> bool:
    """Whether a recipe only fine-tunes another run's model."""
    return recipe.model.startswith("run:") and not recipe.sparsity and not recipe.layers


def _dense_on_select(run: Run, opened: OpenModel) -> float | None:
    """Accuracy of the network the run starts from, where the page knows it already."""
    from pages.shared import lab

    if run.recipe.model != opened.ref:
        return None
    with errors.shown(stop=False):
        data = loaders.load_data(run.recipe.data, state.data_dir(run.recipe.data))
        return lab.dense_accuracy(opened, data).accuracy
    return None
