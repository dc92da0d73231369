"""The panel below the header: "Your network" and "Your images". Nothing of it is drawn until somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from ui.session import uploads, your_images, your_network

if TYPE_CHECKING:
    from pruning.subject import Subject

Step = Literal["network", "images"]
_STEP = "yours_step"
"""What is asked for; absent: the panel is closed."""
_WIDGET = "yours_step_widget"
_NEXT = "yours_next"
"""What the panel is to show when it is drawn next."""
PARAMETER = "yours"
"""Opens the panel from an address: `?yours=network`."""
TITLES: dict[str, str] = {"network": "Your network", "images": "Your images"}


def open_at(step: Step) -> None:
    """Open the panel, when it is drawn next."""
    st.session_state[_STEP] = st.session_state[_NEXT] = step


def add_weights(ref: str) -> None:
    """In a callback: open the panel for weights of the network that is chosen."""
    your_network.ask_for_weights(ref)
    open_at("network")


def is_open() -> bool:
    """Whether the panel is open."""
    return _STEP in st.session_state


def close() -> None:
    """Close it; whatever was chosen in it stays."""
    for key in (_STEP, _NEXT):
        st.session_state.pop(key, None)
    uploads.leave()


def take_up() -> None:
    """Open it where the address asks for that, once."""
    asked = st.query_params.pop(PARAMETER, None)
    if asked in TITLES:
        open_at(asked)  # type: ignore[arg-type]


def show(chosen: Subject) -> None:
    """The panel, where it is open."""
    if _STEP not in st.session_state:
        return
    with st.container(border=True, key="yours"):
        choice, end = st.columns([5, 1], vertical_alignment="center")
        st.session_state[_WIDGET] = st.session_state.pop(_NEXT, st.session_state.get(_WIDGET)) or "network"
        step = choice.segmented_control(
            "What of yours", list(TITLES), format_func=TITLES.__getitem__, required=True, key=_WIDGET,
            label_visibility="collapsed",
        )  # fmt: skip
        end.button("Close", icon=":material/close:", key="yours_close", width="stretch", on_click=close)
        st.session_state[_STEP] = step
        if step == "network":
            your_network.show(lambda: open_at("images"))
        else:
            your_images.show(close, chosen)
