"""A finished run in words and as a table; it lives in the engine, for reports show it too."""

from pruning.markup.result import Result, footnote, kind, ledger_html, points, stages_html, verdict

__all__ = ["Result", "footnote", "kind", "ledger_html", "points", "stages_html", "verdict"]
