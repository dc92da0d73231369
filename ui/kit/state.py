"""Every key of the session state that pages share, with its default, in one place.

Streamlit forgets a widget's value once the widget is not drawn, as on another page. So values live under plain keys
of their own, and `bound` ties a widget to one: `st.slider("Removed", 0, 95, **state.bound(state.START_PERCENT))`.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

MODEL = "model_ref"
"""Reference of the chosen model, as `pruning.subject.open_subject` takes it."""
DATA = "data_name"
"""Name of the chosen data set; always one that the chosen model can be measured on (the header sees to it)."""
DATA_DIR = "data_dir"
"""Data set name → folder or zip that the user named for it."""
START_PERCENT = "start_percent"
START_GRANULARITY = "start_granularity"
START_VISITED = "start_visited"
"""Granularity → percentages that have been measured, for the curve."""
START_RECOVERED = "start_recovered"
"""(granularity, percent) → the network after fine-tuning, with its accuracy."""
EXPLORE_LAYER = "explore_layer"
EXPLORE_NORM = "explore_norm"
EXPLORE_SHARE = "explore_share"
EXPLORE_AXIS = "explore_axis"
EXPLORE_STAGE = "explore_stage"
"""Title of the stage of a deep network that is shown alone; '': all."""

DEFAULTS: dict[str, Any] = {
    MODEL: "sample:mini_resnet",
    DATA: "mnist5k",
    DATA_DIR: {},
    START_PERCENT: 40,
    START_GRANULARITY: "weight",
    START_VISITED: {},
    START_RECOVERED: {},
    EXPLORE_LAYER: None,
    EXPLORE_NORM: "l2",
    EXPLORE_SHARE: "parameters",
    EXPLORE_AXIS: "linear",
    EXPLORE_STAGE: "",
}


def get(key: str) -> Any:
    """The value of a key, its default at first."""
    if key not in st.session_state:
        default = DEFAULTS[key]
        st.session_state[key] = dict(default) if isinstance(default, dict) else default
    return st.session_state[key]


def put(key: str, value: Any) -> None:
    """Set a value, also in the widget that is bound to it (before that widget is drawn in this run)."""
    assert key in DEFAULTS, key
    st.session_state[key] = value
    st.session_state[_widget(key)] = value


def bound(key: str) -> dict[str, Any]:
    """Arguments that tie a widget to a key: it starts with the key's value, and every change is kept."""
    st.session_state.setdefault(_widget(key), get(key))
    return {"key": _widget(key), "on_change": _keep, "args": (key,)}


def bound_anew(key: str) -> dict[str, Any]:
    """As `bound`, the value sent again each time. For widgets that may be drawn only later, as in a popover, or after
    a second run that came on the heels of the first: they would start empty, or at their least value."""
    put(key, get(key))
    return bound(key)


def data_dir(name: str) -> str | None:
    """The folder or zip the user named for a data set, if any."""
    place: str | None = get(DATA_DIR).get(name)
    return place


def _widget(key: str) -> str:
    return f"{key}_widget"


def _keep(key: str) -> None:
    """Keep what the widget says. A page whose first run is cut short by a second may draw a widget empty, which then
    says None though one of its values is always chosen: it is told anew."""
    value = st.session_state[_widget(key)]
    if value is None and DEFAULTS[key] is not None:
        st.session_state[_widget(key)] = get(key)
    else:
        st.session_state[key] = value
