"""How every figure looks: colours of the two themes, letters, axes and legend. Colours have one meaning everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.tasks.metric import Metric

CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
SIZE = 14
"""Pixels; readable on a projector."""
LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False, "itemdoubleclick": False}
SERIES_COLOURS = {
    False: ("#0072b2", "#009e73", "#cc79a7", "#b58900"),
    True: ("#56b4e9", "#3ecf9a", "#e79ac3", "#e6c229"),
}
"""Light and dark: kept blue first, then the others of the colour-blind-safe set that mean nothing else here."""


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of one theme; blue and orange stay apart for every kind of colour blindness."""

    kept: str
    removed: str
    dense: str
    other: str
    """A green beside kept and removed: what is met, or a second kind of the same thing."""
    ink: str
    soft: str
    line: str
    panel: str
    paper: str
    scale: tuple[str, str]
    """Ends of a sequence from little to much."""


LIGHT = Palette(
    kept="#0072b2", removed="#d55e00", dense="#8a94a3", other="#007a5a", ink="#1b2430", soft="#5b6675", line="#dfe3e8",
    panel="#f6f7f9", paper="#ffffff", scale=("#87badb", "#004b77"),
)  # fmt: skip
DARK = Palette(
    kept="#56b4e9", removed="#ff9a4d", dense="#7d8897", other="#3ecf9a", ink="#e8ecf1", soft="#9aa6b5", line="#2b333e",
    panel="#191f27", paper="#11151b", scale=("#35698d", "#a5dafa"),
)  # fmt: skip


def palette(dark: bool) -> Palette:
    """The colours of a theme."""
    return DARK if dark else LIGHT


def layout(
    colours: Palette, *, height: int, x_title: str = "", y_title: str = "", x_grid: bool = False
) -> dict[str, Any]:
    """What all figures share: transparent, no legend, nothing that moves under the mouse."""
    font = {"family": FONT, "size": SIZE, "color": colours.ink}
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 14, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": font,
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {"bgcolor": colours.panel, "bordercolor": colours.line, "font": font},
        "xaxis": axis(colours, x_title) | {"showgrid": x_grid},
        "yaxis": axis(colours, y_title) | {"nticks": 6, "separatethousands": True},
    }


def axis(colours: Palette, title: str = "") -> dict[str, Any]:
    """An axis that stays as it is under the mouse."""
    return {
        "color": colours.soft,
        "gridcolor": colours.line,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"size": SIZE - 1},
        "title": {"text": title, "font": {"size": SIZE}, "standoff": 6},
    }


def hover_y(metric: Metric) -> str:
    """A value of a metric under the mouse, as Plotly writes it: '98.7 %'."""
    return f"%{{y:.{metric.digits}f}} {metric.unit}".rstrip()


def whole_range(metric: Metric, above: float) -> list[float] | None:
    """The range of an axis that holds every value of a metric, with a share of room above; None, so that Plotly
    chooses it, where there is no least or most."""
    ends = metric.scaled_bounds
    return None if ends is None else [ends[0], ends[1] + above * (ends[1] - ends[0])]


def faded(colour: str, opacity: float) -> str:
    """A colour such as '#0072b2' as CSS with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
