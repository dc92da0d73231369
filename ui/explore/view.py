"""What a link to Explore carries, and the table of layers, kept for all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render import layers
from ui.kit import state
from ui.kit.view import Setting, one_of

if TYPE_CHECKING:
    import pandas as pd

    from pruning.subject import Subject

VIEW = {
    "layer": Setting(
        key=state.EXPLORE_LAYER,
        allowed=lambda value: isinstance(value, str),
        says=lambda subject, layer: layer in layers.layer_names(subject)[1:],
    ),
    "share": one_of(state.EXPLORE_SHARE, ("parameters", "macs")),
    "norm": one_of(state.EXPLORE_NORM, ("l2", "l1")),
    "axis": one_of(state.EXPLORE_AXIS, ("linear", "log")),
}
"""What a link to Explore carries."""


def table(subject: Subject) -> pd.DataFrame:
    """One row a layer, as `pruning.render.layers.layer_rows` gives it."""
    return _table(subject.digest, subject)


@st.cache_data(show_spinner=False, max_entries=20)
def _table(digest: str, _subject: Subject) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(layers.layer_rows(_subject))
