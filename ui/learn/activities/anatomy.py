"""What is in a layer: its weights by value, the norms of its filters, the first layer's kernels as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent
from pruning.render import layers
from ui.kit import charts

if TYPE_CHECKING:
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once two layers have been looked at."""
    subject = stage.subject()
    from pruning.render.figures import network as plots  # they import torch: only after the title is on screen
    from pruning.statistics import distributions  # they import torch: only after the title is on screen

    names = layers.layer_names(subject)
    pick, within, by = st.columns([1, 1.2, 0.7], vertical_alignment="bottom")
    asked = stage.value("layer")
    layer = names[0] if asked is None else asked
    layers.check_layer(subject, layer)
    if asked is None:
        stage.put("layer", layer)
    if stage.value("layer") == layer:  # else there is no control for it, and the first layer is shown
        stage.control("layer", pick.selectbox, stage.say("layer"), names)
    near = stage.control("near", within.slider, stage.say("near"), 0, 30, format="%d %%")
    norm = stage.control("norm", by.segmented_control, stage.say("norm"), ["l2", "l1"], format_func=str.upper,
                         required=True)  # fmt: skip
    weight, unit = layers.weight(subject, layer), stage.say(layers.unit_word(subject, layer))
    stats = distributions.weight_stats(weight)
    edge = stats.largest * near / 100
    small = int((weight.abs() < edge).sum())
    shape = " × ".join(map(str, weight.shape))
    st.markdown(stage.say("shape", shape=shape, weights=f"{stats.weights:,}"))
    left, right = st.columns(2)
    histogram = plots.weight_histogram(distributions.weight_histogram(weight), charts.dark(), cut=edge)
    histogram.update_xaxes(title_text=stage.say("axis_value")).update_yaxes(title_text=stage.say("axis_weights"))
    found = stage.say("from_to", count="%{y:,}", low="%{customdata[0]:.2g}", high="%{customdata[1]:.2g}")
    histogram.update_traces(hovertemplate=f"{found}<extra></extra>")
    norms = plots.unit_bars(distributions.unit_norms(weight, norm), charts.dark(), unit=unit)
    norms.update_xaxes(title_text=stage.say("axis_units", unit=unit))
    norms.update_yaxes(title_text=stage.say("axis_norm", norm=norm.upper()))
    charts.show(
        left,
        histogram,
        key="learn_weights",
        caption=stage.say(
            "weights", near=near, small=f"{small:,}", share=percent(small / stats.weights), zeros=f"{stats.zeros:,}"
        ),
    )
    charts.show(
        right,
        norms,
        key="learn_norms",
        caption=stage.say(f"norm_{norm}", unit=unit),
    )
    if layers.shows_pictures(subject, layer):
        kernels = plots.kernel_grid(distributions.kernel_pictures(weight).numpy(), charts.dark(), columns=10)
        charts.show(
            st,
            kernels.update_layout(height=90),
            key="learn_kernels",
            caption=stage.say("kernels"),
        )
    stage.tell(near_share=percent(small / stats.weights))
    seen = stage.memory.setdefault("seen", [])
    if layer not in seen:
        seen.append(layer)
    if len(seen) > 1 or not stage.is_free("layer"):
        every = [distributions.weight_stats(layers.weight(subject, name)) for name in names]
        stage.acted(
            layer=layer,
            layers=len(names),
            weights=stats.weights,
            near=small,
            zeros=stats.zeros,
            all_weights=sum(one.weights for one in every),
            all_zeros=sum(one.zeros for one in every),
        )
