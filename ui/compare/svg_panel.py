"""Drawings on the Compare page: `st.html` drops every SVG, so one small component shows them as they are.

What is shown must be made here: texts of others are escaped before they get into it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ui.kit.component import component


def show(html: str, *, css: str, key: str) -> None:
    """Draw HTML with its own CSS. Equal HTML is not drawn anew when the page runs again."""
    body = f"<style>{css}</style>{html}"
    _component()(key=key, data={"html": body, "key": f"{len(body)}-{hash(body)}"})


@cache
def _component() -> Callable[..., Any]:
    return component(
        "pruning_compare_drawing",
        Path(__file__).parent,
        html='<div class="cmp-root"></div>',
        css="svg_panel.css",
        js=("svg_panel.js",),
    )
