"""What a repair without training gave, class by class, as a figure.

Like `pruning.render.figures.network`: transparent, without a title, colours with one meaning, `dark` for the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from pruning.compare.repaired import drawn_range
from pruning.render.figures.style import LEGEND, Palette, layout, palette

if TYPE_CHECKING:
    from pruning.compare.repaired import ClassRepaired, RepairGain

MOST = 30
"""Classes that are drawn, those that still lose most; the table has all."""
LONGEST = 28
"""Letters of a class's name."""


def classes_repaired(found: RepairGain, dark: bool) -> go.Figure:
    """Accuracy of each class as cut (ring), repaired (square, with the 95 % interval of what it won), fine-tuned
    (diamond) and unpruned (cross): a line leads from the cut to the repair, blue where a gain and orange where a loss
    is beyond chance."""
    colours = palette(dark)
    shown = found.classes[:MOST]
    figure = go.Figure(layout=layout(colours, height=110 + 34 * len(shown), x_grid=True))
    for title, mine, colour in _lines(shown, colours):
        figure.add_scatter(
            x=[end for _, one in mine for end in (_at(one, "as_cut"), _at(one, "repaired"), None)],
            y=[end for place, _ in mine for end in (place, place, None)],
            mode="lines",
            line={"color": colour, "width": 5},
            opacity=0.5,
            hoverinfo="skip",
            name=title,
        )
    figure.add_trace(_marks(shown, "dense", "x-thin", colours.dense, "original"))
    figure.add_trace(_marks(shown, "as_cut", "circle-open", colours.removed, "as cut"))
    spans = [(_at(one, "repaired"), *(100 * end for end in one.repaired_span)) for one in shown]
    repaired = _marks(shown, "repaired", "square", colours.kept, "repaired")
    repaired.update(
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, high - value) for value, _, high in spans],
            "arrayminus": [max(0.0, value - low) for value, low, _ in spans],
            "color": colours.soft,
            "thickness": 1.3,
            "width": 4,
        }
    )
    figure.add_trace(repaired)
    if found.tuned:
        figure.add_trace(_marks(shown, "finetuned", "diamond", colours.other, "fine-tuned"))
    low, high = (100 * end for end in drawn_range(shown))
    room = 0.02 * (high - low)
    figure.update_xaxes(title_text="accuracy on select images, %", range=[low - room, high + room])
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(shown))),
        ticktext=[_short(one.name) for one in shown],
        range=[len(shown) - 0.5, -0.5],
        tickfont_color=colours.ink,
        showgrid=False,
    )
    figure.update_layout(showlegend=True, legend=LEGEND, margin={"l": 8, "r": 14, "t": 46, "b": 8})
    return figure


def _lines(shown: Sequence[ClassRepaired], colours: Palette) -> list[tuple[str, list[tuple[int, ClassRepaired]], str]]:
    """What became of classes → those, with their places, and the colour."""
    kinds: dict[str, list[tuple[int, ClassRepaired]]] = {"gained": [], "lost": [], "may be chance": []}
    for place, one in enumerate(shown):
        kind = "may be chance" if not one.gain_stands else "gained" if one.gained.value > 0 else "lost"
        kinds[kind].append((place, one))
    tones = {"gained": colours.kept, "lost": colours.removed, "may be chance": colours.dense}
    return [(kind, mine, tones[kind]) for kind, mine in kinds.items() if mine]


def _marks(shown: Sequence[ClassRepaired], stage: str, symbol: str, colour: str, title: str) -> go.Scatter:
    return go.Scatter(
        x=[_at(one, stage) for one in shown],
        y=list(range(len(shown))),
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2, "color": colour}},
        name=title,
        customdata=[[one.name, one.right[stage], one.images] for one in shown],
        hovertemplate=(
            f"<b>%{{customdata[0]}}</b>, {title}: %{{x:.1f}} % (%{{customdata[1]:,}} of %{{customdata[2]:,}} images)"
            "<extra></extra>"
        ),
    )


def _at(one: ClassRepaired, stage: str) -> float:
    return 100 * one.accuracy(stage)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
