"""On which engine, and at what precision? What was measured of the second network's run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors
from ui.runs import engines_panel

if TYPE_CHECKING:
    from pruning.compare.sides import Pair


def show(pair: Pair) -> None:
    """The matrix of the run that the second network is of."""
    from pruning.runs.engine_times import read_engine_times

    run = pair.after.run
    with errors.shown(stop=False):
        if run is None or read_engine_times(run.path) is None:
            st.info(
                "This network was not measured on other engines: open its run on Prune, and press **Measure it on "
                "every engine**.",
                icon=":material/memory:",
            )
            return
        st.markdown("### On which engine? What the engine gives, and what pruning gives")
        engines_panel.table(run.path)
