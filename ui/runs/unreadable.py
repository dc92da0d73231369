"""Folders among the runs that cannot be shown as one: a greyed row each, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pruning.runs import Unreadable

SHOWN = 3
"""More rows than these are folded away."""


def show(folders: Sequence[Unreadable]) -> None:
    """Draw the rows; nothing where every folder can be read."""
    if not folders:
        return
    if len(folders) <= SHOWN:
        st.html(html(folders))
        return
    with st.expander(f"{len(folders):,} folders among the runs cannot be read", icon=":material/folder_off:"):
        st.html(html(folders))


def html(folders: Sequence[Unreadable]) -> str:
    """The rows as HTML."""
    rows = "".join(
        f"<li><b>{escape(folder.name)}</b> cannot be read. {escape(folder.reason)}</li>" for folder in folders
    )
    return f'{_STYLE}<ul class="px-unreadable" aria-label="Folders that cannot be read">{rows}</ul>'


_STYLE = """<style>
.px-unreadable{margin:0!important;padding:0!important;list-style:none;font-size:.93rem;line-height:1.4}
.px-unreadable li{margin:0!important;opacity:.75;padding:.28rem 0;overflow-wrap:anywhere;
 border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
</style>"""
