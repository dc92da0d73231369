"""Figures about runs: a curve while one trains, all of them as a trade-off, and what each layer kept.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from pruning.render.figures.style import (
    LEGEND,
    SERIES_COLOURS,
    SIZE,
    Palette,
    axis,
    hover_y,
    layout,
    palette,
    whole_range,
)
from pruning.runs.events import metric_of
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Metric

if TYPE_CHECKING:
    from pruning.planning.plan import LayerPlan

BEFORE_TRAINING = (
    ("as_cut", "circle-open", "as cut"),
    ("recalibrated", "circle", "recalibrated"),
    ("repaired", "square", "repaired"),
)
"""Stages before training: name, mark and word."""

MOST_POINTS = 300
"""Losses drawn in a curve; more are averaged, so that a page can draw it anew each second."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon")


@dataclass(frozen=True, kw_only=True)
class TradeoffPoint:
    """One network in the trade-off: a finished run, or a dense network."""

    name: str
    """Of the run; what a click gives back. Empty for dense."""
    title: str
    x: float
    value: float
    """On test images."""
    low: float
    high: float
    field: str
    """Model and images. Points of different fields are never joined, and never beat each other."""
    kind: str
    """What gives the colour, such as the granularity."""
    dense: bool = False
    metric: Metric = ACCURACY
    """What `value` is of. All points of a figure have the same."""


def pareto(points: Sequence[TradeoffPoint]) -> list[TradeoffPoint]:
    """Points of one field that no other beats, cheapest first: none is as cheap and better, or cheaper and as good.

    Raises:
        ValueError: the points are of several fields.
    """
    if len({point.field for point in points}) > 1:
        raise ValueError("points of several models or data sets have no common Pareto line")
    best: list[TradeoffPoint] = []
    for point in sorted(points, key=lambda point: (point.x, -point.metric.gain(point.value))):
        if not best or point.metric.gain(point.value) > best[-1].metric.gain(best[-1].value):
            best.append(point)
    return best


def tradeoff(points: Sequence[TradeoffPoint], dark: bool, *, x_title: str, log: bool, several: bool) -> go.Figure:
    """The metric against cost with intervals, dense as a grey cross, and one stepped Pareto line a field.

    `several`: more than one field is shown, so symbols tell them apart. `customdata[0]` of a point is its run's name.
    """
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=430, x_grid=True))
    metric = points[0].metric if points else ACCURACY
    fields = list(dict.fromkeys(point.field for point in points))
    kinds = list(dict.fromkeys(point.kind for point in points if not point.dense))
    for number, field in enumerate(fields):
        of_field = [point for point in points if point.field == field]
        front = pareto(of_field)
        if len(front) > 1:
            figure.add_scatter(
                x=[point.x for point in front],
                y=[metric.scale * point.value for point in front],
                mode="lines",
                line={"shape": "hv", "color": colours.soft, "width": 1.4, "dash": "dot"},
                hoverinfo="skip",
                name="best so far" + (f", {field}" if several else ""),
                legendrank=2000 + number,
            )
        symbol = SYMBOLS[number % len(SYMBOLS)]
        for place, kind in enumerate(kinds):
            mine = [point for point in of_field if point.kind == kind and not point.dense]
            if mine:
                colour = SERIES_COLOURS[dark][place % len(SERIES_COLOURS[dark])]
                name = f"{kind}, {field}" if several else kind
                figure.add_trace(_points(mine, colours, colour=colour, symbol=symbol, name=name, x_title=x_title))
        dense = [point for point in of_field if point.dense]
        if dense:
            name = f"dense, {field}" if several else "dense"
            figure.add_trace(_points(dense, colours, colour=colours.dense, symbol="x", name=name, x_title=x_title))
    figure.update_xaxes(title_text=x_title, type="log" if log else "linear", **_x_range(points, log))
    figure.update_yaxes(title_text=metric.of_images("test"), range=_y_range(points, metric))
    figure.update_layout(
        showlegend=True,
        legend=LEGEND,
        clickmode="event+select",
        hovermode="closest",
        margin={"l": 8, "r": 12, "t": 42, "b": 8},
    )
    return figure


