"""Prune: how much of each layer goes, what that costs and saves at once, and a run that does it for real."""

from __future__ import annotations

import streamlit as st

from pruning.render.markup import badges
from ui.kit import errors, ledger_panel
from ui.prune import board, clock, live, run_form, run_panel
from ui.prune.board import data
from ui.session import cuts, header, share, shown_run

shown_run.restore()
subject, corner = header.show_early("Prune", cuts.VIEW, stops=True)
said = board.take()
board.follow(subject, said)
cuts.settle_locks(subject)
cut = cuts.current(subject)
share.show(corner, subject, cuts.VIEW)
if board.asks(said, "time"):
    clock.measure(subject, cut)
if board.asks(said, "widths"):
    with errors.shown(stop=False):
        clock.start_widths(subject)
with st.container():  # always there: what comes after it keeps its place
    run = shown_run.shown()
    run_panel.show(run, subject)
result = run_panel.result_for(run, subject, cut)
with st.container(key="board_area", gap=None):
    st.html(f"<style>{board.PLACE}</style>")
    with st.container(key="board_accuracy"):
        accuracy, request = st.empty(), st.empty()
    live.begin(accuracy)
    with errors.shown():
        board.show(subject, data.prepare(subject, cut, result))
together = st.empty()
with st.container():
    clock.follow(subject, cut)
widths = clock.widths(subject)
ledger_panel.panel(subject, cut, clock.timing(subject, cut), widths.steps, widths.place.where)
duration = run_form.show(subject, cut)
st.html(badges.legend())
with errors.shown():  # last, for it takes longest: everything above is on screen by now
    to_come = live.show(accuracy, subject, cut, result, board.heard())
    live.say_together(together, subject, cut)
    if subject.missing is None:
        run_form.say_duration(duration, subject, run_form.recipe(subject, cut))
    live.show_repaired(accuracy, request, subject, cut, to_come)
