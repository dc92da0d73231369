"""Two layers in a row as grids of what they read × what they make, with what went taken out of both: HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from pruning.render.markup import badges, grids


@dataclass(frozen=True, kw_only=True)
class DrawnLayer:
    """One of the two layers, with its words."""

    title: str
    reads: str
    """What its columns are."""
    makes: str
    """What its rows are."""
    left: str
    """How much of it is left."""
    rows: int
    """Of the drawing's width, how many rows and columns are left: the last ones go."""
    columns: int


def layer_pair(first: DrawnLayer, second: DrawnLayer, *, width: int, passes: str, note: str, alt: str) -> str:
    """Both layers side by side.

    `width`: rows and columns of each grid before anything went. `passes`: what the first hands to the second; `note`:
    a line below; `alt`: for screen readers.
    """
    arrow = f'<p class="px-pass"><span>{escape(passes)}</span><b aria-hidden="true">⟶</b></p>'
    one, two = (_layer(layer, width, alt) for layer in (first, second))
    return (
        f"<style>{grids.STYLE}{badges.STYLE}{STYLE}</style>"
        f'<div class="px-two">{one}{arrow}{two}</div>'
        f'<p style="margin:.4rem 0 0">{escape(note)}</p>'
    )


def _layer(layer: DrawnLayer, width: int, alt: str) -> str:
    cells = [
        [grids.cell(0.75) if i < layer.rows and j < layer.columns else grids.GONE for j in range(width)]
        for i in range(width)
    ]
    return (
        f"<div><h3>{escape(layer.title)}</h3><small>{escape(layer.reads)}</small>"
        f'<div class="px-one"><small>{escape(layer.makes)}</small>{grids.grid(cells, alt=alt)}</div>'
        f"<p><b>{escape(layer.left)}</b>{badges.badge('measured')}</p></div>"
    )


STYLE = """
.px-two{display:grid;grid-template-columns:minmax(0,17rem) minmax(5rem,8rem) minmax(0,17rem);gap:.6rem;
 align-items:center;font-variant-numeric:tabular-nums}
.px-two h3{margin:0!important;padding:0!important;font-size:1rem!important;font-weight:var(--bold)}
.px-two small{font-size:var(--text-small);display:block}
.px-two p{margin:.3rem 0 0!important}
.px-one{display:grid;grid-template-columns:1.2rem minmax(0,1fr);align-items:center;margin-top:.2rem}
.px-one>small{writing-mode:vertical-rl;transform:rotate(180deg);text-align:center;justify-self:center}
.px-pass{display:grid;justify-items:center;line-height:1.2;text-align:center}
.px-pass b{font-size:1.6rem;font-weight:400}
@media (max-width:640px){.px-two{grid-template-columns:minmax(0,17rem)}.px-pass b{rotate:90deg}}
"""
