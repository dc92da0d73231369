"""Figures of the comparison: accuracy class by class, and which class is taken for which.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from torch import Tensor

from pruning.compare.classes import ClassChange
from pruning.render.figures.style import SIZE, Palette, layout, palette


def class_changes(found: Sequence[ClassChange], dark: bool) -> go.Figure:
    """Change of each class in percentage points with its 95 % interval, the first of `found` on top."""
    colours = palette(dark)
    figure = _figure(dark, height=70 + 34 * len(found))
    figure.add_vline(x=0, line={"color": colours.dense, "width": 1.5, "dash": "dash"})
    names = [change.name for change in found]
    middle = [100 * change.difference.value for change in found]
    spans = [[100 * end for end in change.difference.interval] for change in found]
    tones = [_tone(change, colours) for change in found]
    for name, (low, high), tone in zip(names, spans, tones, strict=True):
        figure.add_scatter(
            x=[low, high], y=[name, name], mode="lines", line={"color": tone, "width": 3}, hoverinfo="skip"
        )
    figure.add_scatter(
        x=middle,
        y=names,
        mode="markers",
        marker={"size": 12, "color": tones, "line": {"color": colours.paper, "width": 1.5}},
        customdata=[
            [100 * c.before_accuracy, 100 * c.after_accuracy, low, high, c.images, c.difference.newly_wrong,
             c.difference.newly_right]
            for c, (low, high) in zip(found, spans, strict=True)
        ],
        hovertemplate=(
            "<b>%{y}</b>: %{x:+.1f} points (%{customdata[2]:+.1f} to %{customdata[3]:+.1f})<br>"
            "%{customdata[0]:.1f} → %{customdata[1]:.1f} % of %{customdata[4]:,} images<br>"
            "%{customdata[5]} newly wrong, %{customdata[6]} newly right<extra></extra>"
        ),
    )  # fmt: skip
    ends = [0.0, *(end for span in spans for end in span)]
    room = 0.05 * (max(ends) - min(ends)) or 1.0
    figure.update_xaxes(title_text="change of accuracy, percentage points", range=[min(ends) - room, max(ends) + room])
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def confusion(counts: Tensor, names: Sequence[str], dark: bool) -> go.Figure:
    """How often the class of a row was answered with that of a column; right answers stand faint on the diagonal."""
    colours = palette(dark)
    wrong = counts.clone().fill_diagonal_(0)
    scale = [[0, colours.panel], [1, colours.removed]]
    texts = [[f"{count:,}" if count else "" for count in row] for row in counts.tolist()]
    return _matrix(
        wrong, texts, names, dark, colorscale=scale, zmin=0, zmax=max(1, int(wrong.max())),
        hover="%{y} answered as %{x}: %{text}",
    )  # fmt: skip


def confusion_change(before: Tensor, after: Tensor, names: Sequence[str], dark: bool) -> go.Figure:
    """What changed in the confusion: orange where a mix-up became more frequent, blue where it became rarer."""
    colours = palette(dark)
    change = after - before
    mixed = change.clone().fill_diagonal_(0)
    most = max(1, int(mixed.abs().max()))
    scale = [[0, colours.kept], [0.5, colours.panel], [1, colours.removed]]
    texts = [[f"{count:+,}".replace("-", "−") if count else "" for count in row] for row in change.tolist()]
    return _matrix(
        mixed, texts, names, dark, colorscale=scale, zmin=-most, zmax=most, hover="%{y} answered as %{x}: %{text}"
    )


def _matrix(
    values: Tensor, texts: list[list[str]], names: Sequence[str], dark: bool, *, hover: str, **colour: Any
) -> go.Figure:
    colours = palette(dark)
    count = len(names)
    figure = _figure(dark, height=110 + 33 * count)
    figure.add_heatmap(
        z=values.tolist(), x=list(names), y=list(names), text=texts, xgap=1, ygap=1, showscale=False,
        hovertemplate=hover + "<extra></extra>", **colour,
    )  # fmt: skip
    if count <= 20:
        places = [(row, column) for row in range(count) for column in range(count) if texts[row][column]]
        figure.add_scatter(
            x=[names[column] for _, column in places],
            y=[names[row] for row, _ in places],
            mode="text",
            text=[texts[row][column] for row, column in places],
            textfont={"size": SIZE - 1, "color": [_ink(values, r, c, colours) for r, c in places]},
            hoverinfo="skip",
        )
    figure.update_xaxes(title_text="answered", side="top", type="category", showgrid=False)
    figure.update_yaxes(title_text="true class", type="category", autorange="reversed", showgrid=False)
    return figure


def _tone(change: ClassChange, colours: Palette) -> str:
    if not change.shows:
        return colours.dense
    return colours.removed if change.difference.value < 0 else colours.kept


def _figure(dark: bool, *, height: int) -> go.Figure:
    colours = palette(dark)
    figure = go.Figure(layout=layout(colours, height=height, x_grid=True))
    figure.update_xaxes(tickfont_color=colours.ink)
    figure.update_yaxes(tickfont_color=colours.ink, nticks=None)
    return figure


def _ink(values: Tensor, row: int, column: int, colours: Palette) -> str:
    """The colour that is read best on a cell; soft on the diagonal."""
    if row == column:
        return colours.soft
    share = float(values[row, column]) / max(1, int(values.abs().max()))
    end = colours.removed if share > 0 else colours.kept
    cell = [(1 - abs(share)) * a + abs(share) * b for a, b in zip(_parts(colours.panel), _parts(end), strict=True)]
    return max((colours.ink, colours.paper), key=lambda ink: _contrast(_parts(ink), cell))


def _parts(colour: str) -> list[float]:
    """Red, green and blue as fractions."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _contrast(first: Sequence[float], second: Sequence[float]) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""

    def luminance(parts: Sequence[float]) -> float:
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
