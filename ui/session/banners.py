"""What stands on every page as long as something is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pruning.subject import Subject

UNTRAINED = "<b>Untrained:</b> only shapes, costs and times mean anything."


def untrained(subject: Subject) -> None:
    """Nothing for a network whose weights were learnt."""
    if subject.network.untrained:
        st.html(f"<style>{STYLE}</style><p class='px-banner' role='note'>{UNTRAINED}</p>")


# As a line, for it stands on every page.
STYLE = """
.px-banner{margin:0!important;padding:.4rem .8rem;border-radius:var(--corner-panel);font-size:.95rem;
 border-left:4px solid var(--removed);background:color-mix(in srgb,var(--removed) 10%,transparent)}
"""
