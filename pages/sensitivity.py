"""Sensitivity: how much of each layer may go alone before accuracy falls, and what that says of all at once."""

from __future__ import annotations

import streamlit as st

from pruning.granularity import GRANULARITIES
from pruning.render.markup import badges
from ui.kit import curves, errors
from ui.sensitivity import joint_cut, scan_panel, scan_results
from ui.session import header

subject = header.show("Sensitivity", scan_panel.VIEW, stops=True)
if subject.missing is not None:
    scan_panel.say_missing(subject)
    st.stop()
st.caption(
    "Each chart cuts one group of layers alone and leaves the rest whole: what falls early needs its channels, "
    "what stays high can be cut far."
)
place = scan_panel.settings(subject)
with errors.shown():
    scan = scan_panel.wanted(subject)
if not any(curve.locked is None for curve in scan.curves):
    others = " or ".join(info.title for info in GRANULARITIES.values() if info.name != scan.spec.granularity)
    st.info(f"Nothing of this network can be pruned this way: switch to **{others}**.", icon=":material/lock:")
working = scan_panel.is_working(scan)
scan = curves.found(scan)  # afterwards: what comes after that look is seen by the next
if working:
    # A timer only while there is something to wait for; it ends with a rerun of the whole page.
    st.fragment(scan_panel.live, run_every=1.0)(subject, scan)
else:
    said = st.container()
    joint_cut.show(place, subject, scan)
    more = scan_results.charts(scan)
    scan_results.table(scan)
    scan_panel.next_step(place, more, said, subject, scan)  # last: how long a scan takes is timed first
st.html(badges.legend())
