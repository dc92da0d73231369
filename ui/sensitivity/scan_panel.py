"""How a scan is asked for: settings, the next step, and progress while a process measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import duration
from pruning.criteria import CRITERIA
from pruning.granularity import GRANULARITIES
from pruning.render.markup import multiples
from ui.kit import curves, errors, jobs, state, visitor
from ui.kit.view import Setting, one_of
from ui.sensitivity import scan_results
from ui.session import cuts

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.jobs.status import Status
    from pruning.sensitivity import Sensitivity
    from pruning.subject import Subject

IMAGES = "sensitivity_images"
ALL = 0
"""Stands for all images: a widget takes None for nothing chosen."""
REPAIRED = "sensitivity_repaired"
"""Whether a scan that is asked for measures repaired figures as well."""
_ASKED = "sensitivity_asked"
_SCAN, _MORE = "scan", "repaired"
"""What is asked for: the scan as the settings say, or repaired figures of one that is done."""
state.DEFAULTS.update({IMAGES: 2000, REPAIRED: False})


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 50


def _is_percent(value: object) -> bool:
    return type(value) is int and 1 <= value <= 100


VIEW = {
    "images": one_of(IMAGES, tuple(count or ALL for count in curves.CHOICES)),
    "lose": Setting(key=scan_results.LOSE, allowed=_is_limit),
    "share": Setting(key=scan_results.SHARE, allowed=_is_percent),
    "goal": Setting(key=scan_results.GOAL, allowed=_is_limit),
    "figure": one_of(scan_results.FIGURE, ("repaired", "recalibrated", "as_cut")),
    "order": one_of(scan_results.SORT, tuple(multiples.SORTS)),
}
"""What a link to the page carries."""


def say_missing(chosen: Subject) -> None:
    """Why nothing can be measured, and what can be done without."""
    st.info(
        f"Nothing can be measured: {chosen.missing}. What is removed, and what that saves, can be seen without.",
        icon=":material/image_not_supported:",
    )
    st.page_link(
        "pages/prune.py", label="**Prune** this network, to see what that saves", icon=":material/content_cut:"
    )


def settings(chosen: Subject) -> DeltaGenerator:
    """What is measured: what goes, by which criterion, on how many images. Returns the place for the next step."""
    what, by, images, action = st.columns([1.3, 1.3, 1.6, 2.8])
    what.segmented_control(
        "Remove",
        list(GRANULARITIES),
        format_func=lambda name: GRANULARITIES[name].title,
        required=True,
        **state.bound(cuts.GRANULARITY),
    )
    by.selectbox(
        "by",
        [name for name, entry in CRITERIA.items() if not cuts.unfit(chosen, state.get(cuts.GRANULARITY), entry)],
        format_func=lambda name: CRITERIA[name].full_title,
        **state.bound(cuts.CRITERION),
    )
    have = chosen.info.sizes["select"]
    counts = [count for count in curves.CHOICES if count is not None and count < have]
    counts.append(curves.CHOICES[len(counts)] or ALL)  # the first that takes in all there are
    if state.get(IMAGES) not in counts:
        state.put(IMAGES, counts[-1])
    images.segmented_control(
        "measured on select images",
        counts,
        format_func=lambda count: f"all {have:,}" if count == counts[-1] else f"{count:,}",
        required=True,
        help="More images make the bands narrower and take longer.",
        **state.bound(IMAGES),
    )
    return action.container(horizontal_alignment="right", gap="small")


def wanted(subject: Subject) -> Sensitivity:
    """The scan that the settings name, without what is measured of it."""
    images = None if state.get(IMAGES) == ALL else state.get(IMAGES)
    return curves.outline(subject, cuts.ranking(), images)


def is_working(scan: Sensitivity) -> bool:
    """Whether a process is measuring it."""
    now = _status(scan)
    return now is not None and now.is_working


def _status(scan: Sensitivity) -> Status | None:
    from pruning.sensitivity.cache import job_of

    return jobs.follow(job_of(scan)).status()


def next_step(
    place: DeltaGenerator, more: DeltaGenerator | None, said: DeltaGenerator, chosen: Subject, scan: Sensitivity
) -> None:
    """Measuring, or going on with it; in `more` repaired figures where the others are there, and in `said` why the last
    scan ended."""
    last = _status(scan)
    repairs = scan.wanted > 0 and not scan.has_repaired and curves.repairs(chosen)
    asked = st.session_state.pop(_ASKED, None)
    repaired = repairs and bool(asked == _MORE or state.get(REPAIRED))
    if asked is not None:
        from pruning.sensitivity.start import start

        with said, errors.shown(stop=False):
            if not scan.complete or (repaired and not scan.has_repaired):  # another one may have asked first
                start(
                    chosen,
                    scan,
                    lose=state.get(scan_results.LOSE),
                    repaired=repaired,
                    visitor=visitor.current(),
                    expected=curves.seconds_left(chosen, scan, repaired=repaired),
                )
                st.rerun()
    if not scan.complete and scan.wanted:
        seconds = duration(curves.seconds_left(chosen, scan, repaired=repaired))
        words = "Measure sensitivity" if not scan.measured else "Measure the rest"
        place.html('<div style="height:1.05rem"></div>')  # level with the settings, below their labels
        place.button(
            f"{words} · about {seconds} ○",
            type="primary",
            icon=":material/show_chart:",
            key="measure",
            on_click=_ask,
            args=(_SCAN,),
        )
        count = f"{scan.wanted - scan.measured:,}" + (f" of {scan.wanted:,}" if scan.measured else "")
        if repairs:
            place.toggle(
                f"and repaired: {duration(curves.repair_seconds_left(chosen, scan))} more ○",
                help="Each cut is also repaired without training or labels: a refit a point.",
                **state.bound(REPAIRED),
            )
        place.caption(f"{count} measurements, beside the app: you can leave this page", width="content")
    elif repairs and not scan.has_repaired and more is not None:
        words = "Measure repaired as well" if not scan.repaired else "Measure the rest repaired"
        more.button(
            f"{words} · about {duration(curves.seconds_left(chosen, scan, repaired=True))} ○",
            key="measure_repaired",
            icon=":material/healing:",
            on_click=_ask,
            args=(_MORE,),
            help="Each cut is repaired without training or labels: a refit a point. You can leave this page meanwhile.",
        )
    if last is not None and last.state == "failed":
        said.error(f"The last attempt ended early. {errors.plain(last.text)}", icon=":material/error:")


def live(subject: Subject, scan: Sensitivity) -> None:
    """How far the scan is; called again and again by a timer until it has ended."""
    from pruning.sensitivity.cache import job_of

    now = _status(scan)
    if now is None or not now.is_working:
        st.rerun()
    scan = curves.found(scan)
    text = ""
    if scan.measured and not scan.complete:
        left = duration(curves.seconds_left(subject, scan, started=True))
        text = f"{scan.measured:,} of {scan.wanted:,} points, about {left} left ○"
    share = scan.measured / max(1, scan.wanted)
    if scan.complete and not scan.repaired:
        share = 0  # what else is measured begins
    elif scan.complete and scan.repaired < scan.wanted:
        left = duration(curves.seconds_left(subject, scan, repaired=True, started=True))
        text = f"{scan.repaired:,} of {scan.wanted:,} points repaired, about {left} left ○"
        share = scan.repaired / scan.wanted
    jobs.bar(now, jobs.cancel_of(job_of(scan)), key="cancel_scan", share=share, text=text)
    scan_results.charts(scan, live=True)


def _ask(what: str) -> None:
    st.session_state[_ASKED] = what
