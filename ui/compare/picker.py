"""Pictures as buttons, of which one is chosen: images of a data set, or what filters answer. One component for both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit.component import component

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Item:
    """One button."""

    id: str
    caption: str
    aria: str
    """The same for who does not see the pictures."""
    pictures: tuple[str | None, ...]
    """Addresses of the pictures side by side; None is drawn as removed."""
    mark: bool = False
    disabled: bool = False


def show(items: Sequence[Item], *, key: str, label: str, size: int, names: Sequence[str], default: str) -> str:
    """Draw the buttons and give the id of the chosen one, `default` before anything was clicked.

    `size`: of a picture, in pixels. `names`: what the first, second, ... picture of each button is.
    """
    ids = {item.id for item in items if not item.disabled}
    chosen = st.session_state.get(_kept(key), default)
    chosen = chosen if chosen in ids else default
    data = {
        "items": [vars(item) for item in items],
        "label": label,
        "size": size,
        "names": list(names),
        "chosen": chosen,
    }
    _component()(key=key, data=data, on_chosen_change=lambda: _keep(key))
    return str(chosen)


def choose(key: str, chosen: str) -> None:
    """Choose for the user, before the buttons are drawn."""
    st.session_state[_kept(key)] = chosen


def _kept(key: str) -> str:
    return f"{key}_chosen"


def _keep(key: str) -> None:
    """The component forgets once it is not drawn; the session does not."""
    sent = (st.session_state.get(key) or {}).get("chosen")
    if sent is not None:
        st.session_state[_kept(key)] = str(sent)


@cache
def _component() -> Callable[..., Any]:
    return component("compare_picker", Path(__file__).parent, css="picker.css", js=("picker.js",))
