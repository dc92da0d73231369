"""The three badges, which live in the engine, for reports show them too; and the legend at the end of each page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from pruning.render.markup.badges import MEANINGS, STYLE, SYMBOLS, Kind, badge
from pruning.render.markup.badges import legend as _symbols

__all__ = ["MEANINGS", "STYLE", "SYMBOLS", "WORDS", "Kind", "badge", "legend"]

WORDS: dict[str, str] = {
    **{str(kind): meaning for kind, meaning in MEANINGS.items()},
    "roles": "train, select, test",
    "roles_are": "three separate sets of images: to learn from, to choose by, to look at once at the end",
    "macs": "MACs",
    "macs_are": "multiply-accumulates, the multiplications of one image",
}


def legend(words: Mapping[str, str] = WORDS) -> str:
    """The legend as HTML: once a page, at its end. Lessons bring their own `words`."""
    said = "".join(
        f"<span><b>{escape(words[key])}</b>: {escape(words[f'{key}_are'])}</span>" for key in ("roles", "macs")
    )
    style = "<style>.px-words{margin-top:.15em}.px-words b{font-weight:600}</style>"
    return f'{style}{_symbols(words)}<div class="px-legend px-words">{said}</div>'
