"""The verdict on two networks: in words first, then as four tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import pair_tiles, tiles, verdict

if TYPE_CHECKING:
    from pruning.compare.sides import Pair


def show(pair: Pair) -> None:
    """Verdict and tiles."""
    st.html(verdict.html(pair))
    st.html(tiles.html(pair_tiles.tiles_of(pair)))
