"""Two networks drawn to scale, one above the other, as an SVG: a block a layer, its height the number of channels.

In the first network a channel that only it has is orange and fades; where single weights went, a block is as wide as
the share of its parameters that are not zero. Colours come from CSS variables of the page (`--kept`,
`--removed`, `--dense`) and `currentColor`; motion only where the reader's system does not ask for less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

from pruning.compare.networks import Layer, LayerPair

WIDTH = 1120.0
"""Of the drawing where the layers leave room; more where there are many."""
COLUMN, BLOCK = 56.0, 40.0
"""Least width of a layer's place, and the width of its block."""
ROOM = 92.0
"""Where a place is narrower, the layers' names stand aslant."""
FULL = 0.995
"""From this share of weights that are not zero a block is drawn whole."""
LINES = 64
"""Most channels of a block whose channels are drawn apart."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Lengths of a drawing, in its own units."""

    tall: float
    """Height of the layer with most channels."""
    head: float
    """Room above the blocks for their numbers and the network's name."""
    foot: float
    """Room below them, for the layers' names."""
    names: bool
    """Whether layers are named, and shares written out."""
    aslant: bool = False
    """Names stand aslant, and shares are left to the table: there is little room for each layer."""


PAGE = Look(tall=96.0, head=36.0, foot=26.0, names=True)
ASLANT = replace(PAGE, foot=74.0, aslant=True)
HALL = Look(tall=172.0, head=72.0, foot=8.0, names=False)
"""To be seen from afar: only numbers, in large letters."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a layer's block stands."""

    number: int
    x: float
    middle: float
    unit: float
    """Height of one channel."""
    look: Look


def drawing(pairs: Sequence[LayerPair], *, before: str = "before", after: str = "after", look: Look = PAGE) -> str:
    """Both networks as an SVG element; `before` and `after` are their names."""
    rows = [
        [(pair, layer) for pair in pairs if (layer := getattr(pair, side)) is not None] for side in ("before", "after")
    ]
    most = max(len(row) for row in rows)
    column = max(COLUMN, WIDTH / most)
    look = ASLANT if look.names and column < ROOM else look
    unit = look.tall / max(layer.channels for pair in pairs for layer in (pair.before, pair.after) if layer is not None)
    tall = look.head + look.tall + look.foot
    letters = (13.0 if look.names else 26.0) * max(1.0, 1.0 if look.names else column * most / WIDTH)
    parts = []
    for row, name, top in ((rows[0], before, 0.0), (rows[1], after, tall)):
        middle = top + look.head + look.tall / 2
        places = [
            _Place(number=number, x=column * number + (column - BLOCK) / 2, middle=middle, unit=unit, look=look)
            for number in range(len(row))
        ]
        parts.append(f'<text class="cmp-title" x="0" y="{top + letters:g}">{escape(name)}</text>')
        parts.append(_flow([(place, layer) for place, (_, layer) in zip(places, row, strict=True)]))
        parts += [_block(place, pair, layer, first=not top) for place, (pair, layer) in zip(places, row, strict=True)]
    least = f"min-width:{0.92 * column * most:.0f}px;" if look.names else ""
    return (
        f'<svg class="cmp-drawing" viewBox="0 0 {column * most:g} {2 * tall:g}" preserveAspectRatio="xMinYMid" '
        f'role="img" aria-label="{escape(_alt(pairs))}" style="{least}font-size:{letters:g}px">{"".join(parts)}</svg>'
    )


def _flow(row: Sequence[tuple[_Place, Layer]]) -> str:
    """What runs from each layer to the next, as a faint shape between their blocks."""
    found = []
    for (one, first), (two, second) in pairwise(row):
        high, low, middle = first.channels * one.unit / 2, second.channels * two.unit / 2, one.middle
        found.append(
            f"M{one.x + BLOCK:.1f} {middle - high:.1f}L{two.x:.1f} {middle - low:.1f}V{middle + low:.1f}"
            f"L{one.x + BLOCK:.1f} {middle + high:.1f}Z"
        )
    return f'<path class="cmp-flow" d="{"".join(found)}"/>'


