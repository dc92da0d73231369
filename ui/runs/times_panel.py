"""The times of a finished run on a page, as long as there are none: they follow, or can be measured."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, jobs, visitor

if TYPE_CHECKING:
    from pruning.runs import Run


def show(run: Run) -> None:
    """How the times stand, with what can be done; nothing where they are there."""
    from pruning.runs.times import times_job

    assert run.result is not None, "it is finished"
    now = jobs.follow(times_job(run.path)).status()
    if now is not None and now.is_working:
        st.fragment(_follow, run_every=1.0)(run.path)
        return
    if now is not None and now.state == "done" and _has_come(run):
        st.rerun()  # since the page read the run
    noisy = run.result.clock.noisy
    if run.result.speedups and not noisy:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if noisy:
            where = f", batch {' and '.join(map(str, noisy))}" if run.result.speedups else ""
            st.markdown(f"**Time: too noisy to measure{where}.** Something else computed on this machine.")
        else:
            reason = now.text if now is not None and now.state == "failed" else run.result.untimed
            st.markdown(f"**No time yet:** {errors.plain(reason)}")
        if visitor.owns(run.path):
            st.button(
                "Measure again" if noisy else "Measure the time",
                icon=":material/timer:",
                key="measure_times",
                on_click=_start,
                args=(run.path,),
                help="Dense and pruned in turn, some seconds, once the machine is quiet.",
            )


def _has_come(run: Run) -> bool:
    """Whether there are other times by now than when the run was read."""
    from pruning.runs import read_run

    with suppress(errors.PruningError):
        now = read_run(run.path).result
        return now is not None and run.result is not None and now.clock != run.result.clock
    return False


def _start(path: Path) -> None:
    from pruning.runs.times import start_times

    try:
        start_times(path, visitor.current())
    except errors.PruningError as error:
        st.toast(errors.plain(str(error)), icon=":material/error:")


def _follow(path: Path) -> None:
    """Called again and again by a timer until the times are there."""
    from pruning.runs.times import times_job

    job = times_job(path)
    now = jobs.follow(job).status()
    if now is None or not now.is_working:
        st.rerun()
    said = errors.plain(now.text[:1].lower() + now.text[1:])
    jobs.bar(
        now,
        jobs.cancel_of(job),
        key="cancel_times",
        text=f"Times follow when the machine is quiet: {said}",
    )
