"""Folders among the runs that cannot be shown as one: a greyed row each, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup.unreadable import html

if TYPE_CHECKING:
    from pruning.runs import Unreadable

SHOWN = 3
"""More rows than these are folded away."""
MOST = 200
"""So many rows are drawn."""


def show(folders: Sequence[Unreadable]) -> None:
    """Draw the rows; nothing where every folder can be read."""
    if not folders:
        return
    if len(folders) <= SHOWN:
        st.html(html(folders))
        return
    with st.expander(f"{len(folders):,} folders among the runs cannot be read", icon=":material/folder_off:"):
        st.html(html(folders[:MOST]))
        if len(folders) > MOST:
            st.caption(f"{len(folders) - MOST:,} more are not listed: python -m pruning runs list --unreadable.")
