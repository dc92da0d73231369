"""Design tokens as CSS: each size and colour has a name that every style sheet uses, `var(--kept)`.

Sizes are in `tokens.css`; colours are those of every figure. Whoever shows HTML of ours on a page puts one of these
sheets into it, once: the app (`ui/kit/look.py`), a report, a notebook.
"""

from __future__ import annotations

from pathlib import Path

from pruning.render.figures.style import DARK, LIGHT, Palette, palette

SIZES = (Path(__file__).parent / "tokens.css").read_text(encoding="utf-8")
"""The sizes alone: for HTML that takes its colours from the text around it."""
COLOURS = ("kept", "removed", "dense", "other", "ink", "soft", "line", "panel", "paper")
"""Names of the colours, as `Palette` has them."""


def tokens(dark: bool) -> str:
    """Sizes, and the colours of one theme."""
    return f"{SIZES}:root{{{_colours(palette(dark))}}}"


def reader_tokens() -> str:
    """Sizes, and the colours of whichever theme the reader's system asks for; print is always light."""
    dark = f"@media (prefers-color-scheme:dark){{@media screen{{:root{{{_colours(DARK)}}}}}}}"
    return f"{SIZES}:root{{{_colours(LIGHT)}}}{dark}"


def _colours(colours: Palette) -> str:
    return ";".join(f"--{name}:{getattr(colours, name)}" for name in COLOURS)
