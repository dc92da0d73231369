"""What of a run's files and images has changed since it was made: said on every page that opens the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders

if TYPE_CHECKING:
    from pruning.subject import Subject

SECONDS = 60
"""How long an answer holds: looking through a folder of very many images takes a while."""


def show(*folders: Path) -> None:
    """A sentence for each file or folder that is another one now, or gone; nothing where all is as it was.

    `folders`: of runs.
    """
    for said in dict.fromkeys(said for folder in folders for said in _changed(str(folder))):
        st.warning(errors.plain(said), icon=":material/difference:")


def of_subject(chosen: Subject) -> None:
    """The same for the network that is chosen, where it is that of a run."""
    if chosen.network.root:
        show(folder_of(chosen))


def folder_of(chosen: Subject) -> Path:
    """The folder of the run that a pruned network is of."""
    return Path(chosen.ref.partition(":")[2])


@st.cache_data(show_spinner=False, max_entries=200, ttl=SECONDS)
def _changed(folder: str) -> tuple[str, ...]:
    from pruning.runs.held import changed

    try:
        said = changed(Path(folder))
    except errors.PruningError as error:
        return (str(error),)
    known = _known()
    if known.get(folder, ()) != said:  # what was opened before is of the earlier files
        loaders.forget_images()
    known[folder] = said
    return said


@st.cache_resource(show_spinner=False)
def _known() -> dict[str, tuple[str, ...]]:
    """Folder of a run → what was found of it last."""
    return {}
