"""What surrounds a grid of filters' answers: its key as HTML, and how large each map is drawn."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.render.figures.style import Palette


def legend(names: tuple[str, str], reach: float, colours: Palette) -> str:
    """Which network is left and which right, the scale from `-reach` to `reach`, and what is removed."""
    scale = f"linear-gradient(90deg,{colours.dense},{colours.panel},{colours.kept})"
    first, second = map(escape, names)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:center;font-size:var(--text-small);'
        f'color:{colours.soft}"><span>left {first}, right {second}</span>'
        f'<span style="display:inline-flex;gap:.4rem;align-items:center">−{reach:.3g}<i style="width:7rem;height:.7rem;'
        f'border:1px solid {colours.line};border-radius:var(--corner-small);background:{scale}"></i>{reach:.3g}</span>'
        f'<span style="display:inline-flex;gap:.4rem;align-items:center"><i style="width:.8rem;height:.8rem;'
        f"border:1px solid {colours.removed};border-radius:var(--corner-small);"
        "background:repeating-linear-gradient(135deg,"
        f'{colours.removed} 0 2px,transparent 2px 5px)"></i>removed</span></div>'
    )


def pixels(count: int) -> int:
    """The side of a map: few are drawn large."""
    return 66 if count <= 12 else 48 if count <= 20 else 38 if count <= 32 else 30
