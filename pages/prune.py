"""Prune: how much of each layer goes, what that costs and saves at once, and a run that does it for real."""

from __future__ import annotations

import streamlit as st

from pages.shared import badges, cuts, errors, header, inspector, preview, run_form, run_panel, sliders, tiles

run_panel.restore()
chosen = header.show("Prune")
opened = chosen.opened
sliders.follow(opened)
row, panel = st.empty(), st.container()
with errors.shown():
    cut = cuts.current(opened)
    known = preview.arithmetic(opened, cut)
run = run_panel.shown_run()
result = run_panel.result_for(run, opened, chosen.data_name, cut)
dense, accuracy = preview.dense_so_far(opened, chosen.data_name), None


def draw() -> None:
    """The big numbers, with what is known so far."""
    tiles.show(
        row,
        preview.tiles(
            known.savings,
            cut.granularity,
            dense=dense,
            accuracy=accuracy,
            tuned=preview.tuned_number(result),
            time=inspector.time_so_far(opened, cut, result),
            missing=None if chosen.has_images else "the images are not on this machine",
        ),
    )


draw()
with panel:
    run_panel.show(run, opened)
left, right = st.columns([2.35, 1], gap="medium")
with left:
    sliders.controls(opened)
    rows = cuts.targets(opened, cut.granularity)
    sliders.board(opened, rows, known, preview.scores(opened, cut.granularity, cut.criterion, cut.seed))
with right:
    inspector.show(opened, sliders.chosen_target(rows), known, cut)
duration = run_form.show(chosen, cut)
st.html(badges.legend())
if chosen.has_images:  # last, for it takes longest: everything above is on screen by now
    with errors.shown():
        data = chosen.data()
        dense, accuracy = preview.dense(opened, data), preview.measured(opened, data, cut)
        draw()
        run_form.say_duration(duration, opened, data, run_form.recipe(chosen, cut))
