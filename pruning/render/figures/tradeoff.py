"""The trade-off: runs as points, a metric on select images against a cost, with the best so far as a line.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pruning.render.figures.style import LEGEND, SERIES_COLOURS, Palette, faded, layout, palette
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Metric

MARKS = ("", "-dot", "-cross", "-x")
"""Behind the name of a symbol, one a field: its outline stays that of the badge, a circle or a diamond."""


@dataclass(frozen=True, kw_only=True)
class TradeoffPoint:
    """One network in the trade-off: a finished run, or a dense network."""

    name: str
    """Of the run; what a click gives back. Empty for dense."""
    title: str
    x: float
    value: float
    """On select images."""
    low: float
    high: float
    """95 % interval."""
    field: str
    """Model and images. Points of different fields are never joined, and never beat each other."""
    kind: str
    """What gives the colour, such as the granularity."""
    stage: str = ""
    """What had been done when it was measured, in words: 'fine-tuned'."""
    tuned: bool = False
    """Whether it was measured after fine-tuning: a diamond, else a circle."""
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
    """The metric against cost with intervals, dense as a grey cross, and one stepped Pareto line a field in the band of
    its points' intervals.

    `several`: more than one field is shown, so marks in the symbols tell them apart. `customdata[0]` of a point is its
    run's name.
    """
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=430, x_grid=True))
    metric = points[0].metric if points else ACCURACY
    fields = list(dict.fromkeys(point.field for point in points))
    kinds = sorted({point.kind for point in points if not point.dense})
    for number, field in enumerate(fields):
        of_field = [point for point in points if point.field == field]
        front = pareto(of_field)
        if len(front) > 1:
            _line(figure, front, colours, name="best so far" + (f", {field}" if several else ""), rank=2000 + number)
        for place, kind in enumerate(kinds):
            colour = SERIES_COLOURS[dark][place % len(SERIES_COLOURS[dark])]
            name, named = f"{kind}, {field}" if several else kind, False
            for tuned, outline in ((False, "circle"), (True, "diamond")):  # one symbol a trace: plotly is quicker then
                mine = [p for p in of_field if not p.dense and (p.kind, p.tuned) == (kind, tuned)]
                if mine:
                    symbol = outline + MARKS[number % len(MARKS)]
                    trace = _points(mine, colours, colour=colour, symbol=symbol, name=name, x_title=x_title)
                    figure.add_trace(trace.update(showlegend=not named))
                    named = True
        dense = [point for point in of_field if point.dense]
        if dense:
            name = f"dense, {field}" if several else "dense"
            figure.add_trace(_points(dense, colours, colour=colours.dense, symbol="x", name=name, x_title=x_title))
    figure.update_xaxes(title_text=x_title, type="log" if log else "linear", **_x_range(points, log))
    figure.update_yaxes(title_text=metric.of_images("select"), range=_y_range(points, metric))
    figure.update_layout(
        showlegend=True,
        legend={**LEGEND, "traceorder": "normal"},  # a band would have it reversed
        clickmode="event+select",
        hovermode="closest",
        margin={"l": 8, "r": 12, "t": 42, "b": 8},
    )
    return figure


def with_ring(figure: go.Figure, points: Sequence[TradeoffPoint], name: str | None, dark: bool) -> go.Figure:
    """The figure of these points with a ring round the run of that name; the same figure where it is not drawn."""
    point = next((point for point in points if name and point.name == name), None)
    if point is None:
        return figure
    ring = {"symbol": "circle-open", "size": 26, "color": palette(dark).ink, "line": {"width": 2.4}}
    drawn = figure.layout.to_plotly_json()
    drawn.pop("template", None)  # the usual one, which plotly would check anew, entry by entry
    ringed = go.Figure(data=figure.data, layout=drawn)
    ringed.add_scatter(
        x=[point.x], y=[point.metric.scale * point.value], mode="markers", marker=ring, hoverinfo="skip",
        name="chosen run", customdata=[[""]], legendrank=3000,
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )  # fmt: skip
    return ringed


def _line(figure: go.Figure, front: Sequence[TradeoffPoint], colours: Palette, *, name: str, rank: int) -> None:
    """The Pareto line, over the band of the intervals of its points."""
    metric = front[0].metric
    common: dict[str, Any] = {"x": [point.x for point in front], "mode": "lines", "hoverinfo": "skip", "name": name}
    none = {"shape": "hv", "width": 0, "color": colours.soft}
    for values, fill in (([point.low for point in front], "none"), ([point.high for point in front], "tonexty")):
        figure.add_scatter(
            **common, y=[metric.scale * value for value in values], line=none, showlegend=False, fill=fill,
            fillcolor=faded(colours.soft, 0.14),
        )  # fmt: skip
    figure.add_scatter(
        **common,
        y=[metric.scale * point.value for point in front],
        line={"shape": "hv", "color": colours.soft, "width": 1.6, "dash": "dot"},
        legendrank=rank,
    )


def _points(
    points: Sequence[TradeoffPoint], colours: Palette, *, colour: str, symbol: str, name: str, x_title: str
) -> go.Scatter:
    metric = points[0].metric
    # Arrays, not lists: plotly copies a list value by value each time a page is drawn, and there may be a thousand.
    value, low, high = metric.scale * np.array([(point.value, point.low, point.high) for point in points]).T
    said = [
        (point.name, point.title, metric.words(point.value), metric.bare_span((point.low, point.high)), point.stage)
        for point in points
    ]
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
        customdata=np.array(said),
        hovertemplate=(
            f"<b>%{{customdata[1]}}</b><br>{metric.title} %{{customdata[2]}} (%{{customdata[3]}}) on select images"
            "%{customdata[4]}<br>%{x:,.6~r} " + x_title + "<extra></extra>"
        ),
        # Plotly fades what is not clicked; the chosen run has a ring instead.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


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