def _points(
    points: Sequence[TradeoffPoint], colours: Palette, *, colour: str, symbol: str, name: str, x_title: str
) -> go.Scatter:
    dense, metric = symbol == "x", points[0].metric
    # Arrays, not lists: plotly copies a list value by value each time a page is drawn, and there may be a thousand.
    value, low, high = metric.scale * np.array([(point.value, point.low, point.high) for point in points]).T
    return go.Scatter(
        x=np.array([point.x for point in points]),
        y=value,
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 13, "line": {"color": colours.paper, "width": 1.5}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": high - value,
            "arrayminus": value - low,
            "color": colour,
            "thickness": 1.2,
            "width": 4,
        },
        customdata=np.array(
            [
                (point.name, point.title, metric.words(point.value), metric.bare_span((point.low, point.high)))
                for point in points
            ]
        ),
        hovertemplate=(
            f"<b>%{{customdata[1]}}</b><br>{metric.title} %{{customdata[2]}} (%{{customdata[3]}}) on test images<br>"
            "%{x:,.6~r} " + x_title + "<extra></extra>"
        ),
        # Plotly fades what is not clicked; the chosen run is named beside the figure, and framed here.
        selected={"marker": {"opacity": 1, "size": 18}},
        unselected={"marker": {"opacity": 1 if dense else 0.75}},
    )


def run_curve(
    training: Sequence[Mapping[str, Any]], stages: Sequence[Mapping[str, Any]], dark: bool, *, dense: float | None
) -> go.Figure:
    """Loss (line, right axis) and the metric on select images (points, left axis) over the steps of a run.

    `training` and `stages` are the events a run writes; `dense` is the dense network's metric on select images.
    """
    metric = metric_of((*stages, *training, {})[0])
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=250, x_grid=True))
    steps = int(training[-1]["steps"]) if training else 1
    losses = _averaged([(int(event["step"]), float(event["loss"])) for event in training])
    figure.add_scatter(
        x=[step for step, _ in losses],
        y=[loss for _, loss in losses],
        yaxis="y2",
        mode="lines",
        line={"color": colours.dense, "width": 1.5},
        name="loss on train images",
        hovertemplate="step %{x}: loss %{y:.3f}<extra></extra>",
    )
    if dense is not None:
        figure.add_scatter(
            x=[0, steps],
            y=[metric.scale * dense] * 2,
            mode="lines",
            line={"color": colours.dense, "width": 1.5, "dash": "dash"},
            name="dense",
            hovertemplate=f"dense: {metric.words(dense)}<extra></extra>",
        )
    cut_at = _rounds_begin(training)
    for stage, symbol, name in BEFORE_TRAINING:
        mine = [(cut_at.get(int(event["round"]), 0), event) for event in stages if event.get("stage") == stage]
        if mine:
            figure.add_trace(_measured(mine, metric, colours.removed, symbol, name))
    tuned = [(int(event["step"]), event) for event in training if event.get(metric.name) is not None]
    if tuned:
        figure.add_trace(_measured(tuned, metric, colours.kept, "diamond", "while fine-tuning", lines=True))
    figure.update_xaxes(title_text="fine-tuning step", range=[-0.02 * steps, 1.02 * steps], showgrid=False)
    figure.update_yaxes(title_text=metric.of_images("select"), range=whole_range(metric, 0.04))
    figure.update_layout(
        yaxis2={
            **axis(colours),
            "title": {"text": "loss", "font": {"size": SIZE}},
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "tickformat": ".2f",
            "showgrid": False,
        },
        showlegend=True,
        legend=LEGEND,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
    )
    return figure


def _measured(
    points: Sequence[tuple[int, Mapping[str, Any]]],
    metric: Metric,
    colour: str,
    symbol: str,
    name: str,
    lines: bool = False,
) -> go.Scatter:
    scale = metric.scale
    spans = [event.get(f"{metric.name}_interval") or (event[metric.name],) * 2 for _, event in points]
    values = [float(event[metric.name]) for _, event in points]
    return go.Scatter(
        x=[step for step, _ in points],
        y=[scale * value for value in values],
        mode="lines+markers" if lines else "markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [scale * (high - value) for value, (_, high) in zip(values, spans, strict=True)],
            "arrayminus": [scale * (value - low) for value, (low, _) in zip(values, spans, strict=True)],
            "color": colour,
            "thickness": 1,
            "width": 3,
        },
        name=name,
        hovertemplate=f"{name}, step %{{x}}: {hover_y(metric)}<extra></extra>",
    )


