"""The box that chooses the network: one of the samples, or any reference that is typed or stands in the address.

`?model=torchvision:resnet50` opens it directly. What cannot be opened leaves the choice as it was and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.catalog.references import short_title
from ui.kit import errors, loaders, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.subject import Subject

_HOW = "Another network …"
"""The last entry of the box; choosing it shows how to name one."""
_PARAMETER = "model"
_ASKED = "network_asked"
"""A reference that was typed, to be opened."""
_ADDRESS = "network_address"
"""The reference that this page last read from the address or wrote there."""
_LIBRARY = "network_library"
"""References of libraries' networks that this session has opened: they stay in the box."""
_LONGEST = 200
"""Characters of a reference; what is longer is no name."""


def show(place: DeltaGenerator) -> Subject:
    """Draw the box into `place` and open what is chosen; why something was refused stands below the header.

    Raises:
        PruningError: not even the sample network can be opened.
    """
    with place, st.spinner("Loading the networks"):
        titles = loaders.model_refs()
    with place:
        refused = _take_up()
        ref = state.get(state.MODEL)
        if ref not in titles:
            refused = _reopen(ref, next(iter(titles))) or refused
        subject = _open(state.get(state.MODEL))
    if subject.ref not in titles and not subject.network.data:
        _remember(subject.ref)
    titles |= {ref: short_title(ref) for ref in st.session_state.get(_LIBRARY, [])}
    titles.setdefault(subject.ref, subject.title)
    state.put(state.MODEL, subject.ref)  # told anew, or after a change of page the box may show its first entry
    place.selectbox(
        "Network: choose one, or type a reference such as torchvision:resnet50",
        [*titles, _HOW],
        format_func=lambda choice: titles.get(choice, choice),
        label_visibility="collapsed",
        accept_new_options=True,
        filter_mode="contains",
        **(state.bound(state.MODEL) | {"on_change": _picked, "args": (tuple(titles),)}),
    )
    _write_address(subject.ref)
    if refused == _HOW:
        st.info(
            "Type any network of torchvision into the box and press Enter: **torchvision:resnet50**, or with a size "
            "**torchvision:vit_b_16?size=224**. Its weights are random unless you add **weights=default** and they "
            "are on this machine.",
            icon=":material/info:",
        )
    elif refused is not None:
        st.error(errors.plain(refused), icon=":material/error:")
    return subject


def _picked(titles: tuple[str, ...]) -> None:
    """An entry of the box was chosen, or something typed: that is opened when the page is drawn, with a spinner."""
    widget = str(state.bound(state.MODEL)["key"])
    choice = st.session_state[widget]
    if choice in titles:
        state.put(state.MODEL, choice)
        return
    if choice:
        st.session_state[_ASKED] = str(choice).strip()
    state.put(state.MODEL, state.get(state.MODEL))  # until the new one is open the old one stands there


def _take_up() -> str | None:
    """Open what was typed or what the address names; gives why that failed, and then the choice stays as it was."""
    asked = st.session_state.pop(_ASKED, None)
    address = st.query_params.get(_PARAMETER)
    if address and address != st.session_state.get(_ADDRESS):
        st.session_state[_ADDRESS] = address
        asked = asked or address
    if asked is None or asked == state.get(state.MODEL):
        return None
    if asked == _HOW:
        return _HOW
    if len(asked) > _LONGEST:
        return f"A network's reference has at most {_LONGEST} characters: write one such as torchvision:resnet50."
    try:
        _open(asked)
    except errors.PruningError as error:
        return str(error)
    state.put(state.MODEL, asked)
    return None


def _reopen(ref: str, default: str) -> str | None:
    """A chosen network that is not among the samples may be gone, as a deleted run: then the first sample is chosen."""
    try:
        _open(ref)
    except errors.PruningError as error:
        state.put(state.MODEL, default)
        return str(error)
    return None


def _open(ref: str) -> Subject:
    words = f"Building {errors.plain(ref)}: a few seconds" if loaders.is_large(ref) else "Reading the network"
    with st.spinner(words):
        return loaders.open_subject(ref)


def _remember(ref: str) -> None:
    mine: list[str] = st.session_state.setdefault(_LIBRARY, [])
    if ref not in mine:
        st.session_state[_LIBRARY] = [*mine[-5:], ref]


def _write_address(ref: str) -> None:
    """So that a link and F5 lead to the same network; a run's folder is nobody's business."""
    if ref == state.DEFAULTS[state.MODEL] or ref.startswith("run:"):
        st.query_params.pop(_PARAMETER, None)
        st.session_state[_ADDRESS] = None
    else:
        st.query_params[_PARAMETER] = st.session_state[_ADDRESS] = ref
