"""The three badges that say how a number came about, and their one legend. Symbols, not colours, tell them apart."""

from __future__ import annotations

from typing import Literal

Kind = Literal["estimated", "measured", "tuned"]

SYMBOLS: dict[Kind, str] = {"estimated": "○", "measured": "●", "tuned": "◆"}
MEANINGS: dict[Kind, str] = {
    "estimated": "estimated",
    "measured": "measured",
    "tuned": "measured after fine-tuning",
}


def badge(kind: Kind) -> str:
    """A badge as HTML, with its meaning for the mouse and for screen readers."""
    return (
        f'<span class="px-badge" role="img" title="{MEANINGS[kind]}" aria-label="{MEANINGS[kind]}">'
        f"{SYMBOLS[kind]}</span>"
    )


def legend() -> str:
    """The legend as HTML: once a page, at its end."""
    entries = "".join(f"<span>{badge(kind)} {MEANINGS[kind]}</span>" for kind in SYMBOLS)
    return f'<style>{STYLE}</style><div class="px-legend">{entries}</div>'


STYLE = """
.px-badge{font-size:.75em;opacity:.75;margin-left:.2em;font-weight:400;vertical-align:.08em}
.px-legend{display:flex;flex-wrap:wrap;gap:.2em 1.2em;font-size:.87rem;opacity:.75}
.px-legend .px-badge{margin:0 .1em 0 0;opacity:1}
"""
