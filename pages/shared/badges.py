"""The three badges, which live in the engine, for reports show them too; and the legend at the end of each page."""

from __future__ import annotations

from pruning.markup.badges import MEANINGS, STYLE, SYMBOLS, Kind, badge
from pruning.markup.badges import legend as _symbols

__all__ = ["MEANINGS", "STYLE", "SYMBOLS", "Kind", "badge", "legend"]

_WORDS = {
    "train, select, test": "three separate sets of images: to learn from, to choose by, to look at once at the end",
    "MACs": "multiply-accumulates, the multiplications of one image",
}


def legend() -> str:
    """The legend as HTML: once a page, at its end."""
    words = "".join(f"<span><b>{word}</b>: {meaning}</span>" for word, meaning in _WORDS.items())
    style = "<style>.px-words{margin-top:.15em}.px-words b{font-weight:600}</style>"
    return f'{style}{_symbols()}<div class="px-legend px-words">{words}</div>'
