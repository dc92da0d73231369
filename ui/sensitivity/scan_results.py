"""What a scan has found: the charts, all groups cut to their limits at once, and every number in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount, ratio
from pruning.render.markup import multiples, tiles
from ui.kit import charts as figures
from ui.kit import curves, errors, lab, state
from ui.session import cuts

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.planning.plan import Plan
    from pruning.sensitivity import FigureName, Joint, Sensitivity
    from pruning.subject import Subject

FIGURE = "sensitivity_figure"
LOSE = "sensitivity_lose"
"""What of the metric one group may lose, as it is shown: points of accuracy."""
SORT = "sensitivity_sort"
CLOSE_UP = "sensitivity_close"
_USED = "sensitivity_used"
_TOGETHER = "sensitivity_together"
state.DEFAULTS.update({FIGURE: "recalibrated", LOSE: 1.0, SORT: "network", CLOSE_UP: False})


def together(place: DeltaGenerator, subject: Subject, scan: Sensitivity) -> None:
    """All groups cut to their limits at once: what is saved, predicted and measured accuracy, and the gap."""
    if not scan.complete or not scan.measured:
        return
    from pruning.sensitivity import kept_of, limits_plan

    ranked = lab.statistics(subject, scan.spec)
    plan = limits_plan(subject.model, subject.graph, scan, figure(scan), state.get(LOSE) / scan.metric.scale, ranked)
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
    st.html(tiles.html(_tiles(subject, scan, plan, joint)))
    sides = ("above", "below") if scan.metric.higher_is_better else ("below", "above")
    st.caption(
        f"Estimated as if each group did its harm independently of the others (what is left of {scan.metric.title} "
        f"{sides[0]} chance multiplies). A gap {sides[1]} 0: together they hurt more than alone, so give each a "
        "stricter limit."
    )
    if joint is not None or plan.removes_nothing:
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
    view = multiples.CurveView(
        figure=figure(scan),
        lose=state.get(LOSE) / scan.metric.scale,
        sort=state.get(SORT),
        close_up=state.get(CLOSE_UP),
    )
    st.html(multiples.html(scan, view, palette(figures.dark())))
    if scan.dense is not None:
        st.caption(multiples.caption(scan, figure(scan)))


def table(scan: Sensitivity) -> None:
    """All numbers, to be read out or copied."""
    from pruning.sensitivity import FIGURES
    from pruning.sensitivity.table import scan_table

    if scan.measured:
        with st.expander("All numbers as a table", icon=":material/table:"):
            st.dataframe(scan_table(scan, figure(scan)), hide_index=True)
            st.caption(f"{scan.metric.axis.capitalize()}, {FIGURES[figure(scan)]} ●; change against the uncut network.")


def figure(scan: Sensitivity) -> FigureName:
    """The figure that is shown: recalibrated only where there is something to recalibrate."""
    return "recalibrated" if scan.has_recalibrated and state.get(FIGURE) == "recalibrated" else "as_cut"


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


def _use(subject: Subject, plan: Plan) -> None:
    """Set the rows of the Prune page. In a callback: that page then starts with them."""
    removed = plan.shares
    cuts.set_rows(subject, {row.name: removed[row.target.key] for row in cuts.free_rows(subject)})
    st.session_state[_USED] = True


def _tiles(subject: Subject, scan: Sensitivity, plan: Plan, joint: Joint | None) -> list[tiles.Tile]:
    from pruning.base.errors import InputError
    from pruning.render.preview import savings
    from pruning.sensitivity import FIGURES, interaction_gap, predict_joint

    name, metric = figure(scan), scan.metric
    lose = metric.asked(state.get(LOSE) / metric.scale)
    costs = savings(subject, plan)
    try:
        prediction = predict_joint(scan, plan.shares, name)
    except InputError as error:
        estimate = gap = tiles.Number("–", None, str(error), dim=True)
    else:
        ends = metric.span((prediction.low, prediction.high))
        estimate = tiles.Number(metric.words(prediction.value), "estimated", f"from single curves · {ends}")
        gap = tiles.Number("–", None, "not measured yet", dim=True)
        if joint is not None:
            found = interaction_gap(prediction, joint.figure(name))
            gap = tiles.Number(
                f"{metric.signed(found.gap)} {metric.unit_of_change}".rstrip(),
                "estimated",
                f"measured minus estimated · {metric.signed(found.low)} to {metric.signed(found.high)}",
            )
    measured = tiles.Number("–", None, "not measured yet", dim=True)
    if joint is not None:
        seen = joint.figure(name)
        measured = tiles.Number(metric.words(seen.value), "measured", f"measured · {metric.span(seen.interval)}")
    size = ("Non-zero parameters", costs.dense_nonzero, costs.nonzero)
    if scan.spec.info.shrinks:
        size = ("Parameters", costs.dense_params, costs.params)
    macs = tiles.Number("unchanged", "measured", "zeros are still multiplied")
    if scan.spec.info.shrinks:
        macs = tiles.Number(
            ratio(costs.dense_macs, costs.macs), "measured", f"{amount(costs.macs)} of {amount(costs.dense_macs)}"
        )
    return [
        tiles.Tile(
            title=f"All cut at once, each to its limit of {lose}: {metric.title} {FIGURES[name]}",
            numbers=(estimate, measured),
            width=2.2,
        ),
        tiles.Tile(title="Interaction gap", numbers=(gap,), width=1.4),
        tiles.Tile(
            title=size[0],
            numbers=(tiles.Number(ratio(size[1], size[2]), "measured", f"{amount(size[2])} of {amount(size[1])}"),),
        ),
        tiles.Tile(title="MACs of one image", numbers=(macs,)),
    ]
