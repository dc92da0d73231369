"""Look inside a network: where its weight sits, and what each layer's weights look like."""

from __future__ import annotations

import streamlit as st

from pruning.base.words import amount, percent
from pruning.render import layers
from pruning.render.markup import badges
from pruning.spec import PruneSpec
from ui.explore import view
from ui.kit import charts, errors, lab, state
from ui.session import header

subject = header.show("Look inside", view.VIEW)

from pruning.cost.counts import layer_costs  # noqa: E402
from pruning.graph.stages import stages  # noqa: E402
from pruning.render.figures import network as plots  # noqa: E402  they import torch: only after the title is on screen
from pruning.statistics import distributions  # noqa: E402  they import torch: only after the title is on screen

names = layers.layer_names(subject)
if state.get(state.EXPLORE_LAYER) not in names:
    state.put(state.EXPLORE_LAYER, names[0])


def clicked() -> None:
    """A click on a bar chooses its layer; Streamlit also calls this when a redrawn figure drops its selection."""
    points = st.session_state["network_strip"]["selection"]["points"]
    if points:
        state.put(state.EXPLORE_LAYER, points[0]["x"])


parts = stages(names)
zoom = None
if len(parts) > 1:
    stage, pick, share, totals = st.columns([1, 1.3, 1.2, 1.7], vertical_alignment="bottom")
    zoom = view.choose_stage(stage, parts)
else:
    pick, share, totals = st.columns([1.3, 1.2, 2.2], vertical_alignment="bottom")
layer = pick.selectbox("Layer (or click a bar)", zoom.members if zoom else names, **state.bound(state.EXPLORE_LAYER))
shown = share.segmented_control(
    "Colour shows the share of all",
    ["parameters", "macs"],
    format_func={"parameters": "parameters", "macs": "MACs"}.__getitem__,
    required=True,
    **state.bound(state.EXPLORE_SHARE),
)
costs, dense = layer_costs(subject.graph), lab.costs(subject, PruneSpec())
totals.markdown(f"**{amount(dense.params)}** parameters ●, **{amount(dense.macs)}** MACs ●.")
charts.show(
    st,
    plots.network_strip(costs, charts.dark(), share_of=shown, selected=layer, zoom=zoom),
    key="network_strip",
    on_select=clicked,
    selection_mode="points",
    alt="One bar a layer: height is its channels, colour its share",
    caption=f"A bar's height: its channels; the stronger its colour, the larger its share. "
    f"{layers.largest_words(subject, shown)}",
)

st.markdown(f"**{errors.plain(layer)}** · {layers.tied_words(subject, layer)}")

weight, unit = layers.weight(subject, layer), layers.unit_word(subject, layer)
pictures = layers.shows_pictures(subject, layer)
columns = st.columns([1, 1, 0.75] if pictures else 2, gap="medium")
with errors.shown():
    with columns[0]:
        axis = st.segmented_control(
            "Weights",
            ["linear", "log"],
            format_func={"linear": "Weights by value", "log": "by magnitude"}.__getitem__,
            required=True,
            label_visibility="collapsed",
            **state.bound(state.EXPLORE_AXIS),
        )
        build = distributions.weight_histogram if axis == "linear" else distributions.magnitude_histogram
        stats = distributions.weight_stats(weight)
        charts.show(
            st,
            plots.weight_histogram(build(weight), charts.dark()),
            key="weight_histogram",
            caption=f"{stats.weights:,} weights. {percent(stats.share_near_zero)} are near zero (below 1 % of the "
            f"layer's largest magnitude), {stats.zeros:,} exactly zero ●. Weight pruning takes the smallest first.",
        )
    with columns[1]:
        norm = st.segmented_control(
            "Norm",
            ["l2", "l1"],
            format_func={"l2": f"{unit.capitalize()}s by L2 norm", "l1": "by L1 norm"}.__getitem__,
            required=True,
            label_visibility="collapsed",
            **state.bound(state.EXPLORE_NORM),
        )
        charts.show(
            st,
            plots.unit_bars(distributions.unit_norms(weight, norm), charts.dark(), unit=unit),
            key="unit_norms",
            caption=f"One bar a {unit}: how large its weights are together ●. "
            "Channel pruning removes from the left; tied layers are ranked together.",
        )
    if pictures:
        columns[2].markdown("Filters as pictures")
        charts.show(
            columns[2],
            plots.kernel_grid(
                distributions.kernel_pictures(weight).numpy(), charts.dark(), columns=4 if len(weight) <= 32 else 8
            ),
            key="kernels",
            caption="What each filter looks for in the image: white adds, black subtracts, grey ignores.",
        )
with st.expander("All layers as a table", icon=":material/table:"):
    per_cent = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)
    st.dataframe(
        view.table(subject),
        hide_index=True,
        column_config={
            "layer": st.column_config.TextColumn(pinned=True),
            "parameters": st.column_config.NumberColumn(format="localized"),
            "MACs": st.column_config.NumberColumn(format="localized"),
            "of all": per_cent,
            "of all MACs": per_cent,
            "near zero": st.column_config.NumberColumn(format="%.1f %%"),
        },
    )
    st.caption("Near zero: below 1 % of the layer's largest magnitude. MACs: multiply-accumulates for one image. "
               "Layers of one channel group lose the same channels.")  # fmt: skip
with st.expander("Where this network comes from", icon=":material/history_edu:"):
    st.markdown(view.provenance_words(subject))
view.next_step(subject)
st.html(badges.legend())
