"""Compare before there is anything to compare: one button makes a first run, which is followed until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, run_index, visitor
from ui.runs import job_panel

if TYPE_CHECKING:
    from pruning.runs import Run

_MADE = "compare_made"
"""Name of the run that was started here."""
_REFUSED = "compare_refused"
"""Why it could not be started."""


def show() -> None:
    """What this page is for, and the button; or how far the run is."""
    from pruning.runs.index.query import Query

    going = next(iter(run_index.find(Query(states=("queued", "running"), limit=1)).runs), None)
    if going is not None:
        st.markdown("**A run is being made.** Its comparison with the original network appears here when it is done.")
        with st.container(border=True):
            st.fragment(job_panel.live, run_every=job_panel.RUNNING)(going.path, None, job_panel.RUNNING)
        return
    _told()
    st.markdown(
        "Compare shows **what pruning changed**: a verdict in words, both networks drawn to scale, the images that "
        "are now answered wrongly, and every class before and after.\n\nThere is **no finished run** yet."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Make one now (about 20 s)", type="primary", icon=":material/play_arrow:", key="compare_make",
            on_click=_make,
            help="Removes 40 % of the channels of a small network that reads digits, fine-tunes it for two epochs on "
            "3,000 images, and measures it.",
        )  # fmt: skip
        if st.button("Go to Prune", icon=":material/content_cut:", key="compare_to_prune"):
            st.switch_page("pages/prune.py")


def _make() -> None:
    """The button: start the run, or keep why it could not be started."""
    from pruning.runs.first_run import start_first_run

    try:
        st.session_state[_MADE], st.session_state[_REFUSED] = start_first_run(visitor.current()).name, None
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)


def _told() -> None:
    """Why the run that was started here did not end well, if so."""
    if st.session_state.get(_REFUSED):
        st.error(errors.plain(st.session_state[_REFUSED]), icon=":material/error:")
    run = _made()
    if run is not None and run.state in ("failed", "cancelled"):
        st.warning(f"The run {run.state}: {errors.plain(run.message or '')}", icon=":material/error:")


def _made() -> Run | None:
    from pruning.runs import default_runs_dir, read_run

    name = st.session_state.get(_MADE)
    try:
        return read_run(default_runs_dir() / name) if name else None
    except errors.PruningError:
        return None
