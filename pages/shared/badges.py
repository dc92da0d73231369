"""The three badges and their legend; they live in the engine, for reports show them too."""

from pruning.markup.badges import MEANINGS, STYLE, SYMBOLS, Kind, badge, legend

__all__ = ["MEANINGS", "STYLE", "SYMBOLS", "Kind", "badge", "legend"]
