"""The panel of the run that Prune shows: progress while it works, then its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders
from ui.runs import job_panel
from ui.session import changed, shown_run

if TYPE_CHECKING:
    from pruning.runs import Run
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from pruning.subject import Subject


def result_for(run: Run | None, subject: Subject, cut: PruneSpec) -> Result | None:
    """The result of the shown run, if it is one of this very cut."""
    if run is None or run.result is None:
        return None
    return run.result_of(subject.graph, cut, model=subject.ref, data=subject.data_name, preprocess=subject.preprocess)


def show(run: Run | None, subject: Subject) -> None:
    """The shown run: progress while it works, then its result; or why the one that was asked for cannot be shown."""
    refused = shown_run.refused()
    if run is None and refused is None:
        return
    with st.container(border=True, key="run_panel", gap="small"):
        if run is not None and run.state in ("queued", "running"):
            # A timer only while there is something to wait for; it ends with a rerun of the whole page.
            timer = job_panel.every(run.status())
            st.fragment(job_panel.live, run_every=timer)(run.path, _dense_on_select(run, subject), timer)
            return
        title, button = st.columns([6, 1], vertical_alignment="center")
        button.button("Close", key="close_run", on_click=shown_run.close, width="stretch", icon=":material/close:")
        if run is not None and run.ref != subject.ref:  # of that one the header says it
            changed.show(run.path)
        if run is None:
            title.markdown(f"**This run cannot be shown.** {errors.plain(refused or '')}")
        elif run.state == "done":
            job_panel.verdict(title, run)
            job_panel.finished(run, continue_run)
        else:
            job_panel.ended(title, run)


def continue_run(run: Run, epochs: int) -> None:
    """Fine-tune a finished run's model for longer: a run of its own that removes nothing more."""
    shown_run.start(run.continued(epochs), run.data_dir)


def _dense_on_select(run: Run, subject: Subject) -> float | None:
    """Accuracy of the network the run starts from, where the page knows it already."""
    from ui.kit import lab

    if run.recipe.model != subject.ref:
        return None
    with errors.shown(stop=False):
        return lab.dense_accuracy(loaders.with_data(subject, run.recipe.data, run.recipe.preprocess)).value
    return None
