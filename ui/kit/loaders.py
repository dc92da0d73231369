"""Models and data sets, loaded once for all sessions.

What is loaded here is shared: never change it, copy it. Nothing imports torch until one of these functions is called,
so that a page can draw its title first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import state

if TYPE_CHECKING:
    from pruning.data.protocol import Data
    from pruning.subject import Images, Subject


def model_refs() -> dict[str, str]:
    """The networks that everybody can choose from: reference → title."""
    _ready()
    from pruning.catalog.openers import OPENERS

    return {ref: title for opener in OPENERS.values() for ref, title in opener.choices().items()}


def open_subject(ref: str, data: str | None = None) -> Subject:
    """A network by reference, shared by all sessions; `data`: with these images, where they are for this session.

    Raises as `pruning.subject.open_subject` does, and InputError for what a visitor may not open.
    """
    _ready()
    import pruning.runs  # noqa: F401 - adds run: to the openers
    from pruning.catalog.openers import OPENERS, check_visitor

    reference = check_visitor(ref)
    opener = OPENERS[reference.kind]
    subject = _open_large(ref, opener.stamp(reference)) if opener.large else _open(ref, opener.stamp(reference))
    return subject if data is None else subject.with_images(images(data))


def is_large(ref: str) -> bool:
    """Whether a network may take seconds to open."""
    from pruning.catalog.openers import OPENERS

    kind = ref.partition(":")[0]
    return kind in OPENERS and OPENERS[kind].large


def images(data: str) -> Images:
    """Images by reference, from where this session says they are. Raises as `Images.named` does."""
    from pruning.subject import Images

    return Images.named(data, state.data_dir(data), load_data)


def load_data(name: str, data_dir: str | None = None) -> Data:
    """A data set, shared by all sessions. Raises as `pruning.data.readers.open_data` does."""
    _ready()
    return _load_data(name, data_dir)


def asked_to_stop() -> bool:
    """Never true: looking into the session is where Streamlit ends a run of the page that a newer one replaces."""
    return "loaders_never" in st.session_state


@st.cache_resource(show_spinner=False)
def _ready() -> None:
    """Import torch and give this process one thread: pages compute little, and jobs need the other cores."""
    import torch

    torch.set_num_threads(1)


@st.cache_resource(show_spinner=False, max_entries=12)
def _open(ref: str, stamp: tuple[int, ...]) -> Subject:
    return _subject(ref)


@st.cache_resource(show_spinner=False, max_entries=4)
def _open_large(ref: str, stamp: tuple[int, ...]) -> Subject:
    """Apart from the small ones: these hold up to 600 MB each."""
    return _subject(ref)


def _subject(ref: str) -> Subject:
    """Without images, which are each session's own; what cannot be traced is refused."""
    from pruning.catalog.openers import open_network
    from pruning.subject import Subject

    subject = Subject.of(open_network(ref))
    assert subject.graph
    return subject


@st.cache_resource(show_spinner=False, max_entries=3)
def _load_data(name: str, data_dir: str | None) -> Data:
    from pruning.data.readers import open_data

    return open_data(name, data_dir)
