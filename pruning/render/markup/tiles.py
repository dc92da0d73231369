"""Big-number tiles: the ratio large, the amounts in small print, a badge on every number.

    place.html(tiles.html([Tile(title="Parameters", numbers=(Number("÷ 1.73", "measured", "156 K of 270 K"),))]))

Colours come from the theme through `currentColor`, so light and dark need nothing. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pruning.render.markup import badges


@dataclass(frozen=True)
class Number:
    """One big number: its text, how it came about, and the small print below it."""

    big: str
    badge: badges.Kind | None = None
    small: str = ""
    dim: bool = False
    """Not the figure to look at, or not there yet."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One panel: a title that names what is counted, and one or more numbers side by side."""

    title: str
    numbers: tuple[Number, ...]
    width: float = 1.0
    """Relative to the other tiles of the row."""


WAITING = Number("…", None, "measuring", dim=True)


def absent(small: str) -> Number:
    """A number that there is not; `small` says what it would be, or why."""
    return Number("–", None, small, dim=True)


def html(tiles: Sequence[Tile]) -> str:
    """A row of tiles as HTML."""
    columns = " ".join(f"minmax(0,{tile.width:g}fr)" for tile in tiles)
    panels = "".join(_panel(tile) for tile in tiles)
    return (
        f'<style>{badges.STYLE}{STYLE}</style><div class="px-tiles" style="--px-columns:{columns}" '
        f'aria-live="polite">{panels}</div>'
    )


def _panel(tile: Tile) -> str:
    numbers = "".join(_number(number) for number in tile.numbers)
    return f'<section class="px-tile"><h2>{escape(tile.title)}</h2><div class="px-row">{numbers}</div></section>'


def _number(number: Number) -> str:
    mark = badges.badge(number.badge) if number.badge else ""
    kind = ' class="px-dim"' if number.dim else ""
    return f"<div{kind}><b>{escape(number.big)}</b>{mark}<small>{escape(number.small)}</small></div>"


STYLE = """
.px-tiles{display:grid;grid-template-columns:var(--px-columns);gap:.75rem;font-variant-numeric:tabular-nums}
.px-tile{background:color-mix(in srgb,currentColor 5%,transparent);border-radius:var(--corner-panel);
 padding:.55rem .9rem .6rem}
.px-tile h2{margin:0!important;padding:0!important;font-size:var(--text-small)!important;font-weight:500!important;
 line-height:1.4!important;letter-spacing:0!important;color:inherit;opacity:var(--faint)}
.px-tile .px-row{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem}
.px-tile b{font-size:1.65rem;font-weight:var(--heavy);line-height:1.25;white-space:nowrap}
.px-tile small{display:block;font-size:var(--text-small);line-height:1.35;opacity:var(--faint)}
.px-tile .px-dim b{opacity:var(--faint);font-weight:500}
@media (max-width:860px){.px-tiles{grid-template-columns:1fr 1fr}.px-tile:first-child,
 .px-tile:last-child:nth-child(even){grid-column:1/-1}}
"""
