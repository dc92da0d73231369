"""A network that a function in a Python file makes: the file lies in a folder that the owner of the server lists, and
so do weights for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pruning.settings import settings
from ui.kit import place


def is_allowed() -> bool:
    """Whether this visitor may open such files at all."""
    return settings().python.allowed and place.is_loopback()


def show(choose: Callable[[str], None]) -> None:
    """The form. `choose`: called with the reference, before the page is drawn anew."""
    from pruning.catalog.code_files import CODE, WEIGHTS, factories, short_path

    folders = settings().python.folders

    def short(path: Path) -> str:
        return short_path(path, folders)

    files = _files(CODE)
    which, what, weights, action = st.columns([2, 1.3, 2, 0.9], vertical_alignment="bottom")
    path = which.selectbox(
        "Python file", files, index=0 if len(files) == 1 else None, format_func=short, key="your_code_file",
        placeholder="choose a file" if files else "no .py file in the listed folders",
    )  # fmt: skip
    names = factories(path) if path is not None else []
    function = what.selectbox(
        "Function that makes it", names, index=0 if names else None, key=f"your_code_function_{path}",
        placeholder="none in this file" if path is not None else "choose the file first", disabled=not names,
    )  # fmt: skip
    file = weights.selectbox(
        "Its weights", _files(WEIGHTS), index=None, format_func=short, key="your_code_weights",
        placeholder="as the function makes them",
    )  # fmt: skip
    ref = f"file:{path}:{function}" + (f"?weights={file}" if file is not None else "")
    action.button(
        "Open it", type="primary", key="your_code_open", width="stretch", disabled=path is None or not function,
        on_click=choose, args=(ref,),
    )  # fmt: skip
    st.caption(
        "The file is run on this machine. Files and weights are offered from the folders that pruning.toml lists under "
        "[python]."
    )


@st.cache_data(show_spinner=False, ttl=5)
def _files(endings: tuple[str, ...]) -> list[Path]:
    """Of the listed folders; looked at anew after some seconds, since people save files while they look."""
    from pruning.catalog.code_files import files_below

    return files_below(settings().python.folders, endings)
