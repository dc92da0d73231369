"""One row on top of every page: its title, the model, the data set, Share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, route
from ui.kit.view import View
from ui.session import banners, changed, cuts, data_box, gate, network_box, own, share, uploads, yours

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.subject import Subject


def show(title: str, view: View | None = None, *, stops: bool = False) -> Subject:
    """Draw the header and give what is chosen. The title is drawn before torch is imported.

    `view`: settings of the page that a link to it carries. `stops`: whether the page waits for the gate.
    """
    chosen, place = show_early(title, view, stops=stops)
    share.show(place, chosen, view or {})
    return chosen


def show_early(title: str, view: View | None = None, *, stops: bool = False) -> tuple[Subject, DeltaGenerator]:
    """As `show`, for a page that changes the plan before it is to be shared: it then calls `share.show` itself."""
    route.through_app()
    left, middle, right, end = st.columns([1.6, 1, 1.35, 0.65], vertical_alignment="center")
    left.title(title, anchor=False)
    share.take_up(view or {})
    uploads.tidy()
    own.take_up()
    with errors.shown():
        subject = network_box.show(middle)
    chosen = data_box.show(subject, right)
    if network_box.asks_for_more() or (network_box.was_refused() and yours.is_open()):
        yours.open_at("network")
    if data_box.asks_for_more():
        yours.open_at("images")
    yours.take_up()
    own.write(chosen)
    yours.show(chosen)
    banners.untrained(chosen, yours.add_weights)
    changed.of_subject(chosen)
    gate.show(chosen, stops=stops)
    cuts.settle(chosen)
    return chosen, end
