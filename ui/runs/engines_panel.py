"""A finished run on the engines that people deploy: measured when asked for, and what came of it, also elsewhere."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, jobs, visitor

if TYPE_CHECKING:
    from pruning.runs import Run

WHAT = (
    "PyTorch as it is, ONNX Runtime, OpenVINO: dense and pruned in turn, one image and 32 at a time, and the pruned "
    "network in int8, with how well that answers."
)


def show(run: Run) -> None:
    """Folded: the matrix, or the button that has it measured."""
    from pruning.runs.abroad import machines
    from pruning.runs.engine_times import read_engine_times
    from pruning.runs.engines import engines_job

    now = None
    with errors.shown(stop=False):
        now = jobs.follow(engines_job(run.path)).status()
    if now is not None and now.is_working:
        st.fragment(_follow, run_every=1.0)(run.path)
        return
    with st.expander("On the engines that people deploy, and in int8", icon=":material/memory:"):
        with errors.shown(stop=False):
            found = read_engine_times(run.path)
            if found is not None:
                table(run.path)
        if now is not None and now.state == "failed":
            st.error(errors.plain(now.text), icon=":material/error:")
        if visitor.owns(run.path):
            if found is None:
                st.caption(WHAT)
            st.button(
                "Measure it again" if found is not None else "Measure it on every engine",
                icon=":material/timer:",
                key="measure_engines",
                type="secondary" if found is not None else "primary",
                on_click=_start,
                args=(run.path,),
                help="A minute or two for a small network, once the machine is quiet.",
            )
        elif found is None:
            st.caption("Not measured.")
        with errors.shown(stop=False):
            others = machines(run.path)
            if others:
                from pruning.render.markup import engine_table

                st.markdown("**On other machines**")
                st.html(engine_table.abroad(others))


def table(folder: Path) -> None:
    """The matrix of the run in a folder, with what is to be said of it; nothing where it was not measured.

    Raises:
        StorageError: it is damaged.
    """
    from pruning.render.markup import engine_table
    from pruning.runs.engine_times import read_engine_times
    from pruning.runs.engine_words import remarks

    found = read_engine_times(folder)
    if found is None:
        return
    st.html(engine_table.html(found))
    st.caption(errors.plain(engine_table.setting(found)))
    for remark in remarks(found):
        st.markdown(errors.plain(remark))


def _start(path: Path) -> None:
    from pruning.runs.engines import start_engines

    try:
        start_engines(path, visitor=visitor.current())
    except errors.PruningError as error:
        st.toast(errors.plain(str(error)), icon=":material/error:")


def _follow(path: Path) -> None:
    """Called again and again by a timer until the times are there."""
    from pruning.runs.engines import engines_job

    with suppress(errors.PruningError):
        job = engines_job(path)
        now = jobs.follow(job).status()
        if now is not None and now.is_working:
            jobs.bar(now, jobs.cancel_of(job), key="cancel_engines", text=errors.plain(now.text))
            return
    st.rerun()
