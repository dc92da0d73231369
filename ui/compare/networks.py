"""Both networks drawn to scale, and a table layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.compare import svg_panel
from ui.kit import downloads

if TYPE_CHECKING:
    from pruning.compare.networks import LayerPair
    from pruning.compare.sides import Pair


def show(pair: Pair) -> None:
    """The drawing, its key in words, and the table with a CSV file."""
    import pandas as pd

    from pruning.compare.networks import drawing_words
    from pruning.export.layers_table import layer_rows
    from pruning.export.record import Source
    from pruning.render.markup.drawing import STYLE

    pairs = layers(pair)
    svg_panel.show(
        f'<div class="cmp-scroll" tabindex="0" role="region" aria-label="Both networks">{picture(pair)}</div>',
        css=STYLE,
        key="compare_drawing",
    )
    st.caption(drawing_words(pair, pairs))
    frame = pd.DataFrame(layer_rows(pairs))
    title, place = st.columns([4, 1], vertical_alignment="bottom")
    title.markdown("### Layer by layer")
    downloads.offer(Source(networks=lambda: (pair.before.subject, pair.after.subject)), place, width="stretch")
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        key="compare_layers",
        column_config={
            "channels before": number(format="localized"),
            "channels after": number(format="localized"),
            "non-zero before": number(format="localized", help="Weights and biases that are not zero."),
            "non-zero after": number(format="localized"),
            "MACs before": number(format="localized", help="Multiply-accumulates for one image."),
            "MACs after": number(format="localized"),
            "weights left": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, help="Share of the non-zero weights that is left."
            ),
            "share of MACs": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, help="Of all that the network computes afterwards."
            ),
        },
    )
    st.caption("Counts, exact ●. A layer's weights shrink on two sides: it makes fewer channels, and reads fewer.")


def picture(pair: Pair) -> str:
    """The drawing as SVG."""
    from pruning.render.markup.drawing import drawing

    return drawing(layers(pair), before=f"Before: {pair.before.heading}", after=f"After: {pair.after.heading}")


def layers(pair: Pair) -> list[LayerPair]:
    """Layers of both networks, worked out once."""
    return _layers(pair.before.subject.identity, pair.after.subject.identity, pair)


@st.cache_data(show_spinner=False, max_entries=50)
def _layers(before: str, after: str, _pair: Pair) -> list[LayerPair]:
    from pruning.compare.networks import compare_layers

    return compare_layers(_pair.before.subject, _pair.after.subject)
