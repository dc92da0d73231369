"""All runs of the runs folder: as points of a figure, as a table, and one of them in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.render.markup import result as markup
from pruning.runs.axes import AXES
from ui.kit import charts, downloads, errors, ledger_panel, state, visitor
from ui.kit.view import one_of
from ui.runs import job_panel, unreadable
from ui.session import changed, shown_run

if TYPE_CHECKING:
    from pruning.runs import Run, Unreadable
    from pruning.subject import Subject

CHOSEN = "tradeoff_run"
AXIS = "tradeoff_axis"
MODELS = "tradeoff_models"
COLOUR = "tradeoff_colour"
state.DEFAULTS.update({CHOSEN: None, AXIS: "params", MODELS: "this network", COLOUR: "granularity"})


VIEW = {
    "against": one_of(AXIS, tuple(AXES)),
    "runs": one_of(MODELS, ("this network", "all networks")),
    "colour": one_of(COLOUR, ("granularity", "criterion")),
}
"""What a link to the page carries."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The runs there are, those that the filter leaves, and the folders that cannot be read."""

    all: Sequence[Run]
    shown: Sequence[Run]
    unreadable: Sequence[Unreadable]

    @property
    def done(self) -> list[Run]:
        return [run for run in self.shown if run.result is not None]


def choose(chosen: Subject) -> Runs:
    """Read the run folders, and draw the filter and the choice of axis.

    Raises StorageError where the folder of runs cannot be read.
    """
    found = visitor.listing()
    runs = found.runs
    if not runs:
        return Runs(all=(), shown=(), unreadable=found.unreadable)
    which, axis, colour = st.columns([1.3, 2.2, 1.3], vertical_alignment="bottom")
    which.segmented_control(
        "Runs of", ["this network", "all networks"], required=True, **state.bound(MODELS),
        help="This network: runs that began from the network and the images chosen above.",
    )  # fmt: skip
    axis.segmented_control(
        f"{chosen.task.metric.title.capitalize()} against",
        list(AXES),
        format_func=lambda name: AXES[name].title,
        required=True,
        **state.bound(AXIS),
    )
    colour.segmented_control("Colour tells", ["granularity", "criterion"], required=True, **state.bound(COLOUR))
    if state.get(MODELS) == "all networks":
        return Runs(all=runs, shown=runs, unreadable=found.unreadable)
    mine = (chosen.network.origin, chosen.data_name)
    shown = [run for run in runs if (run.origin, run.recipe.data) == mine]
    return Runs(all=runs, shown=shown, unreadable=found.unreadable)


def plot(runs: Runs) -> None:
    """The metric on test images against the chosen cost; a click chooses a run."""
    from pruning.render.figures import runs as plots_runs
    from pruning.render.figures.tradeoff_points import how_to_read, measured_alike, points_of, several_fields

    if not runs.done:
        st.info("No finished run of this network yet: prune it, or look at all networks.", icon=":material/info:")
        st.page_link("pages/prune.py", label="**Prune** this network", icon=":material/content_cut:")
        return
    axis = AXES[state.get(AXIS)]
    alike = measured_alike(runs.done)
    points = points_of(alike, axis, state.get(COLOUR))
    several = several_fields(points)
    figure = plots_runs.tradeoff(points, charts.dark(), x_title=axis.words, log=several, several=several)
    key = f"tradeoff_{state.get(AXIS)}_{state.get(COLOUR)}_{state.get(MODELS)}"
    caption = how_to_read(points, left_out=len(runs.done) - len(alike))

    def picked() -> None:
        """Copy the selection: the figure forgets it when it changes."""
        found = st.session_state[key]["selection"]["points"]
        if found and found[0]["customdata"][0]:
            state.put(CHOSEN, found[0]["customdata"][0])

    charts.show(st, figure, key=key, caption=caption, on_select=picked, selection_mode="points")


