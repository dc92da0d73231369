"""Images as a network sees them, each with what it answers and what is right, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pruning.render.markup.pixels import photo

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """One image."""

    image: Tensor
    """uint8, 1 or 3 channels × height × width."""
    answer: str = ""
    """What the network says; '' where it was not asked."""
    truth: str = ""
    """What is right; '' where nobody says."""


def html(images: Sequence[Seen]) -> str:
    """All of them in a row, two rows where there is little room."""
    return f'<style>{STYLE}</style><ul class="px-seen">{"".join(map(_card, images))}</ul>'


def _card(seen: Seen) -> str:
    alt = f"Image of {seen.truth}" if seen.truth else "Image without a label"
    words = ""
    if seen.answer:
        mark = "" if not seen.truth else " class='px-right'" if seen.answer == seen.truth else " class='px-wrong'"
        words = f"<b{mark}>{escape(seen.answer)}</b>"
    if seen.truth and seen.truth != seen.answer:
        words += f"<small>{'is ' if seen.answer else ''}{escape(seen.truth)}</small>"
    return f'<li><img src="{photo(seen.image)}" alt="{escape(alt, quote=True)}">{words}</li>'


STYLE = """
.px-seen{list-style:none;margin:.2rem 0!important;padding:0!important;display:grid;gap:.5rem;
 grid-template-columns:repeat(8,minmax(0,1fr))}
.px-seen li{margin:0!important;min-width:0;line-height:1.25;font-size:.84rem}
.px-seen img{width:100%;aspect-ratio:1;object-fit:contain;border-radius:var(--corner);display:block;
 margin-bottom:.25rem;background:color-mix(in srgb,currentColor 6%,transparent)}
.px-seen b{display:block;font-weight:var(--bold);overflow-wrap:anywhere}
.px-seen small{display:block;opacity:.8;overflow-wrap:anywhere}
.px-seen .px-wrong::before{content:"✗ "}.px-seen .px-right::before{content:"✓ "}
@media (max-width:700px){.px-seen{grid-template-columns:repeat(4,minmax(0,1fr))}}
"""
