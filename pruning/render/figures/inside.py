"""Figures of what lies inside two networks: weights and norms as cut and after fine-tuning, and a filter's absence.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from pruning.compare.knockout import Knockout
from pruning.compare.weights import FilterNorms
from pruning.render.figures.style import LEGEND, Palette, faded, layout, palette
from pruning.statistics.distributions import Histogram


def weights_overlay(before: Histogram, after: Histogram, dark: bool, *, names: tuple[str, str]) -> go.Figure:
    """Two histograms on common bins: the first as a filled shape, the second as a line over it."""
    colours = palette(dark)
    edges = np.asarray(before.edges)
    figure = _figure(colours, height=250, x_title="value of a weight", y_title="weights")
    for title, histogram, colour, fill in (
        (names[0], before, colours.dense, "tozeroy"),
        (names[1], after, colours.kept, None),
    ):
        figure.add_scatter(
            x=edges.tolist(),
            y=[*histogram.counts, histogram.counts[-1]],
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 1.2 if fill else 2.4},
            fill=fill,
            fillcolor=faded(colour, 0.45) if fill else None,
            customdata=[*map(list, itertools.pairwise(edges.tolist())), [edges[-1], edges[-1]]],
            hovertemplate=title + ": %{y:,} weights from %{customdata[0]:.2g} to %{customdata[1]:.2g}<extra></extra>",
            name=title,
        )
    figure.update_layout(showlegend=True, legend=LEGEND)
    return figure


MANY = 80
"""Filters; more are drawn in order of their norm, or nothing could be seen."""


def norms_overlay(norms: FilterNorms, dark: bool, *, names: tuple[str, str], unit: str = "filter") -> go.Figure:
    """Norm of each filter: as cut a bar, orange where it was removed, after it a dot.

    Up to `MANY` stand under their original numbers, more of them weakest first.
    """
    colours = palette(dark)
    count = len(norms.before)
    numbers = list(range(count))
    place = {n: i for i, n in enumerate(numbers if count <= MANY else sorted(numbers, key=lambda n: norms.before[n]))}
    order = "by its number" if count <= MANY else "weakest first"
    figure = _figure(colours, height=250, x_title=f"{unit}, {order}", y_title=f"{norms.norm.upper()} norm")
    left = [n for n in numbers if norms.after[n] is not None]
    for title, colour, which in (
        (names[0], colours.dense, left),
        ("removed", colours.removed, [n for n in numbers if norms.after[n] is None]),
    ):
        if which:
            figure.add_bar(
                x=[place[n] for n in which],
                y=[norms.before[n] for n in which],
                customdata=which,
                marker={"color": faded(colour, 0.7), "line": {"width": 0}},
                width=0.8 if count <= MANY else 1.0,
                hovertemplate=f"{unit} %{{customdata}}, {title}: %{{y:.3g}}<extra></extra>",
                name=title,
            )
    figure.add_scatter(
        x=[place[n] for n in left],
        y=[norms.after[n] for n in left],
        customdata=left,
        mode="markers",
        marker={
            "color": colours.kept,
            "size": 9 if count <= MANY else 4,
            "line": {"color": colours.paper, "width": 1 if count <= MANY else 0},
        },
        hovertemplate=f"{unit} %{{customdata}}, {names[1]}: %{{y:.3g}}<extra></extra>",
        name=names[1],
    )
    figure.update_layout(showlegend=True, legend=LEGEND, barmode="overlay")
    figure.update_xaxes(showticklabels=count <= MANY)
    figure.update_yaxes(rangemode="tozero")
    return figure


def knockout_changes(knockouts: Sequence[tuple[str, str, Knockout]], dark: bool) -> go.Figure:
    """Change of each class's accuracy without one filter, with its 95 % interval; hollow where it contains zero.

    `knockouts`: name of the network, 'dense' or 'kept' for its colour, and what was measured, of one or two networks.
    """
    colours = palette(dark)
    order = [change.name for change in knockouts[0][2].classes][::-1]  # drawn from below: worst on top
    figure = _figure(colours, height=54 + 27 * len(order), x_title="change of accuracy, points", y_title="")
    figure.add_vline(x=0, line={"color": colours.ink, "width": 1.2})
    for number, (title, role, knockout) in enumerate(knockouts):
        colour = colours.dense if role == "dense" else colours.kept
        found = {change.name: change for change in knockout.classes}
        legend = {"size": 10, "color": colour, "line": {"color": colour, "width": 2}}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=legend, name=title)  # full, whatever comes first
        shift = 0.0 if len(knockouts) == 1 else (0.17, -0.17)[number]
        changes = [found[name] for name in order]
        points = [100 * change.difference.value for change in changes]
        figure.add_scatter(
            x=points,
            y=[place + shift for place in range(len(order))],
            mode="markers",
            showlegend=False,
            marker={
                "size": 10,
                "color": [colour if change.shows else colours.paper for change in changes],
                "line": {"color": colour, "width": 2},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, 100 * c.difference.interval[1] - x) for c, x in zip(changes, points, strict=True)],
                "arrayminus": [
                    max(0.0, x - 100 * c.difference.interval[0]) for c, x in zip(changes, points, strict=True)
                ],
                "color": colour,
                "thickness": 1.6,
                "width": 0,
            },
            customdata=[
                [
                    change.name,
                    100 * change.before_accuracy,
                    100 * change.after_accuracy,
                    *(100 * end for end in change.difference.interval),
                    change.images,
                ]
                for change in changes
            ],
            hovertemplate=(
                f"{title}, class %{{customdata[0]}}: %{{customdata[1]:.1f}} % → %{{customdata[2]:.1f}} %<br>"
                "%{x:+.1f} points (%{customdata[3]:+.1f} to %{customdata[4]:+.1f}), %{customdata[5]} images"
                "<extra></extra>"
            ),
        )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(order))),
        ticktext=order,
        showgrid=True,
        range=[-0.6, len(order) - 0.4],
    )
    figure.update_layout(showlegend=True, legend=LEGEND)
    return figure


def each_alone(
    before: Mapping[int, Knockout], after: Mapping[int, Knockout], dark: bool, *, names: tuple[str, str], unit: str
) -> go.Figure:
    """Change of the metric without each filter alone, with its 95 % interval, by original numbers.

    Of the first network orange where the second has the filter no more; hollow where the interval contains zero.
    """
    colours = palette(dark)
    metric = next(iter({**before, **after}.values())).before.metric
    scale, digits = metric.scale, metric.digits
    figure = _figure(
        colours,
        height=250,
        x_title=f"{unit} left out, by its number",
        y_title=f"change, {metric.unit_of_change}".rstrip(", "),
    )
    figure.add_hline(y=0, line={"color": colours.ink, "width": 1.2})
    gone = {number: knockout for number, knockout in before.items() if number not in after}
    both = {number: knockout for number, knockout in before.items() if number in after}
    for title, colour, found, shift in (
        (f"{names[0]}, stays in {names[1]}", colours.dense, both, -0.16),
        (f"{names[0]}, removed in {names[1]}", colours.removed, gone, 0.0),
        (names[1], colours.kept, after, 0.16),
    ):
        if not found:
            continue
        legend = {"size": 9, "color": colour}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=legend, name=title)
        points = [scale * knockout.difference.value for knockout in found.values()]
        ends = [[scale * end for end in knockout.difference.interval] for knockout in found.values()]
        figure.add_scatter(
            x=[number + shift for number in found],
            y=points,
            customdata=[[number, *span] for number, span in zip(found, ends, strict=True)],
            mode="markers",
            showlegend=False,
            marker={
                "size": 8,
                "color": [colour if knockout.felt else colours.paper for knockout in found.values()],
                "line": {"color": colour, "width": 2},
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, high - y) for (_, high), y in zip(ends, points, strict=True)],
                "arrayminus": [max(0.0, y - low) for (low, _), y in zip(ends, points, strict=True)],
                "color": colour,
                "thickness": 1.4,
                "width": 0,
            },
            hovertemplate=f"{title}, without {unit} %{{customdata[0]}}: %{{y:+.{digits}f}} {metric.unit_of_change} "
            f"(%{{customdata[1]:+.{digits}f}} to %{{customdata[2]:+.{digits}f}})<extra></extra>",
        )
    figure.update_layout(showlegend=True, legend=LEGEND)
    return figure


def _figure(colours: Palette, *, height: int, x_title: str, y_title: str = "") -> go.Figure:
    return go.Figure(layout=layout(colours, height=height, x_title=x_title, y_title=y_title))