def _block(place: _Place, pair: LayerPair, layer: Layer, *, first: bool) -> str:
    tall = layer.channels * place.unit
    start = place.middle - tall / 2
    gone = set(pair.gone) if first else set()
    wide = BLOCK if layer.density > FULL else BLOCK * layer.density
    stay = [number for number, channel in enumerate(layer.kept) if channel not in gone]
    leave = [number for number, channel in enumerate(layer.kept) if channel in gone]
    apart = layer.channels <= LINES and place.unit >= 2
    parts = [_cells("cmp-stays", stay, place, start, wide, apart)]
    if leave:
        parts.append(_cells("cmp-goes", leave, place, start, wide, apart))
    sparse = wide < BLOCK - 0.5
    if sparse:
        zero = f'x="{place.x + wide:.1f}" y="{start:.1f}" width="{BLOCK - wide:.1f}" height="{tall:.1f}"'
        parts.append(f'<rect class="cmp-zero" {zero}/>')
    centre = place.x + BLOCK / 2
    text = f"{layer.channels:,}" + (
        f" · {100 * layer.density:.0f} %" if sparse and place.look.names and not place.look.aslant else ""
    )
    parts.append(f'<text class="cmp-number" x="{centre:.1f}" y="{start - 6:.1f}">{text}</text>')
    if place.look.names:
        below = place.middle + place.look.tall / 2 + 18
        turned = (
            f' transform="rotate(-40 {centre:.1f} {below:.1f})" style="text-anchor:end"' if place.look.aslant else ""
        )
        at = f'x="{centre:.1f}" y="{below:.1f}"{turned}'
        parts.append(f'<text class="cmp-name" {at}>{escape(_short(layer.name))}</text>')
    kind = "cmp-before" if first else "cmp-after"
    return f'<g class="{kind}"><title>{escape(_words(pair, layer))}</title>{"".join(parts)}</g>'


def _cells(kind: str, numbers: Sequence[int], place: _Place, start: float, wide: float, apart: bool) -> str:
    """Channels at their places as one path: each apart where there is room, else neighbours joined."""
    gap = min(1.4, place.unit * 0.2) if apart else 0.0
    path = []
    for first, last in _runs(numbers, joined=not apart):
        y, tall = start + first * place.unit + gap / 2, (last - first + 1) * place.unit - gap
        path.append(f"M{place.x:.1f} {y:.2f}h{wide:.1f}v{tall:.2f}h{-wide:.1f}z")
    style = f' style="animation-delay:{0.5 + 0.12 * place.number:.2f}s"' if kind == "cmp-goes" else ""
    return f'<path class="{kind}"{style} d="{"".join(path)}"/>'


def _runs(numbers: Sequence[int], *, joined: bool) -> list[tuple[int, int]]:
    """First and last number of each unbroken run; every number by itself unless `joined`.

    >>> _runs([0, 1, 2, 5], joined=True)
    [(0, 2), (5, 5)]
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if joined and found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _short(name: str) -> str:
    """A layer's name in the room there is: the end tells it apart."""
    return name if len(name) <= 15 else f"…{name[-14:]}"


def _words(pair: LayerPair, layer: Layer) -> str:
    if pair.before is None or pair.after is None:
        return f"{layer.name}: {layer.channels:,} channels, {layer.params:,} parameters"
    return (
        f"{pair.name}, {layer.what}: channels {pair.before.channels:,} → {pair.after.channels:,}, parameters that are "
        f"not zero {pair.before.nonzero:,} → {pair.after.nonzero:,}, MACs {pair.before.macs:,} → {pair.after.macs:,}"
    )


def _alt(pairs: Sequence[LayerPair]) -> str:
    """The drawing in a sentence, for those who cannot see it; the table has every number."""
    both = [(pair.before, pair.after) for pair in pairs if pair.before is not None and pair.after is not None]
    if not both:
        return "Two different networks, each drawn layer by layer, as high as it has channels."
    smaller = sum(after.channels < before.channels for before, after in both)
    return (
        f"Both networks layer by layer, each block as high as the layer has channels: {smaller} of {len(both)} layers "
        f"are narrower afterwards, {sum(b.channels for b, _ in both):,} channels became "
        f"{sum(a.channels for _, a in both):,}."
    )


STYLE = """
.cmp-drawing{display:block;width:100%;height:auto;margin:0 auto;font-variant-numeric:tabular-nums;color:inherit}
.cmp-drawing text{fill:currentColor;font-size:1em}
.cmp-drawing .cmp-title{font-size:1.08em;font-weight:var(--bold)}
.cmp-drawing .cmp-number{text-anchor:middle;font-weight:var(--bold)}
.cmp-drawing .cmp-name{text-anchor:middle;font-size:.9em}
.cmp-flow{fill:currentColor;opacity:.09}
.cmp-stays{fill:var(--kept)}
.cmp-goes{fill:var(--removed);opacity:.42}
.cmp-zero{fill:var(--removed);opacity:.3}
@media (prefers-reduced-motion:no-preference){
.cmp-goes{animation:cmp-goes 1.8s ease-in both}
.cmp-after{animation:cmp-after .8s 1.6s ease-out both}
}
@keyframes cmp-goes{0%{fill:var(--kept);opacity:1}35%{fill:var(--removed);opacity:1}
100%{fill:var(--removed);opacity:.42}}
@keyframes cmp-after{from{opacity:0}to{opacity:1}}
"""
"""CSS for the drawing; once a page."""
