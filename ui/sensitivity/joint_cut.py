"""All groups cut to their limits at once: what that saves and costs, and the one thing to do next.

The limits are handed to Prune as they are only where the tiles do not say that they cost too much together: then the
next step is to tighten them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import tiles
from pruning.render.markup.joint_tiles import joint_tiles
from ui.kit import curves, errors, lab
from ui.sensitivity.scan_results import goal_of, limits_of, set_limits
from ui.session import cuts

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.planning.plan import Plan
    from pruning.sensitivity import Joint, Sensitivity, Tightened
    from pruning.subject import Subject

_USED = "sensitivity_used"
_TOGETHER = "sensitivity_together"
_TIGHTEN = "sensitivity_tighten"


def show(place: DeltaGenerator, subject: Subject, scan: Sensitivity) -> None:
    """The tiles of the joint cut, what they say in a sentence, and in `place` the buttons."""
    if not scan.complete or not scan.measured:
        return
    from pruning.render.preview import savings
    from pruning.sensitivity import kept_of, limits_plan, together

    limits, goal = limits_of(scan), goal_of(scan)
    plan = limits_plan(subject.model, subject.graph, scan, limits, lab.statistics(subject, scan.spec))
    joint = next((joint for joint in scan.joints if joint.kept == kept_of(plan)), None)
    place.html('<div style="height:1.05rem"></div>')
    failed = _next_step(place, subject, scan, plan, joint)
    if st.session_state.pop(_USED, False):
        st.switch_page("pages/prune.py")
    st.html(tiles.html(joint_tiles(scan, plan, savings(subject, plan), joint, limits)))
    if plan.removes_nothing:
        st.info(
            f"Within this limit nothing may go: each step that was measured loses more than "
            f"{scan.metric.asked(limits.lose)}. Raise the limit below: it is what each group may lose before any "
            "fine-tuning.",
            icon=":material/vertical_align_bottom:",
        )
    elif joint is not None:
        _say(scan, joint, failed)
    st.caption(together.how_estimated(scan.metric))
    work = st.empty()  # always there, so that what follows keeps its place
    if st.session_state.pop(_TOGETHER, False):
        with work.container(), errors.shown(stop=False), st.spinner("Measuring the joint cut"):
            curves.measure_together(subject, scan, plan)
            st.rerun()
    if st.session_state.pop(_TIGHTEN, False):
        with work.container():
            _tighten(subject, scan, goal)


def _next_step(
    place: DeltaGenerator, subject: Subject, scan: Sensitivity, plan: Plan, joint: Joint | None
) -> Tightened | None:
    """The buttons, one of them the next step. Returns the search for a tighter limit where it is over in vain."""
    from pruning.sensitivity import is_within, tighten
    from pruning.sensitivity.tighten import MOST

    goal = goal_of(scan)
    search = None if joint is None or is_within(joint, goal) else tighten(scan, limits_of(scan).figure, goal)
    failed = search if search is not None and search.failed else None
    if joint is None and not plan.removes_nothing:
        place.button(
            "Measure them together",
            type="primary",
            key="measure_together",
            icon=":material/science:",
            on_click=_ask,
            args=(_TOGETHER,),
            help="How good the network is with all groups cut to their limits at once.",
        )
    if search is not None and failed is None:
        place.button(
            f"Tighten until together they lose at most {scan.metric.asked(goal)}",
            type="primary",
            key="tighten",
            icon=":material/compress:",
            on_click=_ask,
            args=(_TIGHTEN,),
            help="Searches for the limit, or the share of what it lets go, with which most goes and the measured joint "
            f"cut is within: at most {MOST} measurements.",
        )
    place.button(
        f"Prune with these limits{_leads_to(scan, plan, joint)}",
        type="primary" if search is None and (joint is not None or plan.removes_nothing) else "secondary",
        key="use_limits",
        icon=":material/content_cut:",
        disabled=plan.removes_nothing,
        on_click=_use,
        args=(subject, plan),
        help="Sets every row of the Prune page to the largest sparsity within its limit.",
    )
    if joint is not None and not joint.is_complete:
        place.button(
            "Measure them repaired", key="measure_together", icon=":material/healing:", on_click=_ask, args=(_TOGETHER,)
        )
    return failed


def _leads_to(scan: Sensitivity, plan: Plan, joint: Joint | None) -> str:
    """Where the limits lead: measured, else as the curves have it."""
    from pruning.base.errors import InputError
    from pruning.sensitivity import predict_joint

    if joint is not None:
        return f" · {scan.metric.words(joint.figure(joint.furthest).value)} ●"
    if not plan.removes_nothing:
        with suppress(InputError):
            return f" · {scan.metric.words(predict_joint(scan, plan.shares, limits_of(scan).figure).value)} ○"
    return ""


def _say(scan: Sensitivity, joint: Joint, failed: Tightened | None) -> None:
    """What the measured joint cut comes to."""
    from pruning.sensitivity import is_within
    from pruning.sensitivity.words import tightened_words, verdict_words

    goal = goal_of(scan)
    if failed is not None:
        st.warning(tightened_words(scan, failed), icon=":material/compress:")
    elif is_within(joint, goal):
        st.success(verdict_words(scan, joint, limits_of(scan), goal), icon=":material/check:")
    else:
        st.warning(verdict_words(scan, joint, limits_of(scan), goal), icon=":material/compress:")


def _tighten(subject: Subject, scan: Sensitivity, goal: float) -> None:
    """Search, showing how far it is; then set the page's limits to what was found."""
    from pruning.sensitivity import FIGURES
    from pruning.sensitivity.tighten import MOST
    from pruning.sensitivity.words import limits_words

    bar, stop = st.columns([6, 1], vertical_alignment="center")
    place = bar.empty()
    stop.button("Stop", key="stop_tighten", width="stretch")  # whatever is pressed ends this run of the page

    def progress(search: Tightened) -> None:
        if search.next is not None:
            done = len(search.tried)
            place.progress(
                done / MOST,
                f"Measuring all of them with {limits_words(scan, search.next)}, {FIGURES[search.next.figure]}: "
                f"measurement {done + 1} of at most {MOST}",
            )

    with errors.shown(stop=False):
        search = curves.tighten(subject, scan, limits_of(scan).figure, goal, progress)
        if search.found is not None:
            set_limits(scan, search.found.limits, goal)
        st.rerun()


def _ask(what: str) -> None:
    """Note what a button asks for: done when the page is drawn, wherever that begins anew."""
    st.session_state[what] = True


def _use(subject: Subject, plan: Plan) -> None:
    """Set the rows of the Prune page. In a callback: that page then starts with them."""
    removed = plan.shares
    cuts.set_rows(subject, {row.name: removed[row.target.key] for row in cuts.free_rows(subject)})
    st.session_state[_USED] = True
