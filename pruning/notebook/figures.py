"""Figures that only notebooks need."""

from __future__ import annotations

import plotly.graph_objects as go

from pruning.render.figures.style import LEGEND, SERIES_COLOURS, layout, palette
from pruning.sensitivity import FIGURES, FigureName, Sensitivity


def sensitivity_figure(found: Sensitivity, dark: bool, wanted: FigureName = "recalibrated") -> go.Figure:
    """One line a channel group or weight tensor: accuracy on select images against its own sparsity, as the figure that
    is wanted, or the furthest before it that was measured.
    """
    colours = palette(dark)
    name = found.furthest(wanted)
    figure = go.Figure(layout=layout(colours, height=420))
    palette_of = SERIES_COLOURS[dark]
    dashes = ("solid", "dash", "dot", "dashdot")
    for number, curve in enumerate(curve for curve in found.curves if curve.locked is None):
        figures = [point.figure(name) for point in curve.points]
        figure.add_scatter(
            x=[100 * point.achieved for point in curve.points],
            y=[100 * figure.value for figure in figures],
            customdata=[[100 * end for end in figure.interval] for figure in figures],
            mode="lines+markers",
            name=curve.name,
            line={
                "color": palette_of[number % len(palette_of)],
                "dash": dashes[number // len(palette_of) % len(dashes)],
                "width": 2,
            },
            hovertemplate="%{x:.0f} %: %{y:.1f} % (%{customdata[0]:.1f}–%{customdata[1]:.1f})",
        )
    removed = found.spec.info.title
    words = FIGURES[name]
    figure.update_xaxes(title_text=f"{removed} removed from this one alone, %", range=[-2, 101])
    figure.update_yaxes(title_text=f"accuracy {words}, % of {found.images:,} select images", range=[0, 102])
    figure.update_layout(showlegend=True, legend=LEGEND, margin={"l": 8, "r": 8, "t": 60, "b": 8})
    return figure
