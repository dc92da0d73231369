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
    asks: tuple[tuple[str, str], ...] = ()
    """Parameters of the page's address."""


@dataclass(frozen=True, kw_only=True)
class LeftOff:
    """Where a visitor left off behind a door."""

    page: str
    words: str
    asks: tuple[tuple[str, str], ...] = ()
    """Parameters of the page's address."""


def draw(doors: tuple[Door, ...], key: str) -> list[DeltaGenerator]:
    """The doors side by side; in each, a place for where its visitor left off, which can be filled later."""
    places: list[DeltaGenerator] = []
    with st.container(key=key):
        st.html(_STYLE)
        for column, door in zip(st.columns(len(doors), gap="small"), doors, strict=True):
            with column.container(border=True, gap=None, height="stretch"):
                st.page_link(door.page, label=f"**{door.title}**", icon=door.icon, query_params=dict(door.asks) or None)
                st.markdown(door.text)
                places.append(st.container(key=f"go_on_{key}_{len(places)}").empty())
    return places


def continue_at(place: DeltaGenerator, at: LeftOff) -> None:
    """A link of its own in a door, for which `draw` kept the place."""
    place.page_link(at.page, label=f"**Continue:** {errors.plain(at.words)}", query_params=dict(at.asks) or None)


# A door's first link fills its card, so that all of it can be clicked and one stop of the Tab key leads to it; the
# link to where the visitor left off lies above it.
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
[class*=st-key-doors] [data-testid=stPageLink] a:focus-visible::after{outline:2px solid var(--kept)}
[class*=st-key-doors] [data-testid=stLayoutWrapper]:has(>[class*=st-key-go_on]){margin-top:auto}
[class*=st-key-doors] [class*=st-key-go_on]{position:relative;z-index:2}
[class*=st-key-doors] [class*=st-key-go_on]:has(a){padding-top:.55rem}
[class*=st-key-doors] [class*=st-key-go_on] [data-testid=stPageLink] p{font-size:var(--text-note);line-height:1.4;
 white-space:normal;color:var(--kept)}
[class*=st-key-doors] [class*=st-key-go_on] a::after{inset:.35rem -.35rem -.2rem}
[class*=st-key-doors] [class*=st-key-go_on] a:hover p{text-decoration:underline;text-underline-offset:.15em}
[class*=st-key-doors] [class*=st-key-go_on] [data-testid=stElementContainer]{margin:0}
[class*=st-key-doors] [class*=st-key-go_on][data-testid=stVerticalBlock]:hover{background:none}
</style>"""
