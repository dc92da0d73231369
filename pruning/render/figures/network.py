"""From data to Plotly figures; every function takes `dark` for the theme, whose look is that of `plot_style`.

Figures are transparent and carry no title: a page writes what a figure means beside it. Show them with
`st.plotly_chart(figure, theme=None, config=CONFIG)`; `theme=None` because the colours are set here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from pruning.cost.counts import LayerCost
from pruning.graph.stages import FEW, Stage, stages
from pruning.render.figures.style import SIZE, Palette, faded, hover_y, layout, palette, whole_range
from pruning.render.figures.ticks import fits, layer_ticks, stage_ticks
from pruning.statistics.distributions import Histogram, UnitNorms
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Metric

LABELLED = 10
"""Bars that have room for a name each."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """What was measured at one sparsity, with its interval."""

    sparsity: float
    value: float
    low: float
    high: float


def network_strip(
    layers: Sequence[LayerCost],
    dark: bool,
    *,
    share_of: Literal["parameters", "macs"] = "parameters",
    selected: str | None = None,
    zoom: Stage | None = None,
) -> go.Figure:
    """One bar a layer in network order: height is its number of output channels, colour its share of all layers.

    `selected` names the layer to frame, `zoom` the stage that is shown alone. The layer's name is the x value and
    `customdata[0]` of each bar. Where there are more than `LABELLED` layers, their stages stand below the bars.
    """
    colours = palette(dark)
    parts = stages([layer.name for layer in layers], LABELLED if len(layers) <= FEW else FEW)
    order = {name: place for place, name in enumerate(name for part in parts for name in part.members)}
    layers = sorted(layers, key=lambda layer: order[layer.name])  # a stage stands together
    found = zip(
        layers, *(_shares([getattr(layer, name) for layer in layers]) for name in ("parameters", "macs")), strict=True
    )
    shown = [entry for entry in found if zoom is None or entry[0].name in zoom.members]
    layers, params, macs = (list(column) for column in zip(*shown, strict=True))
    shares = params if share_of == "parameters" else macs
    widths = [layer.weight_shape[0] for layer in layers]
    figure = _figure(dark, height=190, y_title="channels out")
    figure.add_bar(
        x=[layer.name for layer in layers],
        y=widths,
        text=[f"{share:.0%}" if share >= 0.005 else "<1%" for share in shares] if len(layers) <= FEW else None,
        textposition="outside",
        textfont={"color": colours.soft, "size": SIZE - 1},
        cliponaxis=False,
        customdata=[
            [layer.name, _kind(layer), layer.parameters, params[i], layer.macs, macs[i]]
            for i, layer in enumerate(layers)
        ],
        hovertemplate=(
            "<b>%{customdata[0]}</b><br>%{customdata[1]}, %{y} channels out<br>"
            "%{customdata[2]:,} parameters (%{customdata[3]:.1%})<br>%{customdata[4]:,} MACs (%{customdata[5]:.1%})"
            "<extra></extra>"
        ),
        marker={
            "color": shares,
            "cmin": 0,
            "cmax": max(shares),
            "colorscale": [[0, colours.scale[0]], [1, colours.scale[1]]],
            "line": {
                "color": colours.ink,
                "width": [3 if layer.name == selected else 0 for layer in layers],
            },
        },
        # Plotly fades what is not clicked; the frame says it already.
        unselected={"marker": {"opacity": 1}},
        selected={"marker": {"opacity": 1}},
    )
    figure.update_yaxes(range=[0, max(widths) * 1.2])
    upright = len(parts) > 1 or fits([layer.name for layer in layers])
    figure.update_xaxes(type="category", showgrid=False, tickangle=0 if upright else -40)
    figure.update_layout(bargap=0.12, height=190 if upright else 230)
    if len(parts) > 1:
        _mark_stages(figure, parts, zoom, colours)
    return figure


def _mark_stages(figure: go.Figure, parts: Sequence[Stage], zoom: Stage | None, colours: Palette) -> None:
    """Horizontal labels that do not touch, and lines between stages."""
    ticks = stage_ticks(parts) if zoom is None else layer_ticks(zoom)
    names, words = ([tick[i] for tick in ticks] for i in (0, 1))
    figure.update_xaxes(tickmode="array", tickvals=names, ticktext=words, tickangle=0)
    start = 0
    for part in parts[:-1] if zoom is None else ():
        start += len(part.members)
        figure.add_vline(x=start - 0.5, line={"color": colours.line, "width": 1})


def weight_histogram(histogram: Histogram, dark: bool, *, cut: float | None = None) -> go.Figure:
    """A histogram of weights, or of their magnitudes on a log axis; what lies below the magnitude `cut` goes."""
    colours = palette(dark)
    edges = np.asarray(histogram.edges)
    if histogram.log:
        centres, widths = np.sqrt(edges[:-1] * edges[1:]), np.diff(edges)
    else:
        centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    gone = np.abs(centres) < cut if cut is not None else np.zeros(len(centres), dtype=bool)
    figure = _figure(
        dark,
        x_title="magnitude of a weight (log axis)" if histogram.log else "value of a weight",
        y_title="weights",
    )
    # On a log axis a bar's width is in data units, so a bar stands on its own interval, not round its centre.
    figure.add_bar(
        x=edges[:-1].tolist() if histogram.log else centres.tolist(),
        offset=0 if histogram.log else None,
        y=list(histogram.counts),
        width=widths.tolist(),
        customdata=[[a, b] for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)],
        marker={"color": [colours.removed if out else colours.kept for out in gone], "line": {"width": 0}},
        hovertemplate="%{y:,} weights from %{customdata[0]:.2g} to %{customdata[1]:.2g}<extra></extra>",
    )
    if histogram.log:
        figure.update_xaxes(type="log", dtick=1, tickformat=".4~g")
    figure.update_layout(bargap=0)
    return figure


def unit_bars(norms: UnitNorms, dark: bool, *, cut: int = 0, unit: str = "filter") -> go.Figure:
    """Norms of units, weakest first; the first `cut` of them go and have the colour of what is removed."""
    colours = palette(dark)
    count = len(norms.values)
    figure = _figure(dark, x_title=f"{unit}s, weakest first", y_title=f"{norms.norm.upper()} norm")
    figure.add_bar(
        x=list(range(1, count + 1)),
        y=list(norms.values),
        customdata=list(norms.units),
        marker={"color": [colours.removed if i < cut else colours.kept for i in range(count)]},
        hovertemplate=unit + " %{customdata}: %{y:.3g}<extra></extra>",
    )
    if 0 < cut < count:
        figure.add_vline(x=cut + 0.5, line={"color": colours.ink, "width": 2})
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_layout(bargap=0.18 if count <= 80 else 0.0)
    return figure


def kernel_grid(pictures: np.ndarray, dark: bool, *, columns: int = 8) -> go.Figure:
    """Kernels as one picture: units × height × width (grey) or × 3 (colour), values 0–1, in rows of `columns`."""
    units, height, width = pictures.shape[:3]
    columns = min(columns, units)
    rows = -(-units // columns)
    scale = max(1, 48 // (max(height, width) + 1))  # whole pixels a weight, so that edges stay sharp
    gap = max(2, scale // 3)
    tall, wide = height * scale + gap, width * scale + gap
    paper = [int(palette(dark).paper[i : i + 2], 16) for i in (1, 3, 5)]
    canvas = np.empty((rows * tall - gap, columns * wide - gap, 3), dtype=np.uint8)
    canvas[:] = paper
    for unit in range(units):
        picture = pictures[unit] if pictures.ndim == 4 else np.repeat(pictures[unit][..., None], 3, axis=2)
        large = np.kron(np.round(picture * 255).astype(np.uint8), np.ones((scale, scale, 1), dtype=np.uint8))
        top, left = unit // columns * tall, unit % columns * wide
        canvas[top : top + height * scale, left : left + width * scale] = large
    figure = _figure(dark, height=220)
    figure.add_image(z=canvas, hoverinfo="skip")
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 0, "r": 0, "t": 4, "b": 4})
    return figure


def curve_of_cuts(
    points: Sequence[CurvePoint],
    dark: bool,
    *,
    metric: Metric = ACCURACY,
    role: str = "select",
    removed: str = "weights",
    dense: float | None = None,
    at: float | None = None,
    extra: Sequence[CurvePoint] = (),
) -> go.Figure:
    """The metric against sparsity with its 95 % interval as a band, `dense` as a line, a marker where `at` is.

    `extra` are values after fine-tuning, drawn as diamonds.
    """
    colours, scale = palette(dark), metric.scale
    ordered = sorted(points, key=lambda point: point.sparsity)
    x = [100 * point.sparsity for point in ordered]
    figure = _figure(dark, height=216, x_title=f"{removed} removed, %", y_title=metric.of_images(role))
    if dense is not None:
        figure.add_hline(y=scale * dense, line={"color": colours.dense, "width": 1.5, "dash": "dash"})
    figure.add_scatter(
        x=x + x[::-1],
        y=[scale * point.high for point in ordered] + [scale * point.low for point in reversed(ordered)],
        fill="toself",
        fillcolor=faded(colours.kept, 0.18),
        line={"width": 0},
        hoverinfo="skip",
        name="interval",
    )
    figure.add_scatter(
        x=x,
        y=[scale * point.value for point in ordered],
        mode="lines+markers",
        line={"color": colours.kept, "width": 2.5},
        marker={"size": 7},
        customdata=[[metric.bare_span((point.low, point.high))] for point in ordered],
        hovertemplate=f"%{{x:.0f}} % removed: {hover_y(metric)} (%{{customdata[0]}})<extra></extra>",
        name=metric.title,
    )
    here = [point for point in ordered if at is not None and abs(point.sparsity - at) < 1e-9]
    for title, marked, symbol in (("here", here, "circle"), ("fine-tuned", list(extra), "diamond")):
        if marked:
            figure.add_scatter(
                x=[100 * point.sparsity for point in marked],
                y=[scale * point.value for point in marked],
                mode="markers",
                marker={
                    "color": colours.removed if title == "here" else colours.kept,
                    "size": 13,
                    "symbol": symbol,
                    "line": {"color": colours.paper, "width": 2},
                },
                hovertemplate=f"{title}: {hover_y(metric)}<extra></extra>",
                name=title,
            )
    figure.update_xaxes(range=[-3, 100])
    figure.update_yaxes(range=whole_range(metric, 0.05))
    return figure


def _figure(dark: bool, *, height: int = 220, x_title: str = "", y_title: str = "") -> go.Figure:
    return go.Figure(layout=layout(palette(dark), height=height, x_title=x_title, y_title=y_title))


def _shares(values: Sequence[int]) -> list[float]:
    total = sum(values) or 1
    return [value / total for value in values]


def _kind(layer: LayerCost) -> str:
    if layer.kind == "linear":
        return "linear layer"
    return f"{'×'.join(map(str, layer.weight_shape[2:]))} convolution"
