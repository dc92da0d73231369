"""The three badges that say how a number came about, and their one legend. Symbols, not colours, tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
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
        f'<span class="px-badge px-{kind}" role="img" title="{MEANINGS[kind]}" aria-label="{MEANINGS[kind]}">'
        f"<i>{SYMBOLS[kind]}</i></span>"
    )


def legend(meanings: Mapping[Kind, str] | Mapping[str, str] = MEANINGS) -> str:
    """The legend as HTML: once a page, at its end. `meanings`: kind → words."""
    entries = "".join(f"<span>{badge(kind)} {escape(meanings[kind])}</span>" for kind in SYMBOLS)
    return f'<style>{STYLE}</style><div class="px-legend">{entries}</div>'


# Drawn with borders: as characters they differ in size from font to font. The character stays for copying text.
STYLE = """
.px-badge{display:inline-block;box-sizing:border-box;width:.62rem;height:.62rem;margin-left:.4rem;overflow:hidden;
 border:.1rem solid currentColor;border-radius:50%;opacity:.7;vertical-align:.05em}
.px-badge i{display:block;text-indent:2rem;font-size:.5rem}
.px-measured,.px-tuned{background:currentColor}
.px-tuned{border-radius:0;transform:rotate(45deg) scale(.9)}
.px-legend{display:flex;flex-wrap:wrap;gap:.2em 1.2em;font-size:var(--text-small);opacity:var(--faint)}
.px-legend .px-badge{margin:0 .25em 0 0;opacity:1;vertical-align:-.02em}
"""
