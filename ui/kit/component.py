"""Components of our own: a style sheet and a script that begin with what all of them share.

    component("pruning_sketch", folder, css="canvas.css", js=("canvas.js",))

`tokens.css` gives every one the theme's colours, `dom.js` and `format.js` its elements and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
SHARED = ("dom.js", "format.js")
"""Scripts in front of every component's own; of one module, so that what is not used costs nothing but its bytes."""


def component(
    name: str, folder: Path, *, js: Sequence[str] = (), css: str | None = None, html: str | None = None
) -> Callable[..., Any]:
    """The function that draws a component.

    `folder`: where its files are; `js`: parts of one module, the last of which exports the component; `css`: its style
    sheet; `html`: what stands in it at first. Call it once a process: Streamlit knows a component by its name.
    """
    renderer: Callable[..., Any] = st.components.v2.component(
        name, html=html, css=None if css is None else style(folder / css), js=script(folder, js)
    )
    return renderer


def style(path: Path) -> str:
    """A style sheet with the tokens in front."""
    return "\n".join(file.read_text(encoding="utf-8") for file in (HERE / "tokens.css", path))


def script(folder: Path, parts: Sequence[str]) -> str:
    """One module of the shared scripts and the parts: a part may use what the parts before it define."""
    files = [*(HERE / name for name in SHARED), *(folder / name for name in parts)]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
