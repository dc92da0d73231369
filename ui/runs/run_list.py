"""Runs of the runs folder: as points of a figure, as a table, and one of them in detail. Lists come from the index; a
run's folder is read when it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import result as markup
from pruning.runs.axes import AXES
from ui.kit import charts, downloads, errors, ledger_panel, run_index, state, visitor
from ui.kit.view import one_of
from ui.runs import job_panel, run_label, unreadable
from ui.runs.run_label import CHOSEN
from ui.session import changed, shown_run

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from pruning.render.figures.tradeoff import TradeoffPoint
    from pruning.runs import Run, Unreadable
    from pruning.runs.index.index import Found
    from pruning.runs.index.query import Query
    from pruning.runs.summary import Summary
    from pruning.subject import Subject

AXIS = "tradeoff_axis"
MODELS = "tradeoff_models"
COLOUR = "tradeoff_colour"
TEXT = "tradeoff_text"
TAGS = "tradeoff_tags"
state.DEFAULTS.update({AXIS: "params", MODELS: "this network", COLOUR: "granularity", TEXT: "", TAGS: ()})
MOST = 1000
"""Runs that are drawn and listed, the newest of those that the filter leaves."""


VIEW = {
    "against": one_of(AXIS, tuple(AXES)),
    "runs": one_of(MODELS, ("this network", "all networks")),
    "colour": one_of(COLOUR, ("granularity", "criterion")),
}
"""What a link to the page carries."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What the filter leaves of the runs, and the folders that cannot be read."""

    there: bool
    """Whether there are runs at all, whatever the filter leaves."""
    query: Query
    shown: Found
    """In any state, `MOST` at most."""
    done: Found
    """Finished ones, `MOST` at most."""
    unreadable: Sequence[Unreadable]


def choose(chosen: Subject) -> Runs:
    """Ask the index, and draw the filter and the choice of axis.

    Raises StorageError where the folder of runs cannot be read.
    """
    from pruning.runs.index.query import Query

    index = run_index.looked()
    query = run_index.own(Query(limit=MOST))
    there = index.find(replace(query, limit=1)).total > 0
    damaged = run_index.unreadable()
    run_index.say_pending()
    if not there:
        nothing = index.find(replace(query, limit=0))
        return Runs(there=False, query=query, shown=nothing, done=nothing, unreadable=damaged)
    which, axis, colour, find = st.columns([1.3, 2.2, 1.3, 1.2], vertical_alignment="bottom")
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
    find.text_input("Find", placeholder="name, tag, criterion …", max_chars=100, **state.bound(TEXT))
    tags = index.tags(visitor.current())
    wanted = tuple(tag for tag in state.get(TAGS) if tag in tags)
    if tags:
        state.put(TAGS, wanted)
        st.pills("Tags", tags, selection_mode="multi", label_visibility="collapsed", **state.bound(TAGS))
    query = replace(query, text=state.get(TEXT), tags=tuple(state.get(TAGS)) if tags else ())
    if state.get(MODELS) == "this network":
        query = replace(query, origin=chosen.network.origin, data=chosen.data_name)
    shown, done = index.find(query), index.find(replace(query, finished=True))
    return Runs(there=True, query=query, shown=shown, done=done, unreadable=damaged)


def plot(runs: Runs) -> None:
    """The metric on select images against the chosen cost, with a ring round the chosen run; a click chooses one."""
    from pruning.render.figures import tradeoff as plots
    from pruning.render.figures.tradeoff_points import how_to_read, measured_alike, points_of, several_fields

    done = runs.done.runs
    if not done and (runs.query.text or runs.query.tags):
        st.info("No finished run fits what you look for: find something else, or clear it.", icon=":material/info:")
        return
    if not done:
        st.info("No finished run of this network yet: prune it, or look at all networks.", icon=":material/info:")
        st.page_link("pages/prune.py", label="**Prune** this network", icon=":material/content_cut:")
        return
    axis, colour, dark = AXES[state.get(AXIS)], state.get(COLOUR), charts.dark()
    key = f"tradeoff_{state.get(AXIS)}_{colour}_{state.get(MODELS)}"

    def drawn() -> tuple[go.Figure, list[TradeoffPoint], str]:
        alike = measured_alike(done)
        points = points_of(alike, axis, colour)
        several = several_fields(points)
        left_out, older = len(done) - len(alike), runs.done.total - len(done)
        figure = plots.tradeoff(points, dark, x_title=axis.words, log=several, several=several)
        return figure, points, how_to_read(points, left_out=left_out, older=older)

    figure, points, caption = runs.done.derived((axis.title, colour, dark), drawn)
    chosen = _chosen(runs)
    figure = plots.with_ring(figure, points, None if chosen is None else chosen.name, dark)

    def picked() -> None:
        """Copy the selection: the figure forgets it when it changes."""
        found = st.session_state[key]["selection"]["points"]
        if found and found[0]["customdata"][0]:
            state.put(CHOSEN, found[0]["customdata"][0])

    charts.show(st, figure, key=key, caption=caption, on_select=picked, selection_mode="points")


