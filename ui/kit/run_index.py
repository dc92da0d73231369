"""The index of runs as pages ask it: refreshed at each look, with the visitor's own runs and names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pruning.jobs.wishes import OWNER
from ui.kit import visitor

if TYPE_CHECKING:
    from pruning.runs import Unreadable
    from pruning.runs.index.index import Found, Index
    from pruning.runs.index.query import Query

SECONDS = 1.5
"""For so long a page reads folders that it did not know; the rest comes with the next look."""


def owner() -> str | None:
    """Whose runs are listed; None for all, as the owner of the machine sees them."""
    now = visitor.current()
    return None if now == OWNER else now


def looked() -> Index:
    """The index, with what has changed in the folders.

    Raises:
        StorageError: the folder of runs cannot be read.
    """
    from pruning.runs.index.index import index_of

    index = index_of()
    index.look(seconds=SECONDS)
    for said in index.take_remarks():
        st.toast(said, icon=":material/database:")
    return index


def find(query: Query) -> Found:
    """The visitor's runs that are wanted, with the visitor's names for them. Errors as `looked`."""
    return looked().find(own(query))


def own(query: Query) -> Query:
    """The same question about the visitor's runs alone, with the visitor's names for them."""
    return replace(query, owner=owner(), visitor=visitor.current())


def unreadable() -> tuple[Unreadable, ...]:
    """The visitor's folders among the runs that cannot be read, as of the last look. Errors as `looked`."""
    from pruning.runs.index.index import index_of

    return index_of().unreadable(owner())


def say_pending() -> None:
    """While folders are still being read for the first time: how many, and the page draws itself again."""
    from pruning.runs.index.index import index_of

    left = index_of().counts().pending
    if left:
        st.fragment(_pending, run_every=1.0)(left)


def _pending(left: int) -> None:
    st.caption(f":material/hourglass_top: {left:,} folders of runs are still to be read for the first time.")
    if st.session_state.pop("run_index_again", False):
        st.rerun()
    st.session_state["run_index_again"] = True
