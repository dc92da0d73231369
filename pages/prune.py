"""Prune: how much of each layer goes, what that costs and saves at once, and a run that does it for real."""

from __future__ import annotations

import streamlit as st

from ui.kit import badges, errors, ledger_panel
from ui.prune import board, clock, live, run_form, run_panel
from ui.prune.board import data
from ui.session import cuts, header, share, shown_run

shown_run.restore()
chosen, corner = header.show_early("Prune")
opened = chosen.opened
said = board.take()
board.follow(chosen, said)
cut = cuts.current(opened)
share.show(corner, chosen, {})
if board.asks(said, "time"):
    clock.measure(chosen, cut)
if board.asks(said, "widths"):
    with errors.shown(stop=False):
        clock.start_widths(opened)
with st.container():  # always there: what comes after it keeps its place
    run = shown_run.shown()
    run_panel.show(run, opened)
result = run_panel.result_for(run, opened, chosen.data_name, cut)
with st.container(key="board_area", gap=None):
    st.html(f"<style>{board.PLACE}</style>")
    with st.container(key="board_accuracy"):
        accuracy = st.empty()
    live.begin(accuracy)
    with errors.shown():
        board.show(opened, data.prepare(chosen, cut, result))
together = st.empty()
with st.container():
    clock.follow_widths(opened)
ledger_panel.panel(opened, cut, clock.timing(chosen, cut), clock.widths(opened).steps, chosen.images_for(cut))
duration = run_form.show(chosen, cut)
st.html(badges.legend())
with errors.shown():  # last, for it takes longest: everything above is on screen by now
    live.show(accuracy, chosen, cut, result, board.heard())
    live.say_together(together, chosen, cut)
    if chosen.has_images:
        run_form.say_duration(duration, opened, chosen.data(), run_form.recipe(chosen, cut))
