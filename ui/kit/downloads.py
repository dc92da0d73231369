"""Buttons for the files that can be made from what a page has at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

if TYPE_CHECKING:
    from pruning.export.record import Source


def offer(source: Source, place: Any = st, *, key: str = "", width: Literal["content", "stretch"] = "content") -> None:
    """One button for each format of `pruning.export.table`, but for those that take long, which have a panel of their
    own. Files are made when asked for. `key` tells several on one page apart."""
    from pruning.export.table import offered

    for export in offered(source):
        if not export.takes_long:
            place.download_button(
                export.title,
                lambda export=export: export.content(source),
                file_name=export.file_for(source),
                mime=export.media_type,
                help=export.explanation,
                on_click="ignore",
                icon=":material/download:",
                key=f"{key}{export.name}_file",
                width=width,
            )
