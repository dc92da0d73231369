"""Trade-off: every run as a point, what it cost and what it saved; the folders are the truth."""

from __future__ import annotations

import streamlit as st

from pruning.render.markup import badges
from ui.kit import errors
from ui.runs import run_label, run_list, unreadable
from ui.session import header

chosen = header.show("Trade-off", run_list.VIEW)
with errors.shown():
    runs = run_list.choose(chosen)
if not runs.there:
    run_label.offer_undo()
    st.markdown("No run yet. Pruned networks appear here, with what you gained and lost.")
    if st.button("Go to Prune", type="primary", icon=":material/content_cut:", key="to_prune"):
        st.switch_page("pages/prune.py")
    unreadable.show(runs.unreadable)
    st.stop()
left, right = st.columns([1.7, 1], gap="medium")
with left:
    run_list.plot(runs)
with right, errors.shown(stop=False):
    run_list.details(runs)
run_list.table(runs)
st.html(badges.legend())
