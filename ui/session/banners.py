"""What stands on every page as long as something is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pruning.subject import Subject

UNTRAINED = "<b>Untrained:</b> only shapes, costs and times mean anything."


def untrained(subject: Subject, add: Callable[[str], None] | None = None) -> None:
    """Nothing for a network whose weights were learnt. `add`: opens the place where weights for it can be sent, called
    with its reference before the page is drawn anew; None where there is none."""
    if not subject.network.untrained:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="untrained"):
        st.html(f"<style>{STYLE}</style><p class='px-banner' role='note'>{UNTRAINED}</p>")
        if add is not None:
            st.button(
                "Add weights", icon=":material/upload_file:", key="add_weights", on_click=add, args=(subject.ref,)
            )


# As a line, for it stands on every page.
STYLE = """
.px-banner{margin:0!important;padding:.4rem .8rem;border-radius:var(--corner-panel);font-size:.95rem;
 border-left:4px solid var(--removed);background:color-mix(in srgb,var(--removed) 10%,transparent)}
"""
