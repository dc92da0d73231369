"""The settings of the server's owner, before any page is drawn: wrong ones stop every page with one sentence."""

from __future__ import annotations

import streamlit as st

from pruning.settings import settings
from ui.kit import errors, visitor


def check() -> None:
    """Stop where the settings are wrong; let files be sent as large as they say; leave nobody what is another's."""
    with errors.shown():
        largest = settings().uploads.largest_mb
        _take_files(largest)
        visitor.check()


@st.cache_resource(show_spinner=False)
def _take_files(megabytes: int) -> bool:
    """Streamlit refuses what is larger than its own option, whatever an uploader says."""
    from streamlit import config

    config.set_option("server.maxUploadSize", max(megabytes, 1), "pruning.toml")
    return True
