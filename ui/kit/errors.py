"""Show an error meant for people as one sentence, and nothing as a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pruning.base.errors import Cancelled, PruningError
from pruning.render.markdown import plain

__all__ = ["PruningError", "plain", "shown"]


@contextmanager
def shown(*, stop: bool = True) -> Iterator[None]:
    """Show a `PruningError` raised inside as one sentence; then end this run of the page, unless `stop` is False."""
    try:
        yield
    except Cancelled as error:
        st.info(plain(str(error)), icon=":material/cancel:")
        if stop:
            st.stop()
    except PruningError as error:
        st.error(plain(str(error)), icon=":material/error:")
        if stop:
            st.stop()