def details(runs: Runs) -> None:
    """The chosen run beside the figure, the newest at first: verdict, what each layer kept, files."""
    from pruning.render.figures import runs as plots_runs
    from pruning.runs.words import describe

    run = next((run for run in runs.shown if run.name == state.get(CHOSEN)), None) or next(iter(runs.done), None)
    with st.container(border=True, key="details", gap="small"):
        if run is None:
            st.markdown("**Click a point or a row** to see its recipe and what each layer kept.")
            return
        st.markdown(f"## {errors.plain(describe(run))}")
        st.caption(f"{errors.plain(run.name)} · {run.created:%d %b %Y, %H\\:%M} UTC")
        changed.show(run.path)
        if run.result is None:
            st.markdown(f"**{run.state.capitalize()}.** {errors.plain(run.message or '')}")
        else:
            st.markdown(f"**{errors.plain(markup.verdict(run.result))}**")
            charts.show(
                st, plots_runs.kept_bars(run.result.layers, charts.dark()), key="kept_bars",
                caption="What each layer kept (blue) and lost (orange); the tick stands where it was asked to end.",
            )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            if st.button("Open in Prune", key="open_run", icon=":material/open_in_new:"):
                shown_run.open_run(run)
                st.switch_page("pages/prune.py")
            if run.result is not None and st.button("Compare", key="compare_run", icon=":material/compare:"):
                st.switch_page("pages/compare.py", query_params={"b": run.name})
            job_panel.files(run, key="details_")
            deletable = run.state != "running" and visitor.owns_alone(run.path)
            if deletable and st.button("Delete", key="delete_run", icon=":material/delete:"):
                _confirm_delete(run)
    if run.result is not None:
        with st.expander("Ledger"):
            ledger_panel.choose_device()
            ledger_panel.finished(run.result)
    with st.expander("Recipe"):
        st.code(errors.seen(run.recipe.to_yaml()), language="yaml")


def table(runs: Runs) -> None:
    """Every run, also those that are going, cancelled or failed; a click on a row chooses it. Below them the folders
    that cannot be read."""
    from pruning.export.record import Source
    from pruning.export.runs_table import run_rows

    rows = run_rows(runs.shown)
    title, place = st.columns([4, 1], vertical_alignment="bottom")
    title.markdown(f"## {len(rows)} run{'' if len(rows) == 1 else 's'}")
    downloads.offer(Source(runs=runs.shown), place, width="stretch")
    if rows:
        _draw_table(rows, runs)
    unreadable.show(runs.unreadable)


def _draw_table(rows: list[dict[str, Any]], runs: Runs) -> None:
    import pandas as pd

    from pruning.export.runs_table import shown_columns

    for row in rows:
        row["reason"] = errors.seen(str(row["reason"])) if row.get("reason") else row.get("reason")

    def picked() -> None:
        chosen = st.session_state["runs_table"]["selection"]["rows"]
        if chosen:
            state.put(CHOSEN, runs.shown[chosen[0]].name)

    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="runs_table",
        on_select=picked,
        selection_mode="single-row",
        column_order=shown_columns(rows),
        column_config={
            "accuracy_percent": number("accuracy, test", format="%.1f %%", help="On test images: ● or ◆ as in 'how'."),
            "difference_points": number("points", format="%+.1f", help="Against dense, on the same images."),
            "difference_interval": "95 %",
            "value": number(
                "value, test", format="%.4g", help="Of the metric named beside it, on test images, in its own unit."
            ),
            "difference": number("change", format="%.4g", help="Against dense, on the same images."),
            "params_ratio": number("params ÷", format="%.2f"),
            "nonzero_ratio": number("non-zero ÷", format="%.2f"),
            "macs_ratio": number("MACs ÷", format="%.2f"),
            "speedup": number("speed-up", format="%.2f×", help="Batch 1, measured against dense in turn."),
            "speedup_interval": "95 % ",
            "created": st.column_config.DatetimeColumn("created", format="D MMM, HH:mm"),
            "reason": st.column_config.TextColumn("reason", width="medium"),
        },
    )


@st.dialog("Delete this run?")
def _confirm_delete(run: Run) -> None:
    from pruning.runs import delete_run
    from pruning.runs.words import describe

    st.markdown(f"{errors.plain(describe(run))}: its recipe, results and model go for good.")
    if st.button("Delete it", type="primary", key="delete_for_good"):
        with errors.shown(stop=False):
            visitor.check_owns_alone(run.path)
            delete_run(run.path)
            state.put(CHOSEN, None)
            st.rerun()
