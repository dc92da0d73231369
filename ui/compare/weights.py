"""A layer's weights and filter norms as cut and after fine-tuning, overlaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render import layers
from ui.kit import charts, errors, state

if TYPE_CHECKING:
    from pruning.compare.sides import Pair
    from pruning.subject import Subject

WHOSE = "compare_whose"
state.DEFAULTS[WHOSE] = "after"


def show(pair: Pair, dense: Subject, layer: str) -> None:
    """Weights and norms as cut and after fine-tuning, overlaid."""
    from pruning.compare.weights import filter_norms, layer_change, listed, moved_words, overlaid
    from pruning.render.figures import inside as plots_inside

    sides = {"before": pair.before, "after": pair.after}
    runs = {name: side for name, side in sides.items() if side.kind == "run"}
    if not runs:
        return
    title = st.empty()
    if len(runs) == 2:
        st.segmented_control("Network", list(runs), format_func=lambda name: f"{name}: {runs[name].label}",
                             required=True, label_visibility="collapsed", **state.bound(WHOSE))  # fmt: skip
    side = runs[state.get(WHOSE) if len(runs) == 2 else next(iter(runs))]
    what = "How fine-tuning changed the weights of" if side.tuned else "What is left of the weights of"
    title.markdown(f"### {what} {errors.plain(layer)}")
    with errors.shown():
        change = layer_change(dense, side.subject, layer)
    names = ("as cut", "after fine-tuning" if side.tuned else "now")
    unit = layers.unit_word(dense, layer)
    left, right = st.columns(2, gap="medium")
    held = int(change.held.sum())
    continues = side.run is not None and side.run.recipe.continues
    charts.show(
        left,
        plots_inside.weights_overlay(*overlaid(change), charts.dark(), names=names),
        key="compare_weights",
        caption=f"The {change.stays:,} weights that are left ●: grey as the original network had them, blue now. "
        + moved_words(change, continues=continues)
        + (f" {held:,} that were pruned one by one are zero and not drawn." if held else ""),
        alt="Histograms of a layer's weights as cut and after fine-tuning",
    )
    removed = len(change.dense) - len(change.channels)
    charts.show(
        right,
        plots_inside.norms_overlay(filter_norms(change), charts.dark(), names=names, unit=unit),
        key="compare_norms",
        caption=f"The L2 norm of each {unit} over the inputs that are left ●: bar as cut, dot now."
        + (f" Orange: the {removed} that were removed, as they were." if removed else "")
        + (f" All weights of {listed(change.empty)} are zero." if change.empty else ""),
        alt=f"Norm of each {unit} as cut and after fine-tuning",
    )
