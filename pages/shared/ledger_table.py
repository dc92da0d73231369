"""The truth ledger as an HTML table; it lives in the engine, for reports show it too."""

from pruning.markup.ledger_table import STYLE, html, row

__all__ = ["STYLE", "html", "row"]
