"""What a scan has found: the charts, how they are looked at, and every number in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import multiples
from ui.kit import charts as figures
from ui.kit import state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamlit.delta_generator import DeltaGenerator

    from pruning.graph.stages import Stage
    from pruning.sensitivity import FigureName, Limits, Sensitivity

FIGURE = "sensitivity_figure"
LOSE = "sensitivity_lose"
"""What of the metric one group may lose, as it is shown: points of accuracy."""
SORT = "sensitivity_sort"
CLOSE_UP = "sensitivity_close"
STAGE = "sensitivity_stage"
SHARE = "sensitivity_share"
"""How much is taken of what the limit lets go, in per cent; less where a search for limits said so."""
GOAL = "sensitivity_goal"
"""What of the metric all groups may lose together, where the limit was tightened to that; else the limit is meant."""
state.DEFAULTS.update(
    {FIGURE: "repaired", LOSE: 1.0, SHARE: 100, GOAL: 0.0, SORT: "network", CLOSE_UP: False, STAGE: ""}
)


def charts(scan: Sensitivity, *, live: bool = False) -> DeltaGenerator | None:
    """How the charts are looked at, and the charts. Returns the place for further figures, where there are figures.
    `live`: a timer draws them again and again."""
    from pruning.render.figures.style import palette

    more = _look(scan, live=live) if scan.measured else None
    parts = multiples.parts_of(scan)
    if len(parts) > 1:
        _choose_part(parts)
    limits = limits_of(scan)
    view = multiples.CurveView(
        figure=limits.figure,
        lose=limits.lose,
        share=limits.share,
        sort=state.get(SORT),
        close_up=state.get(CLOSE_UP),
        stage=state.get(STAGE) if len(parts) > 1 else "",
    )
    st.html(multiples.html(scan, view, palette(figures.dark())))
    if scan.dense is not None:
        st.caption(multiples.caption(scan, limits.figure, limits.share))
    return more


def table(scan: Sensitivity) -> None:
    """All numbers, to be read out or copied."""
    import pandas as pd

    from pruning.sensitivity import FIGURES
    from pruning.sensitivity.table import scan_rows

    if scan.measured:
        with st.expander("All numbers as a table", icon=":material/table:"):
            st.dataframe(pd.DataFrame(scan_rows(scan, figure(scan))), hide_index=True)
            st.caption(f"{scan.metric.axis.capitalize()}, {FIGURES[figure(scan)]} ●; change against the dense network.")


def figure(scan: Sensitivity) -> FigureName:
    """The figure that is shown: the one that was chosen, or the furthest before it that was measured."""
    return scan.furthest(state.get(FIGURE))


def limits_of(scan: Sensitivity) -> Limits:
    """How far each group is cut. What it may lose as the metric counts it: 0.01 for a point of accuracy."""
    from pruning.sensitivity import Limits

    return Limits(figure=figure(scan), lose=float(state.get(LOSE)) / scan.metric.scale, share=state.get(SHARE) / 100)


def set_limits(scan: Sensitivity, limits: Limits, goal: float) -> None:
    """Show what a search for limits found. `goal`: what all groups may lose together."""
    state.put(FIGURE, limits.figure)
    state.put(LOSE, round(scan.metric.scale * limits.lose, scan.metric.digits + 2))
    state.put(SHARE, round(100 * limits.share))
    state.put(GOAL, round(scan.metric.scale * goal, scan.metric.digits + 2))


def goal_of(scan: Sensitivity) -> float:
    """What of it all groups may lose together: the limit that is set, or that it was tightened from."""
    return float(max(state.get(LOSE), state.get(GOAL))) / scan.metric.scale


def _look(scan: Sensitivity, *, live: bool) -> DeltaGenerator:
    from pruning.sensitivity import FIGURES

    which, limit, sort, close = st.columns([1.6, 1.7, 1.6, 1.5], vertical_alignment="top")
    if len(scan.figures) > 1:
        key = f"{FIGURE}_of_{len(scan.figures)}"  # what was chosen stays chosen where it is not offered yet
        st.session_state[key] = figure(scan)
        which.segmented_control(
            scan.metric.title.capitalize(),
            list(reversed(scan.figures)),
            format_func=FIGURES.__getitem__,
            required=True,
            help="Recalibrated: batch norm statistics are measured anew after the cut. Repaired: the weights that are "
            "left are fitted to give what the dense network gives. Neither takes training or labels.",
            key=key,
            on_change=_choose_figure,
            args=(key,),
        )
    else:
        which.caption(f"{scan.metric.title.capitalize()} as cut: without batch norm there is nothing to recalibrate")
    tied = state.bound if live else state.bound_anew  # a timer must not take away what is being typed
    lose = tied(LOSE)
    limit.number_input(
        f"Limit: each may lose, {scan.metric.unit_of_change}".rstrip(", "),
        0.0,
        50.0,
        step=0.5,
        format="%g",
        help="The dashed line in every chart: where its curve begins, minus this.",
        key=lose["key"],
        on_change=_set_limit,
        args=(lose["on_change"], LOSE),
    )
    if state.get(SHARE) < 100:
        limit.number_input("Taken of what that lets go, %", 1, 100, step=1, **tied(SHARE))
    sort.selectbox("Order", list(multiples.SORTS), format_func=multiples.SORTS.__getitem__, **tied(SORT))
    close.html('<div style="height:1.6rem"></div>')
    close.toggle("Close-up of the limit", **tied(CLOSE_UP))
    return which.empty()


def _choose_figure(key: str) -> None:
    if st.session_state[key] is not None:  # a page cut short may draw the widget empty
        state.put(FIGURE, st.session_state[key])
        state.put(SHARE, 100)  # it was a share of what other curves let go


def _set_limit(keep: Callable[[str], None], key: str) -> None:
    """Whoever sets a limit means it for all of them together as well."""
    keep(key)
    state.put(GOAL, 0.0)
    state.put(SHARE, 100)


def _choose_part(parts: Sequence[Stage]) -> None:
    """Let one stage of a deep network be shown alone; other orders than the network's show all."""
    titles = {part.title: len(part.members) for part in parts}
    if state.get(STAGE) not in titles:
        state.put(STAGE, "")
    place, _ = st.columns([1, 3])
    place.selectbox(
        "Part of the network",
        ["", *titles],
        format_func=lambda title: f"{title} ({titles[title]})" if title else f"all ({sum(titles.values())})",
        disabled=state.get(SORT) != "network",
        **state.bound(STAGE),
    )
