"""Figures about one run: a curve while it trains, and what each layer kept.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from pruning.render.figures.style import (
    LEGEND,
    SIZE,
    axis,
    hover_y,
    layout,
    palette,
    whole_range,
)
from pruning.runs.events import metric_of
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
