"""Compare: two networks before and after, for anyone."""

from __future__ import annotations

import streamlit as st

from pruning.render.markup import badges
from ui.compare import first_run, pair, parts, present, verdict_panel
from ui.compare.parts import VIEW
from ui.kit import errors, route
from ui.runs import unreadable
from ui.session import banners, changed, own, share

route.through_app()
with st.container(key="compare_head"):
    title, before, after, show, corner = st.columns([1.05, 2.3, 2.3, 0.9, 0.85], vertical_alignment="bottom")
title.title("Compare", anchor=False)
share.take_up(VIEW)
own.keep()
with errors.shown(), st.spinner("Reading the runs"):
    runs, damaged = pair.finished()
if not runs:
    with errors.shown(stop=False):
        first_run.show()
    unreadable.show(damaged)
    st.stop()
refused = pair.take_up(runs)
if present.is_on():
    with errors.shown():
        present.show(pair.chosen(runs))
    st.stop()
pair.boxes(before, after, runs)
show.button("Present", icon=":material/slideshow:", key="compare_present", width="stretch", on_click=present.start,
            help="For an audience: no controls, large letters, one thing at a time.")  # fmt: skip
share.show_view(corner, VIEW, "These two networks, and what is open on this page.")
if refused is not None:
    st.error(errors.plain(refused), icon=":material/error:")
changed.show(*pair.folders(runs))
with errors.shown(), st.spinner("Opening both networks"):
    chosen = pair.chosen(runs)
    banners.untrained(chosen.before.subject)
    verdict_panel.show(chosen)
with errors.shown():
    parts.show(chosen)
unreadable.show(damaged)
st.html(badges.legend())
