"""Folders among the runs that cannot be shown as one, as HTML: a greyed row each, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.runs import Unreadable


def html(folders: Sequence[Unreadable]) -> str:
    """The rows."""
    rows = "".join(
        f"<li><b>{escape(folder.name)}</b> cannot be read. {escape(folder.reason)}</li>" for folder in folders
    )
    return f'{_STYLE}<ul class="px-unreadable" aria-label="Folders that cannot be read">{rows}</ul>'


_STYLE = """<style>
.px-unreadable{margin:0!important;padding:0!important;list-style:none;font-size:var(--text-note);line-height:1.4}
.px-unreadable li{margin:0!important;opacity:var(--faint);padding:.28rem 0;overflow-wrap:anywhere;
 border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
</style>"""
