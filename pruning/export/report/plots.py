"""The interactive figures of a report, as JSON for plotly.js: in both themes, since the reader's is not known here."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go

from pruning.export.report.charts import AXES, Cost, axes, cost, lines_of, on_axis, point_text, ranges, y_of_cuts
from pruning.export.report.contents import Contents
from pruning.export.report.family import Group, Reached
from pruning.render.figures.style import Palette, layout, palette
from pruning.sensitivity import FIGURES


def figures(contents: Contents) -> dict[str, Any]:
    """'tradeoff' by cost and 'uniform', each for 'light' and 'dark'; only those that there are numbers for."""
    found: dict[str, Any] = {}
    for theme, dark in (("light", False), ("dark", True)):
        found[theme] = {}
        if contents.dense is not None:
            drawn = {name: _tradeoff(contents, contents.dense, name, dark) for name in axes(contents.groups)}
            found[theme]["tradeoff"] = {name: _plain(figure) for name, figure in drawn.items()}
        if contents.plans:
            found[theme]["uniform"] = _plain(_uniform(contents, dark))
    return found


def _tradeoff(contents: Contents, dense: Reached, axis: Cost, dark: bool) -> go.Figure:
    colours = palette(dark)
    groups = on_axis(contents.groups, axis)
    x_range, y_range = ranges(dense, groups, axis)
    figure = go.Figure(layout=layout(colours, height=400, x_grid=True))
    for group in reversed(groups):
        colour = colours.kept if group.reported is not None else colours.other
        if len(group.members) > 1:
            _band(figure, group, axis, colour, 0.014 * x_range[1])
        figure.add_trace(
            _points(
                list(group.members),
                [point_text(group, member) for member in group.members],
                axis,
                colours,
                colour=colour,
                symbol="diamond" if group.tuned else "circle",
            )
        )
    for group in groups[:1]:
        if group.reported is not None:
            member = group.members[group.reported]
            x, y = cost(member, axis), member.metric.scale * member.value
            ring = {"symbol": "circle-open", "size": 24, "color": colours.ink, "line": {"width": 2.4}}
            figure.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip")
            left = x > 0.8 * x_range[1]
            figure.add_annotation(
                x=x, y=y, text="<b>this run</b>", showarrow=False, xshift=-18 if left else 18, yshift=12,
                xanchor="right" if left else "left",
            )  # fmt: skip
    figure.add_trace(
        _points(
            [dense],
            [f"original: {dense.metric.words(dense.value)} ({dense.metric.span(dense.interval)})"],
            axis,
            colours,
            colour=colours.dense,
            symbol="x",
        )
    )
    figure.update_xaxes(title_text=AXES[axis].title, range=list(x_range))
    figure.update_yaxes(title_text=dense.metric.of_images("test"), range=list(y_range))
    figure.update_layout(hovermode="closest")
    return figure


def _band(figure: go.Figure, group: Group, axis: Cost, colour: str, room: float) -> None:
    """From the lowest to the highest of the seeds; `room` on both sides, since they often have one cost."""
    costs = [cost(member, axis) for member in group.members]
    low, high = group.span
    figure.add_shape(
        type="rect",
        x0=min(costs) - room,
        x1=max(costs) + room,
        y0=group.members[0].metric.scale * low,
        y1=group.members[0].metric.scale * high,
        fillcolor=colour,
        opacity=0.2,
        line={"width": 0},
        layer="below",
    )


def _points(
    members: list[Reached],
    texts: list[str],
    axis: Cost,
    colours: Palette,
    *,
    colour: str,
    symbol: str,
) -> go.Scatter:
    values = [member.metric.scale * member.value for member in members]
    spans = [tuple(member.metric.scale * end for end in member.interval) for member in members]
    return go.Scatter(
        x=[cost(member, axis) for member in members],
        y=values,
        mode="markers",
        text=texts,
        hovertemplate="%{text}<br>%{x:,.4~r} " + AXES[axis].title + "<extra></extra>",
        marker={"color": colour, "symbol": symbol, "size": 13, "line": {"color": colours.paper, "width": 1.5}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - value for value, (_, high) in zip(values, spans, strict=True)],
            "arrayminus": [value - low for value, (low, _) in zip(values, spans, strict=True)],
            "color": colour,
            "thickness": 1.2,
            "width": 4,
        },
    )


def _uniform(contents: Contents, dark: bool) -> go.Figure:
    """The metric against the share removed; the last shape is the line that follows the slider."""
    colours = palette(dark)
    plans, metric = contents.plans, contents.plans[0].as_cut.metric
    scale, value = metric.scale, f"%{{y:.{metric.digits}f}} {metric.unit}".rstrip()
    x = [100 * plan.sparsity for plan in plans]
    figure = go.Figure(layout=layout(colours, height=300, x_grid=True))
    ends = [[scale * end for end in plan.best.interval] for plan in plans]
    figure.add_scatter(
        x=x + x[::-1],
        y=[high for _, high in ends] + [low for low, _ in reversed(ends)],
        fill="toself",
        fillcolor=colours.kept,
        opacity=0.18,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    *before, last = lines_of(plans)
    for name in before:
        figure.add_scatter(
            x=x,
            y=[scale * plan.line(name).value for plan in plans],
            mode="lines",
            line={"color": colours.removed if name == "as_cut" else colours.kept, "width": 2, "dash": "dash"},
            hovertemplate=f"%{{x:.0f}} % removed, {FIGURES[name]}: {value}<extra></extra>",
        )
    figure.add_scatter(
        x=x,
        y=[scale * plan.best.value for plan in plans],
        mode="lines+markers",
        line={"color": colours.kept, "width": 2.5},
        marker={"size": 6},
        hovertemplate=f"%{{x:.0f}} % removed, {FIGURES[last]}: {value}<extra></extra>",
    )
    for point in contents.own_points:
        figure.add_scatter(
            x=[100 * contents.result.recipe.prune.sparsity],
            y=[scale * point.value],
            mode="markers",
            marker={"symbol": point.shape, "size": 13, "color": colours.ink},
            hovertemplate=f"this run, {point.words}: {value} on select images<extra></extra>",
        )
    figure.add_hline(y=scale * plans[0].as_cut.value, line={"color": colours.soft, "width": 1.5, "dash": "dot"})
    figure.add_vline(x=0, line={"color": colours.ink, "width": 1.5})
    removed = "channels" if contents.channels else "weights"
    figure.update_xaxes(title_text=f"{removed} removed, %", range=[-2, 101], showgrid=False)
    figure.update_yaxes(
        title_text=metric.of_images("select"),
        range=list(y_of_cuts(metric, [y / scale for pair in ends for y in pair], 0.04)),
    )
    return figure


def _plain(figure: go.Figure) -> dict[str, Any]:
    """JSON-ready, without Plotly's default template: every colour is set here."""
    plain: dict[str, Any] = json.loads(figure.to_json())
    plain["layout"].pop("template", None)
    return plain