def kept_bars(layers: Sequence[LayerPlan], dark: bool) -> go.Figure:
    """Share of each layer that a run kept and removed, in network order; a tick where another share was asked for."""
    colours = palette(dark)
    names = _labels(layers)
    kept = [100 * row.kept / row.total for row in layers]
    amounts = [[row.kept, row.total, 100 * row.requested, 100 * row.achieved] for row in layers]
    figure = go.Figure(layout=layout(colours, height=26 * len(names) + 56, x_grid=True))
    for title, values, colour in (
        ("kept", kept, colours.kept),
        ("removed", [100 - value for value in kept], colours.removed),
    ):
        figure.add_bar(
            y=names,
            x=values,
            orientation="h",
            name=title,
            customdata=amounts,
            marker={"color": colour, "opacity": 0.9 if title == "kept" else 0.65},
            hovertemplate=(
                "%{y}: %{customdata[0]:,} of %{customdata[1]:,} kept<br>%{customdata[3]:.1f} % removed, "
                "%{customdata[2]:.1f} % asked for<extra></extra>"
            ),
        )
    figure.add_scatter(
        y=names,
        x=[100 - row[2] for row in amounts],
        mode="markers",
        name="asked for",
        marker={"symbol": "line-ns", "size": 9, "line": {"color": colours.ink, "width": 2}},
        hoverinfo="skip",
    )
    figure.add_scatter(  # beside the bars: in a short one there is no room
        y=names,
        x=[102] * len(names),
        mode="text",
        text=[f"{row[1]:,} → {row[0]:,}" for row in amounts],
        textposition="middle right",
        textfont={"color": colours.ink, "size": SIZE - 1},
        hoverinfo="skip",
    )
    figure.update_layout(barmode="stack", bargap=0.22, margin={"l": 8, "r": 8, "t": 4, "b": 8})
    figure.update_xaxes(range=[0, 145], tickvals=[0, 50, 100], title_text="share of the layer, %", showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, dtick=1, tickfont={"size": SIZE - 2})
    return figure


def _labels(layers: Sequence[LayerPlan]) -> list[str]:
    """Layer names, with the group where a layer stands there twice; no two alike."""
    counts = Counter(row.name for row in layers)
    return [
        row.name
        if counts[row.name] == 1
        else f"{row.name} · {'own' if str(row.group).startswith(row.name + '/own') else row.group}"
        for row in layers
    ]


def _averaged(values: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most MOST_POINTS of a series, each the mean of equally many neighbours, at the last one's step."""
    width = -(-len(values) // MOST_POINTS) or 1
    parts = [values[i : i + width] for i in range(0, len(values), width)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def _rounds_begin(training: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Round → the step after which it cut."""
    begins = {1: 0}
    for event in training:
        begins.setdefault(int(event["round"]), int(event["step"]) - 1)
        begins[int(event["round"]) + 1] = int(event["step"])
    return begins


def _x_range(points: Sequence[TradeoffPoint], log: bool) -> dict[str, Any]:
    """Leave a point some room; on a log axis let Plotly choose, with ticks at 1, 2 and 5."""
    if log:
        return {"dtick": "D2"}
    if not points:
        return {}
    most = max(point.x for point in points)
    return {"range": [0, 1.06 * most]}


def _y_range(points: Sequence[TradeoffPoint], metric: Metric) -> list[float] | None:
    ends = metric.scaled_bounds
    if not points:
        return None if ends is None else list(ends)
    low, high = (metric.scale * end for end in (min(p.low for p in points), max(p.high for p in points)))
    if ends is None:
        room = 0.08 * (high - low or abs(high) or 1)
        return [low - room, high + room]
    whole = ends[1] - ends[0]
    room = max(0.005 * whole, 0.08 * (high - low))
    return [max(ends[0] - 0.01 * whole, low - room), min(ends[1] + 0.01 * whole, high + room)]
