"""The report of a finished run: what the author adds to it, its making in a process of its own, and the file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, jobs, state, visitor

if TYPE_CHECKING:
    from pruning.export.report.contents import Options
    from pruning.jobs.job import Job
    from pruning.runs import Run

_ADVICE = "report_advice"
"""Run → the author's recommendation."""
_PHOTOS = "report_photos"
state.DEFAULTS.update({_ADVICE: {}, _PHOTOS: False})


def offer(run: Run, key: str = "") -> None:
    """A button that opens the making of a report; `key` tells several on one page apart."""
    with st.popover("Report", icon=":material/description:", key=f"{key}report"):
        st.markdown("**One file to send that anyone can follow:** verdict, savings, trade-off and a slider.")
        working = False
        with suppress(errors.PruningError):  # said under the text, where it can be corrected
            working = _job(run).is_working
        # A timer only while there is something to wait for.
        st.fragment(_making, run_every=1.0 if working else None)(run, key, working)


def _options(run: Run) -> Options:
    from pruning.export.report.contents import Options, plain_text

    return Options(recommendation=plain_text(state.get(_ADVICE).get(run.name, "")), photos=state.get(_PHOTOS))


def _job(run: Run) -> Job:
    """The one that writes the report with the options of this session."""
    from pruning.export.report.start import job_of

    return job_of(run.path, _options(run))


def _making(run: Run, key: str, working: bool) -> None:
    from pruning.export.record import Source
    from pruning.export.report.contents import LONGEST_ADVICE
    from pruning.export.report.start import read_report, start
    from pruning.export.report.write import REPORT
    from pruning.export.table import EXPORTS

    advice = state.get(_ADVICE)
    advice[run.name] = st.text_area(
        "Your recommendation",
        value=advice.get(run.name, ""),
        max_chars=LONGEST_ADVICE,
        placeholder="Optional. What should the reader do, and where does it not hold?",
        key=f"{key}advice_{run.name}",
        disabled=working,
    )
    st.checkbox(
        "With pictures of the images whose answer changed",
        help="Leave it out where the images must not leave this machine.",
        disabled=working,
        **state.bound(_PHOTOS),
    )
    with errors.shown(stop=False):
        options, job = _options(run), _job(run)
        now = jobs.follow(job).status()
        if working != (now is not None and now.is_working):
            st.rerun()  # the page starts or stops the timer
        if now is not None and now.is_working:
            jobs.bar(now, jobs.cancel_of(job), key=f"{key}report_cancel")
            return
        if now is not None and now.state == "failed":
            st.error(errors.plain(now.text), icon=":material/error:")
        done = job.file(REPORT) is not None
        with st.container(horizontal=True, gap="small"):
            if done:
                st.download_button(
                    "Download report",
                    lambda: read_report(run.path, options) or b"",
                    file_name=EXPORTS["report"].file_for(Source.of(run)),
                    mime=EXPORTS["report"].media_type,
                    on_click="ignore",
                    icon=":material/download:",
                    type="primary",
                    key=f"{key}report_file",
                )
            if st.button(
                "Make it again" if done else "Make the report",
                type="secondary" if done else "primary",
                key=f"{key}report_make",
                help="Measures other cuts for the report’s slider: about half a minute for a small network, longer "
                "where the run repaired.",
            ):
                start(run.path, options, visitor=visitor.current())
                st.rerun()
