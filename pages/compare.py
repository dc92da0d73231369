"""Compare: two networks before and after, for people who know no pruning."""

from __future__ import annotations

import importlib

import streamlit as st

from ui.compare import making, pair, present, top
from ui.compare.view import PART, PARTS, VIEW
from ui.kit import badges, errors, route, state
from ui.runs import unreadable
from ui.session import share

route.through_app()
title, before, after, show, corner = st.columns([1.2, 2, 2, 0.9, 0.85], vertical_alignment="bottom")
title.title("Compare", anchor=False)
share.take_up(VIEW)
with errors.shown(), st.spinner("Reading the runs"):
    runs, damaged = pair.finished()
if not runs:
    with errors.shown(stop=False):
        making.show()
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
with errors.shown(), st.spinner("Opening both networks"):
    chosen = pair.chosen(runs)
    top.show(chosen)
part = st.segmented_control(
    "Show", list(PARTS), format_func=PARTS.__getitem__, required=True, label_visibility="collapsed",
    **state.bound(PART),
)  # fmt: skip
with errors.shown():
    importlib.import_module(f"ui.compare.{part}").show(chosen)
unreadable.show(damaged)
st.html(badges.legend())
