"""Drawings on the Compare page: `st.html` drops every SVG, so one small component shows them as they are.

What is shown must be made here: texts of others are escaped before they get into it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

STYLE = """
.cmp-root{font-size:15px;line-height:1.45}
.cmp-scroll{overflow-x:auto}
.cmp-scroll:focus-visible{outline:var(--focus);outline-offset:2px}
"""
"""The app's colours for what is drawn inside."""
SCRIPT = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".cmp-root");
  if (root.dataset.shown === data.key) return; // drawn already: what moves in it does not begin anew
  root.dataset.shown = data.key;
  root.innerHTML = data.html;
}
"""


def show(html: str, *, css: str, key: str) -> None:
    """Draw HTML with its own CSS. Equal HTML is not drawn anew when the page runs again."""
    body = f"<style>{css}</style>{html}"
    _component()(key=key, data={"html": body, "key": f"{len(body)}-{hash(body)}"})


@cache
def _component() -> Callable[..., Any]:
    renderer: Callable[..., Any] = st.components.v2.component(
        "pruning_compare_drawing", html='<div class="cmp-root"></div>', css=STYLE, js=SCRIPT
    )
    return renderer
