"""What a link to Explore carries, and the table of layers, kept for all sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render import layers
from ui.kit import permits, state
from ui.kit.view import Setting, one_of

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from pruning.graph.stages import Stage
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


def choose_stage(place: DeltaGenerator, parts: Sequence[Stage]) -> Stage | None:
    """Let one stage of a deep network be shown alone; None for all of it. The chosen layer follows into the stage."""
    titles = {stage.title: stage for stage in parts}
    if state.get(state.EXPLORE_STAGE) not in titles:
        state.put(state.EXPLORE_STAGE, "")
    chosen = place.selectbox(
        "Part of the network",
        ["", *titles],
        format_func=lambda title: f"{title} ({len(titles[title].members)})" if title else "all layers",
        **state.bound(state.EXPLORE_STAGE),
    )
    stage = titles.get(chosen)
    if stage is not None and state.get(state.EXPLORE_LAYER) not in stage.members:
        state.put(state.EXPLORE_LAYER, stage.members[0])
    return stage


def next_step(subject: Subject) -> None:
    """The way on: to Sensitivity, or to Prune where no accuracy can be measured."""
    page, words, icon = "pages/sensitivity.py", "Measure what each layer can spare", ":material/monitoring:"
    if subject.missing is not None:
        page, words, icon = "pages/prune.py", "Prune this network", ":material/content_cut:"
    if st.button(words, icon=icon, type="primary", key="explore_next"):
        st.switch_page(page)


def provenance_words(subject: Subject) -> str:
    """Where the network comes from, in Markdown."""
    from pruning.render import provenance

    called = permits.title(subject.ref), permits.title(subject.data_name)
    return provenance.words(subject, weights=called[0] or "", images=called[1] or "")


def table(subject: Subject) -> pd.DataFrame:
    """One row a layer, as `pruning.render.layers.layer_rows` gives it."""
    return _table(subject.identity, subject)


@st.cache_data(show_spinner=False, max_entries=20)
def _table(digest: str, _subject: Subject) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(layers.layer_rows(_subject))
