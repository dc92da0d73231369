"""Cards that lead to pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


@dataclass(frozen=True, kw_only=True)
class Door:
    """A card that leads to a page."""

    page: str
    title: str
    icon: str
    text: str
    where: str = ""
    """Where the visitor left off, in a few words."""
    asks: tuple[tuple[str, str], ...] = ()
    """Parameters of the page's address."""


def draw(place: DeltaGenerator, doors: tuple[Door, ...], key: str) -> DeltaGenerator:
    """The doors side by side; the container that they stand in. `place`: an `st.empty()`."""
    box = place.container(key=key)
    with box:
        st.html(_STYLE)
        for column, door in zip(st.columns(len(doors), gap="small"), doors, strict=True):
            with column.container(border=True, gap=None, height="stretch"):
                st.page_link(door.page, label=f"**{door.title}**", icon=door.icon, query_params=dict(door.asks) or None)
                where = f"**Continue:** {errors.plain(door.where)}" if door.where else door.text
                st.markdown(where)
    return box


# The link fills its card, so that all of it can be clicked and one stop of the Tab key leads to it.
_STYLE = """<style>
[class*=st-key-doors] [data-testid=stVerticalBlock]{position:relative}
[class*=st-key-doors] [data-testid=stPageLink] a{position:static;padding:0;background:none}
[class*=st-key-doors] [data-testid=stPageLink] p{font-size:1.07rem}
[class*=st-key-doors] [data-testid=stMarkdown] p{font-size:var(--text-note);line-height:1.4;opacity:.85}
[class*=st-key-doors] [data-testid=stVerticalBlock]:hover:has(a){
 background:color-mix(in srgb,currentColor 4%,transparent)}
[class*=st-key-doors] [data-testid=stElementContainer]{position:static}
[class*=st-key-doors] [data-testid=stPageLink] a::after{content:"";position:absolute;inset:0;z-index:1;
 border-radius:.55rem}
[class*=st-key-doors] [data-testid=stPageLink] a:focus-visible::after{outline:2px solid currentColor}
</style>"""
