"""The box that chooses the network: one of the samples, or any reference that is typed or stands in the address.

`?model=torchvision:resnet50` opens it directly. What cannot be opened leaves the choice as it was and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.catalog.references import last_part, short_title
from ui.kit import errors, loaders, permits, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.subject import Subject

MORE = "Your network …"
"""The last entry of the box; choosing it opens the panel for one's own."""
_MORE = "network_more"
"""That it was chosen."""
_PARAMETER = "model"
_ASKED = "network_asked"
"""A reference that was typed, to be opened."""
_ADDRESS = "network_address"
"""The reference that this page last read from the address or wrote there."""
_LIBRARY = "network_library"
"""References of libraries' networks that this session has opened: they stay in the box."""
_WAS_REFUSED = "network_was_refused"
"""Whether what was asked for could not be opened when the page was last drawn."""
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
    titles |= {ref: _title(ref) for ref in st.session_state.get(_LIBRARY, [])}
    titles.setdefault(subject.ref, subject.title)
    state.put(state.MODEL, subject.ref)  # told anew, or after a change of page the box may show its first entry
    place.selectbox(
        "Network: choose one, or type a reference such as torchvision:resnet50",
        [*titles, MORE],
        format_func=lambda choice: titles.get(choice, choice),
        label_visibility="collapsed",
        accept_new_options=True,
        filter_mode="contains",
        **(state.bound(state.MODEL) | {"on_change": _picked, "args": (tuple(titles),)}),
    )
    _write_address(subject.ref)
    st.session_state[_WAS_REFUSED] = refused is not None
    if refused is not None:
        st.error(errors.plain(refused), icon=":material/error:")
    return subject


def ask(ref: str) -> None:
    """Have a network opened when the page is drawn next; what cannot be opened leaves the choice as it was."""
    st.session_state[_ASKED] = ref


def was_refused() -> bool:
    """Whether what was asked for could not be opened."""
    return bool(st.session_state.get(_WAS_REFUSED))


def is_asked() -> bool:
    """Whether a network waits to be opened by the next page that shows it."""
    return _ASKED in st.session_state


def asks_for_more() -> bool:
    """Whether the last entry was chosen just now."""
    return bool(st.session_state.pop(_MORE, False))


def _title(ref: str) -> str:
    """A network that this session has opened, as the box shows it."""
    own = permits.title(ref)
    return short_title(ref) if own is None else f"{last_part(ref.partition(':')[2].partition('?')[0])}, {own}"


def _picked(titles: tuple[str, ...]) -> None:
    """An entry of the box was chosen, or something typed: that is opened when the page is drawn, with a spinner."""
    widget = str(state.bound(state.MODEL)["key"])
    choice = st.session_state[widget]
    if choice in titles:
        state.put(state.MODEL, choice)
        return
    if choice == MORE:
        st.session_state[_MORE] = True
    elif choice:
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
    if len(asked) > _LONGEST and not permits.holds(asked):
        return f"A network's reference has at most {_LONGEST} characters: write one such as torchvision:resnet50."
    try:
        if not permits.holds(asked):
            asked = loaders.from_visitor(asked)
        _open(asked)
    except errors.PruningError as error:
        return str(error)
    _keep(asked)
    state.put(state.MODEL, asked)
    return None


def _keep(ref: str) -> None:
    """So that F5 finds a network again that lies on this server alone, whose reference stands in no address."""
    from pruning.catalog.openers import is_on_this_machine_alone

    if is_on_this_machine_alone(ref) and not permits.holds(ref):
        permits.allow(ref)


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
    """So that a link and F5 lead to the same network; what lies on this server alone is nobody's business."""
    from pruning.catalog.openers import is_on_this_machine_alone

    if ref == state.DEFAULTS[state.MODEL] or is_on_this_machine_alone(ref):
        st.query_params.pop(_PARAMETER, None)
        st.session_state[_ADDRESS] = None
    else:
        st.query_params[_PARAMETER] = st.session_state[_ADDRESS] = ref
