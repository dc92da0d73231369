"""Values that outlive their widgets."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from ui.kit import state

    state.DEFAULTS.update({"kind": "channel", "rate": None})
    if st.button("empty", key="empty"):  # as a widget that was drawn empty says it
        for key in ("kind", "rate"):
            state.put(key, state.get(key))
            st.session_state[f"{key}_widget"] = None
            state._keep(key)
    st.selectbox("Kind", ["channel", "weight"], **state.bound("kind"))
    st.number_input("Rate", 0.0, 1.0, value=None, **state.bound("rate"))
    st.text(f"{state.get('kind')} {state.get('rate')}")


def test_a_widget_that_says_nothing_does_not_lose_the_choice() -> None:
    at = AppTest.from_function(app).run()
    at.selectbox(key="kind_widget").set_value("weight").run()
    at.number_input(key="rate_widget").set_value(0.5).run()
    assert at.text[0].value == "weight 0.5"
    at.button(key="empty").click().run()
    assert not at.exception
    assert at.text[0].value == "weight None", "None is a value only where it is the default"
    assert at.selectbox(key="kind_widget").value == "weight"
