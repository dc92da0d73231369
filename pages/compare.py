"""Compare: two networks before and after, for people who know no pruning."""

from __future__ import annotations

from pages.shared import header

chosen = header.show("Compare")
