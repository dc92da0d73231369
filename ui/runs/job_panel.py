"""A run as a panel: progress and a live curve while it works; verdict, accuracies, ledger and downloads afterwards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import result as markup
from ui.kit import charts, downloads, errors, jobs, ledger_panel, visitor
from ui.runs import bundle_panel, engines_panel, report_panel, times_panel

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.jobs.status import Status
    from pruning.runs import Run

PANELS: dict[str, Callable[[Run, str], None]] = {"bundle": bundle_panel.offer, "report": report_panel.offer}
"""Where formats that take long are made, by their names."""
CURVE = "Loss, and the metric on select images, over the steps of fine-tuning"


RUNNING, NEXT, FAR = 1.0, 2.0, 5.0
"""Seconds between two looks at a run that is carried out, that is next, and whose turn is far off."""
FAR_SECONDS = 20.0
"""Until a turn that is far off: of thirty who wait, most wait for a while."""


def every(now: Status) -> float:
    """Seconds between two looks at a run that stands so."""
    if now.state == "running":
        return RUNNING
    return FAR if now.place is not None and now.place.seconds > FAR_SECONDS else NEXT


def live(path: Path, dense: float | None, timer: float) -> None:
    """Where a run stands; called again and again by a timer, of so many seconds, until the run has ended."""
    from pruning.render.figures import runs as plots_runs
    from pruning.runs import read_run, request_cancel
    from pruning.runs.progress import progress

    try:
        run = read_run(path)
        now, events = run.status(), run.events()
    except errors.PruningError:  # deleted or damaged meanwhile: the page says so
        st.rerun()
    if not now.is_working or every(now) < timer:
        st.rerun()  # the page sets another timer, or none
    share, text = progress(now.state, events)
    text = errors.plain(now.text) if now.state == "queued" else text
    stop = partial(request_cancel, path, visitor.current()) if visitor.owns(path) else None
    jobs.bar(now, stop, key="cancel_run", share=share, text=text)
    if events.training or events.stages:
        charts.show(
            st,
            plots_runs.run_curve(events.training, events.stages, charts.dark(), dense=dense),
            key="live_curve",
            alt=CURVE,
        )


def verdict(place: DeltaGenerator, run: Run) -> None:
    """A finished run in one line."""
    assert run.result is not None
    place.markdown(f"## {errors.plain(markup.verdict(run.result))}")


def ended(place: DeltaGenerator, run: Run) -> None:
    """A run that was cancelled or failed, and why; and the button to go on with it."""
    message = errors.plain(run.message or "")
    place.markdown(message if run.state == "cancelled" else f"**The run failed.** {message}")
    step = run.kept_step() if visitor.owns(run.path) else None
    if step is not None and st.button(
        "Continue", icon=":material/play_arrow:", key="go_on", help=f"It goes on after step {step:,} of fine-tuning."
    ):
        from pruning.runs.start import start_run

        with errors.shown(stop=False):
            start_run(run.path, visitor.current())
            st.rerun()


def finished(run: Run, continue_run: Callable[[Run, int], None]) -> None:
    """What can be done with a finished run; and, folded so that the board stays in sight, all that it has to show."""
    from pruning.render.figures import runs as plots_runs

    assert run.result is not None
    if run.brought:
        from pruning.runs.words import BROUGHT

        st.caption(BROUGHT)
    buttons(run, continue_run)
    times_panel.show(run)
    with st.expander("Figures, training, and the ledger: dense and pruned side by side", icon=":material/balance:"):
        numbers, curve = st.columns([1.1, 1.4], gap="medium", vertical_alignment="center")
        with numbers:
            cut = run.result.stages.as_cut
            if cut is not None:
                st.caption(f"{cut.kind.title.capitalize()} on {cut.images:,} select images")
                st.html(markup.stages_html(run.result))
            else:
                st.caption(f"No {run.result.metric_title} on select images: the run had none to measure on.")
        with curve, errors.shown(stop=False):
            events = run.events()
            if events.training:
                charts.show(
                    st,
                    plots_runs.run_curve(events.training, events.stages, charts.dark(), dense=None),
                    key="run_curve",
                    alt=CURVE,
                )
        st.caption("On test images")
        ledger_panel.finished(run.result)
    engines_panel.show(run)


def buttons(run: Run, continue_run: Callable[[Run, int], None]) -> None:
    """What can be done with a finished run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Fine-tune longer", icon=":material/healing:", key="longer", help="3 more epochs, as a new run."):
            with errors.shown(stop=False):
                continue_run(run, 3)
        files(run)
        st.page_link("pages/tradeoff.py", label="Trade-off", icon=":material/scatter_plot:")
        st.page_link("pages/compare.py", label="Compare", icon=":material/compare:", query_params={"b": run.name})


def files(run: Run, key: str = "") -> None:
    """All files that a run offers, made when asked for."""
    from pruning.export.record import Source
    from pruning.export.table import offered

    source = Source.of(run)
    downloads.offer(source, key=key)
    for export in offered(source):
        if export.takes_long:
            PANELS[export.name](run, key)
