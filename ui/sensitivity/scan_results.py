"""What a scan has found: the charts, all groups cut to their limits at once, and every number in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import multiples, tiles
from pruning.render.markup.joint_tiles import joint_tiles
from ui.kit import charts as figures
from ui.kit import curves, errors, lab, state
from ui.session import cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamlit.delta_generator import DeltaGenerator

    from pruning.graph.stages import Stage
    from pruning.planning.plan import Plan
    from pruning.sensitivity import FigureName, Sensitivity
    from pruning.subject import Subject

FIGURE = "sensitivity_figure"
LOSE = "sensitivity_lose"
"""What of the metric one group may lose, as it is shown: points of accuracy."""
SORT = "sensitivity_sort"
CLOSE_UP = "sensitivity_close"
_USED = "sensitivity_used"
_TOGETHER = "sensitivity_together"
STAGE = "sensitivity_stage"
state.DEFAULTS.update({FIGURE: "recalibrated", LOSE: 1.0, SORT: "network", CLOSE_UP: False, STAGE: ""})


def joint_cut(place: DeltaGenerator, subject: Subject, scan: Sensitivity) -> None:
    """All groups cut to their limits at once: what is saved, predicted and measured accuracy, and the gap."""
    if not scan.complete or not scan.measured:
        return
    from pruning.render.preview import savings
    from pruning.sensitivity import kept_of, limits_plan, together

    ranked = lab.statistics(subject, scan.spec)
    plan = limits_plan(subject.model, subject.graph, scan, figure(scan), limit_of(scan), ranked)
    joint = next((joint for joint in scan.joints if joint.kept == kept_of(plan)), None)
    place.html('<div style="height:1.05rem"></div>')
    place.button(
        "Prune with these limits",
        type="primary",
        key="use_limits",
        icon=":material/content_cut:",
        disabled=plan.removes_nothing,
        on_click=_use,
        args=(subject, plan),
        help="Sets every row of the Prune page to the largest sparsity within its limit.",
    )
    if st.session_state.pop(_USED, False):
        st.switch_page("pages/prune.py")
    found = joint_tiles(scan, plan, savings(subject, plan), joint, figure(scan), limit_of(scan))
    st.html(tiles.html(found))
    st.caption(together.how_estimated(scan.metric))
    if plan.removes_nothing:
        st.info(
            f"Within this limit nothing may go: each step that was measured loses more than "
            f"{scan.metric.asked(limit_of(scan))}. Raise the limit below: it is what each group may lose before any "
            "fine-tuning.",
            icon=":material/vertical_align_bottom:",
        )
        return
    if joint is not None:
        return
    st.button("Measure them together", key="measure_together", icon=":material/science:", on_click=_ask)
    if st.session_state.pop(_TOGETHER, False):
        with errors.shown(stop=False), st.spinner("Measuring the joint cut"):
            curves.measure_together(subject, scan, plan)
            st.rerun()


def charts(scan: Sensitivity) -> None:
    """How the charts are looked at, and the charts."""
    from pruning.render.figures.style import palette

    if scan.measured:
        _look(scan)
    parts = multiples.parts_of(scan)
    if len(parts) > 1:
        _choose_part(parts)
    view = multiples.CurveView(
        figure=figure(scan),
        lose=limit_of(scan),
        sort=state.get(SORT),
        close_up=state.get(CLOSE_UP),
        stage=state.get(STAGE) if len(parts) > 1 else "",
    )
    st.html(multiples.html(scan, view, palette(figures.dark())))
    if scan.dense is not None:
        st.caption(multiples.caption(scan, figure(scan)))


def table(scan: Sensitivity) -> None:
    """All numbers, to be read out or copied."""
    import pandas as pd

    from pruning.sensitivity import FIGURES
    from pruning.sensitivity.table import scan_rows

    if scan.measured:
        with st.expander("All numbers as a table", icon=":material/table:"):
            st.dataframe(pd.DataFrame(scan_rows(scan, figure(scan))), hide_index=True)
            st.caption(f"{scan.metric.axis.capitalize()}, {FIGURES[figure(scan)]} ●; change against the uncut network.")


def figure(scan: Sensitivity) -> FigureName:
    """The figure that is shown: recalibrated only where there is something to recalibrate."""
    return "recalibrated" if scan.has_recalibrated and state.get(FIGURE) == "recalibrated" else "as_cut"


def limit_of(scan: Sensitivity) -> float:
    """What of the metric one group may lose, as the metric counts it: 0.01 for a point of accuracy."""
    return float(state.get(LOSE)) / scan.metric.scale


def _ask() -> None:
    """Note what the button asks for: done when the page is drawn, wherever that begins anew."""
    st.session_state[_TOGETHER] = True


def _look(scan: Sensitivity) -> None:
    from pruning.sensitivity import FIGURES

    which, limit, sort, close = st.columns([1.6, 1.7, 1.6, 1.5], vertical_alignment="top")
    if scan.has_recalibrated:
        which.segmented_control(
            scan.metric.title.capitalize(),
            ["recalibrated", "as_cut"],
            format_func=FIGURES.__getitem__,
            required=True,
            help="Recalibrated: batch norm statistics are measured anew after the cut, without any training.",
            **state.bound(FIGURE),
        )
    else:
        which.caption(f"{scan.metric.title.capitalize()} as cut: without batch norm there is nothing to recalibrate")
    limit.number_input(
        f"Limit: each may lose, {scan.metric.unit_of_change}".rstrip(", "),
        0.1,
        50.0,
        step=0.5,
        format="%.1f",
        help="The dashed line in every chart: where its curve begins, minus this.",
        **state.bound(LOSE),
    )
    sort.selectbox("Order", list(multiples.SORTS), format_func=multiples.SORTS.__getitem__, **state.bound(SORT))
    close.html('<div style="height:1.6rem"></div>')
    close.toggle("Close-up of the limit", **state.bound(CLOSE_UP))


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


def _use(subject: Subject, plan: Plan) -> None:
    """Set the rows of the Prune page. In a callback: that page then starts with them."""
    removed = plan.shares
    cuts.set_rows(subject, {row.name: removed[row.target.key] for row in cuts.free_rows(subject)})
    st.session_state[_USED] = True
