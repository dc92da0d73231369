"""Buttons for the files that can be made from what a page has at hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from ui.kit import errors, visitor

if TYPE_CHECKING:
    from pruning.export.record import Export, Source

TEXTS = ("recipe", "runs", "layers")
"""Formats that people read, and that may name files."""


def offer(source: Source, place: Any = st, *, key: str = "", width: Literal["content", "stretch"] = "content") -> None:
    """One button for each format of `pruning.export.table`, but for those that take long, which have a panel of their
    own. Files are made when asked for. `key` tells several on one page apart."""
    from pruning.export.table import offered

    hides = not visitor.is_owner()
    for export in offered(source):
        if not export.takes_long:
            place.download_button(
                export.title,
                partial(_content, export, source, hides),
                file_name=export.file_for(source),
                mime=export.media_type,
                help=export.explanation,
                on_click="ignore",
                icon=":material/download:",
                key=f"{key}{export.name}_file",
                width=width,
            )


def _content(export: Export, source: Source, hides: bool) -> bytes:
    """The file; recipes and tables for visitors do not tell how the server's folders are laid out."""
    content = export.content(source)
    return errors.hidden(content.decode()).encode() if hides and export.name in TEXTS else content
