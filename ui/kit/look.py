"""What the theme in .streamlit/config.toml cannot say: design tokens, room on top, legible captions and buttons. On
every page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from pruning.render.tokens import tokens


def apply() -> None:
    """Call it before anything is drawn."""
    dark = st.context.theme.type == "dark"
    st.html(f"<style>{tokens(dark)}{_STYLE}{_DARK if dark else ''}</style>")
    with st.container(key="look"):
        _watch()(key="theme_watch", on_theme_change=_changed)


def _changed() -> None:
    """Nothing to do: that the page runs again is all it takes."""


@cache
def _watch() -> Callable[..., Any]:
    renderer: Callable[..., Any] = st.components.v2.component("pruning_theme_watch", js=_SCRIPT)
    return renderer


# A title inside a page is a small h2: screen readers go from level to level. Streamlit draws captions at 60 % opacity,
# which is 4.2:1 on white paper; text needs 4.5:1. The button that copies code it hides from all but the mouse.
_STYLE = """
[data-testid=stLayoutWrapper]:has(>:is(.st-key-look,.st-key-progress_box)){display:none}
[data-testid=stMainBlockContainer]{padding-bottom:3rem}
@media (min-width:700px){[data-testid=stMainBlockContainer]{padding-inline:clamp(1.5rem,4.4vw,5rem)}}
[data-testid=stHeading] h1{padding:0}
[data-testid=stHeading] [data-testid=stMarkdownContainer]:has(h1){margin:0}
[data-testid=stMarkdown] h2{font-size:1.15rem;font-weight:var(--bold);padding:.2rem 0 .1rem}
[data-testid=stCaptionContainer]{opacity:.78}
[data-testid=stCode]>div{opacity:1!important;visibility:visible!important;pointer-events:auto!important}
"""
# White on the light blue that stands for 'kept' in the dark theme is 2.3:1; ink on it is 8:1.
_DARK = """
[data-testid^=stBaseButton-primary]:not(:disabled),[data-testid^=stBaseButton-primary]:not(:disabled):hover
{color:var(--paper)}
"""
# Figures carry the colours of the theme they were drawn in. Streamlit repaints its own parts when the theme changes
# (at dusk, on many machines) and does not run the page again: so we ask for it.
_SCRIPT = """
export default function ({ setTriggerValue }) {
  const app = document.querySelector("[data-testid=stApp]");
  const scheme = () => getComputedStyle(app).colorScheme;
  let drawn = scheme();
  const watch = new MutationObserver(() => {
    if (scheme() === drawn) return;
    drawn = scheme();
    setTriggerValue("theme", drawn);
  });
  watch.observe(app, { attributes: true, attributeFilter: ["class"] });
  return () => watch.disconnect();
}
"""
