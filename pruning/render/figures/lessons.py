"""Figures of the lessons: two schedules that race, their difference, and where to stop on a trade-off.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
They stand in lessons, which may be in any language: every word comes with `words`, name → text with `{names}` to be
filled in.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pruning.render.figures.style import LEGEND, SERIES_COLOURS, SIZE, Palette, faded, layout, palette


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a race: a lane a seed, each a list of (step, accuracy as a fraction), all at the same steps as far
    as they have come."""

    name: str
    lanes: Sequence[Sequence[tuple[int, float]]]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One place to stop: what is saved, and the change in accuracy against the dense network, as fractions."""

    saved: float
    change: float
    low: float
    high: float
    title: str
    """What was cut, in words."""


def race_bands(sides: Sequence[Side], dark: bool, *, steps: int, dense: float, words: Mapping[str, str]) -> go.Figure:
    """Each side's mean with a band from its worst to its best lane, as far as all its lanes have come.

    `words`: axis_step, axis_accuracy, seeds_of {side} {count}, at_step {side} {step} {mean} {low} {high}.
    """
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=290))
    figure.add_hline(y=100 * dense, line={"color": colours.dense, "width": 1.5, "dash": "dash"})
    for number, side in enumerate(sides):
        colour, dash = SERIES_COLOURS[dark][1 + number], ("solid", "dot")[number % 2]
        common = min((len(lane) for lane in side.lanes), default=0)
        points = [[100 * lane[i][1] for lane in side.lanes] for i in range(common)]
        at = [side.lanes[0][i][0] for i in range(common)]
        figure.add_scatter(
            x=[*at, *at[::-1]],
            y=[*map(max, points), *map(min, reversed(points))],
            fill="toself",
            fillcolor=faded(colour, 0.22),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=at,
            y=[statistics.mean(values) for values in points],
            mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 6, "symbol": ("circle", "square")[number % 2]},
            name=words["seeds_of"].format(side=side.name, count=len(side.lanes)),
            hovertext=[
                words["at_step"].format(
                    side=side.name,
                    step=step,
                    mean=f"{statistics.mean(values):.1f}",
                    low=f"{min(values):.1f}",
                    high=f"{max(values):.1f}",
                )
                for step, values in zip(at, points, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_xaxes(title_text=words["axis_step"], range=[-0.02 * steps, 1.03 * steps])
    figure.update_yaxes(title_text=words["axis_accuracy"], range=[0, 103])
    figure.update_layout(showlegend=True, legend=LEGEND, margin={"l": 8, "r": 8, "t": 34, "b": 8})
    return figure


def difference_intervals(
    rows: Mapping[str, tuple[float, float]],
    dark: bool,
    *,
    middle: float,
    left: str,
    right: str,
    words: Mapping[str, str],
) -> go.Figure:
    """Intervals of one difference, in points, about zero: `left` and `right` say whom each side favours.

    `rows`: name → ends, as fractions; `middle`: the difference. `words`: axis_difference, ends {name} {low} {high}.
    """
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=36 * len(rows) + 80))
    names = list(rows)
    ends = [100 * abs(value) for pair in rows.values() for value in pair]
    reach = 1.25 * max(*ends, 1.0)
    figure.add_scatter(
        x=[100 * middle] * len(names),
        y=names,
        mode="markers",
        marker={"color": colours.ink, "symbol": "diamond", "size": 11},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (high - middle) for _, high in rows.values()],
            "arrayminus": [100 * (middle - low) for low, _ in rows.values()],
            "color": colours.ink,
            "thickness": 2.5,
            "width": 7,
        },
        hovertext=[
            words["ends"].format(name=name, low=f"{100 * low:+.1f}", high=f"{100 * high:+.1f}")
            for name, (low, high) in rows.items()
        ],
        hoverinfo="text",
    )
    figure.add_vline(x=0, line={"color": colours.soft, "width": 2})
    for said, place, anchor in ((f"← {left}", -0.02 * reach, "right"), (f"{right} →", 0.02 * reach, "left")):
        figure.add_annotation(
            x=place, y=1.0, yref="paper", yanchor="bottom", xanchor=anchor, text=said, showarrow=False,
            font={"size": SIZE - 1, "color": colours.soft},
        )  # fmt: skip
    figure.update_xaxes(title_text=words["axis_difference"], range=[-reach, reach], ticksuffix="")
    figure.update_yaxes(type="category", range=[len(names) - 0.5, -0.5], showgrid=False, ticksuffix="  ")
    figure.update_layout(margin={"l": 8, "r": 8, "t": 26, "b": 8})
    return figure


def stopping_curve(
    stops: Sequence[Stop],
    dark: bool,
    *,
    accept: float,
    at: int,
    knee: int | None = None,
    tuned: Sequence[Stop] = (),
    deepest: float,
    words: Mapping[str, str],
) -> go.Figure:
    """Change in accuracy against multiplications saved, with the loss that is accepted as a line.

    `at` and `knee`: places in `stops`; `tuned`: stops after fine-tuning; `deepest`: the largest loss in sight.
    `words`: axis_saved, axis_change, limit, recalibrated, tuned, your_stop, knee, at_stop {cut} {kind} {change} {low}
    {high} {saved}.
    """
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=330))
    x = [100 * stop.saved for stop in stops]
    y = [100 * stop.change for stop in stops]
    figure.add_hrect(y0=-100 * accept, y1=-100, fillcolor=faded(colours.removed, 0.09), line_width=0)
    figure.add_hline(y=0, line={"color": colours.dense, "width": 1.5, "dash": "dash"})
    figure.add_hline(
        y=-100 * accept,
        line={"color": colours.removed, "width": 2},
        annotation={
            "text": words["limit"], "font": {"color": colours.ink, "size": SIZE - 1}, "xanchor": "left", "x": 0.005,
            "yanchor": "top",
        },
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": colours.kept, "width": 2}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.add_trace(_stops(stops, colours, name=words["recalibrated"], symbol="circle", size=9, at=words["at_stop"]))
    if tuned:
        figure.add_trace(_stops(tuned, colours, name=words["tuned"], symbol="diamond", size=13, at=words["at_stop"]))
    figure.add_scatter(
        x=[x[at]],
        y=[max(y[at], -100 * deepest * 0.97)],
        mode="markers",
        marker={"symbol": "circle-open", "size": 21, "color": colours.ink, "line": {"width": 2.5}},
        hoverinfo="skip",
        name=words["your_stop"],
    )
    if knee is not None:
        figure.add_annotation(
            x=x[knee], y=max(y[knee], -100 * deepest * 0.9), text=words["knee"], showarrow=True, arrowhead=0,
            ax=-34, ay=34, arrowcolor=colours.soft, font={"color": colours.ink, "size": SIZE},
        )  # fmt: skip
    figure.update_xaxes(title_text=words["axis_saved"], range=[-3, 101])
    figure.update_yaxes(title_text=words["axis_change"], range=[-100 * deepest, 0.16 * 100 * deepest])
    figure.update_layout(showlegend=True, legend=LEGEND, margin={"l": 8, "r": 8, "t": 34, "b": 8})
    return figure


def knee(stops: Sequence[tuple[float, float]]) -> int | None:
    """The place where a falling curve bends most: the point farthest above the straight line between its ends, both
    axes scaled to 0–1 (Satopää et al. 2011, "Finding a Kneedle in a Haystack"). None where no point lies above it.

    >>> knee([(0.0, 1.0), (0.5, 0.9), (1.0, 0.0)])
    1
    """
    if len(stops) < 3:
        return None
    (x0, y0), (x1, y1) = stops[0], stops[-1]
    if x1 == x0 or y1 == y0:
        return None
    above = [(y - y1) / (y0 - y1) - (1 - (x - x0) / (x1 - x0)) for x, y in stops]
    best = max(range(len(stops)), key=lambda i: above[i])
    return best if above[best] > 1e-9 else None


def _stops(stops: Sequence[Stop], colours: Palette, *, name: str, symbol: str, size: int, at: str) -> go.Scatter:
    return go.Scatter(
        x=[100 * stop.saved for stop in stops],
        y=[100 * stop.change for stop in stops],
        mode="markers",
        marker={"color": colours.kept, "symbol": symbol, "size": size, "line": {"color": colours.paper, "width": 1}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (stop.high - stop.change) for stop in stops],
            "arrayminus": [100 * (stop.change - stop.low) for stop in stops],
            "color": colours.kept,
            "thickness": 1.4,
            "width": 4,
        },
        name=name,
        hovertext=[
            at.format(
                cut=stop.title,
                kind=name,
                change=f"{100 * stop.change:+.1f}",
                low=f"{100 * stop.low:+.1f}",
                high=f"{100 * stop.high:+.1f}",
                saved=f"{100 * stop.saved:.0f}",
            )
            for stop in stops
        ],
        hoverinfo="text",
    )
