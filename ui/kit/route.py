"""See to it that a page always runs under app.py."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def through_app() -> None:
    """Start again under app.py when Streamlit ran this page on its own.

    Streamlit takes any folder named pages for its older kind of multipage app until the first `st.navigation` of the
    server's life. A server whose first visitor opens /explore (F5 after a restart, a shared link) would run that file
    alone: no page config, and file names in a sidebar.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
