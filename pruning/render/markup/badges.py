"""The three badges that say how a number came about, and the legend. Symbols, not colours, tell them apart."""

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
WORDS: dict[str, str] = {
    **{str(kind): meaning for kind, meaning in MEANINGS.items()},
    "roles": "train, select, test",
    "roles_are": "three separate sets of images: to learn from, to choose by, to look at once at the end",
    "macs": "MACs",
    "macs_are": "multiply-accumulates, the multiplications of one image",
}
"""What a page's legend says: of the badges, and of two words that stand on every page."""


def of_metric(tuned: bool) -> Kind:
    """The badge of what was measured of a network: after fine-tuning, or without it."""
    return "tuned" if tuned else "measured"


def of_clock(estimated: bool) -> Kind:
    """The badge of a speed-up: worked out from two runs, or measured in turn."""
    return "estimated" if estimated else "measured"


def badge(kind: Kind) -> str:
    """A badge as HTML, with its meaning for the mouse and for screen readers."""
    return (
        f'<span class="px-badge px-{kind}" role="img" title="{MEANINGS[kind]}" aria-label="{MEANINGS[kind]}">'
        f"<i>{SYMBOLS[kind]}</i></span>"
    )


def legend(words: Mapping[str, str] = WORDS) -> str:
    """The legend of a page as HTML: once, at its end. Lessons bring their own `words`."""
    said = "".join(
        f"<span><b>{escape(words[key])}</b>: {escape(words[f'{key}_are'])}</span>" for key in ("roles", "macs")
    )
    style = "<style>.px-words{margin-top:.15em}.px-words b{font-weight:var(--bold)}</style>"
    return f'{style}{legend_of_badges(words)}<div class="px-legend px-words">{said}</div>'


def legend_of_badges(meanings: Mapping[Kind, str] | Mapping[str, str] = MEANINGS) -> str:
    """The badges alone as HTML. `meanings`: kind → words."""
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
