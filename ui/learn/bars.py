"""Bars with their intervals, drawn into a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pruning.render.markup.bars import Bar, bars_html

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def show(place: DeltaGenerator, bars: Sequence[Bar], *, reference: float | None = None, name: str = "") -> None:
    """Draw the bars into `place`; `reference`: a share that a line marks in all of them. `name`: what they show."""
    place.html(bars_html(bars, reference=reference, name=name))
