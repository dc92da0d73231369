"""The question of the gate as HTML: the figure with its badge, and whether it is as expected."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.gate import Look


def html(look: Look) -> str:
    """One heading."""
    before, figure, after = map(escape, look.parts)
    shown = f"<span>{figure}{badges.badge('measured')}</span>" if figure else ""
    return f'<style>{badges.STYLE}{STYLE}</style><h2 class="px-gate">{before}{shown}{after} As expected?</h2>'


STYLE = """
.px-gate{margin:0!important;padding:0!important;font-size:1.35rem!important;font-weight:var(--heavy)!important;
 line-height:1.35!important}
.px-gate span{white-space:nowrap}.px-gate .px-badge{margin-right:.15rem}
"""