def details(runs: Runs) -> None:
    """The chosen run beside the figure, the newest at first: verdict, what each layer kept, files. Raises StorageError
    where its folder cannot be read any more."""
    from pruning.render.figures import runs as plots_runs
    from pruning.runs import read_run
    from pruning.runs.words import describe

    chosen = _chosen(runs)
    with st.container(border=True, key="details", gap="small"):
        run_label.offer_undo()
        if chosen is None:
            st.markdown("**Click a point or a row** to see its recipe and what each layer kept.")
            return
        run = read_run(chosen.path)
        st.markdown(f"## {errors.plain(chosen.label.title or describe(run))}")
        called = f"{errors.plain(describe(run))} · " if chosen.label.title else ""
        st.caption(f"{called}{errors.plain(run.name)} · {run.created:%d %b %Y, %H\\:%M} UTC")
        run_label.show(chosen.label)
        changed.show(run.path)
        if run.result is None:
            st.markdown(f"**{run.state.capitalize()}.** {errors.plain(run.message or '')}")
        else:
            st.markdown(f"**{errors.plain(markup.verdict(run.result))}**")
            if run.result.stages.as_cut is not None:
                st.caption(markup.select_caption(run.result))
                st.html(markup.stages_html(run.result))
            if run.result.pruned.test is not None:
                st.caption(markup.test_caption(run.result))
                st.html(markup.test_html(run.result))
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
            run_label.offer(run, chosen.label)
            if run.state not in ("queued", "running"):
                st.button(
                    "Delete", key="delete_run", icon=":material/delete:", on_click=run_label.delete, args=(run.path,),
                    help="It can be brought back for some days.",
                )  # fmt: skip
    _more(run)


def _more(run: Run) -> None:
    if run.result is not None:
        with st.expander("Ledger"):
            ledger_panel.choose_device()
            ledger_panel.finished(run.result)
    with st.expander("Recipe"):
        from pruning.runs.repair_words import ASKED

        st.caption(f"Repair: {ASKED[run.recipe.repair]}.")
        st.code(errors.seen(run.recipe.to_yaml()), language="yaml")


def _chosen(runs: Runs) -> Summary | None:
    """The run that was clicked, where the filter leaves it; else the newest finished one."""
    name = state.get(CHOSEN)
    return next((run for run in runs.shown.runs if run.name == name), None) or next(iter(runs.done.runs), None)


def table(runs: Runs) -> None:
    """Runs, also those that are going, cancelled or failed; a click on a row chooses one. Below them the folders that
    cannot be read."""
    from pruning.export.record import Source

    total = runs.shown.total
    title, place = st.columns([4, 1], vertical_alignment="bottom")
    title.markdown(f"## {total:,} run{'' if total == 1 else 's'}")
    downloads.offer(Source(runs=lambda: _all(runs.query)), place, width="stretch")
    if total:
        _draw_table(runs.shown.derived("table", lambda: _frame(runs.shown.runs)), runs)
    if total > MOST:
        st.caption(f"The newest {MOST:,} are listed; find others by words or tags. The CSV holds all {total:,}.")
    unreadable.show(runs.unreadable)


def _frame(runs: Sequence[Summary]) -> pd.DataFrame:
    """The rows of the table."""
    import pandas as pd

    from pruning.render.run_table import table_rows

    return pd.DataFrame([row | {"state": errors.seen(str(row["state"]))} for row in table_rows(runs)])


def _all(query: Query) -> Sequence[Summary]:
    from pruning.runs.index.index import index_of

    return index_of().find(replace(query, limit=None)).runs


def _draw_table(frame: pd.DataFrame, runs: Runs) -> None:
    from pruning.render.run_table import select_title, shown_columns

    def picked() -> None:
        chosen = st.session_state["runs_table"]["selection"]["rows"]
        if chosen:
            state.put(CHOSEN, runs.shown.runs[chosen[0]].name)

    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    found = runs.shown.runs
    st.dataframe(
        frame,
        hide_index=True,
        key="runs_table",
        on_select=picked,
        selection_mode="single-row",
        column_order=shown_columns(found),
        placeholder="–",
        column_config={
            "label": text("Name", width=95, help="As you have called it."),
            "what": text("What was done", width=250),
            "network": text("Network", width=110),
            "select": text(
                select_title(found), width=165,
                help="◆ after fine-tuning, ● before, with the 95 % interval. A chosen run shows its test images, too.",
            ),
            "params": number("Parameters", format="÷ %.2f", width=85, help="Dense over pruned."),
            "nonzero": number("Non-zero", format="÷ %.2f", width=70, help="Parameters that are not zero."),
            "macs": number("MACs", format="÷ %.2f", width=60, help="Dense over pruned."),
            "speed": text("Speed, one image", width=155, help="Against dense, timed in turn, with the 95 % interval."),
            "state": text("State", width=60),
            "tags": text("Tags", width=75),
            "created": st.column_config.DatetimeColumn("Made", format="D MMM, HH:mm", width=95),
        },
    )  # fmt: skip
