"""A network with what a cut takes, layer by layer: removed channels make a block smaller, zeroed weights never do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from pruning.cost.counts import LayerCost
from pruning.render.figures.style import Palette, layout, palette


def kept_strip(
    layers: Sequence[LayerCost],
    kept: Mapping[str, float],
    dark: bool,
    *,
    words: Mapping[str, str],
    shrinks: bool = True,
) -> go.Figure:
    """The network with what goes: one block a layer, its height the number of channels.

    `kept`: layer → share that stays, of its channels or of its weights; a layer not named stays whole. `shrinks`:
    whether channels go, so that the block is split into those that stay and those that do not; where single weights
    become zero every channel stays, and the whole block is speckled, the denser the more of them do. `words`:
    axis_channels, kept, removed.
    """
    colours = palette(dark)
    names = [layer.name for layer in layers]
    widths = [layer.weight_shape[0] for layer in layers]
    stay = [kept.get(name, 1.0) for name in names]
    figure = go.Figure(layout=layout(colours, height=216, y_title=words["axis_channels"]))
    if shrinks:
        for kind, colour, shares in (
            ("kept", colours.kept, stay),
            ("removed", colours.removed, [1 - share for share in stay]),
        ):
            figure.add_bar(
                x=names,
                y=[width * share for width, share in zip(widths, shares, strict=True)],
                name=words[kind],
                customdata=shares,
                marker={"color": colour, "opacity": 0.9 if kind == "kept" else 0.6},
                hovertemplate="%{x}: %{customdata:.0%} " + words[kind] + "<extra></extra>",
            )
    else:
        figure.add_bar(
            x=names,
            y=widths,
            name=words["kept"],
            customdata=[1 - share for share in stay],
            marker={"color": colours.kept, "opacity": 0.9, "pattern": _speckles(stay, colours)},
            hovertemplate="%{x}: %{customdata:.0%} "
            + words["removed"]
            + "<br>%{y} "
            + words["kept"]
            + "<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.14)
    figure.update_yaxes(range=[0, max(widths) * 1.05], showgrid=False)
    figure.update_xaxes(type="category", showgrid=False, tickangle=0 if len(layers) <= 6 else -30)
    return figure


def _speckles(stay: Sequence[float], colours: Palette) -> dict[str, Any]:
    """Dots over bars, which cover the share of each that is zero."""
    return {
        "shape": ["" if share == 1 else "." for share in stay],
        "solidity": [1 - share for share in stay],
        "size": 6,
        "fgcolor": colours.removed,
        "fgopacity": 1,
        "fillmode": "overlay",
    }
