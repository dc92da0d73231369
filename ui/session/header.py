"""One row on top of every page: its title, the model, the data set, Share; and help where the images are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, route, state
from ui.kit.view import View
from ui.session import cuts, network_box, share
from ui.session.chosen import ABSENT, WITHOUT_IMAGES, Chosen

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.opening.models import OpenModel


def show(title: str, view: View | None = None) -> Chosen:
    """Draw the header and give what is chosen. The title is drawn before torch is imported.

    `view`: settings of the page that a link to it carries.
    """
    chosen, place = show_early(title, view)
    share.show(place, chosen, view or {})
    return chosen


def show_early(title: str, view: View | None = None) -> tuple[Chosen, DeltaGenerator]:
    """As `show`, for a page that changes the plan before it is to be shared: it then calls `share.show` itself."""
    route.through_app()
    left, middle, right, end = st.columns([1.75, 1, 1.35, 0.55], vertical_alignment="center")
    left.title(title, anchor=False)
    share.take_up(view or {})
    with errors.shown():
        opened = network_box.show(middle)
    chosen = _with_data(opened, right)
    cuts.settle(chosen)
    return chosen, end


def _with_data(opened: OpenModel, place: DeltaGenerator) -> Chosen:
    from pruning.data.datasets import dataset_info
    from pruning.data.sources import is_available

    if not opened.data:
        place.selectbox(
            "Data set", [], placeholder="no images", disabled=True, label_visibility="collapsed", key="no_data"
        )
        st.caption(
            f"Accuracy is absent: {WITHOUT_IMAGES}. Weights, scores, costs and times work; for a run choose a network "
            "that comes with images."
        )
        return Chosen(opened=opened, data_name="", data_dir=None, missing=WITHOUT_IMAGES)
    name = state.get(state.DATA)
    state.put(state.DATA, name if name in opened.data else opened.data[0])  # told anew, as the network
    place.selectbox(
        "Data set",
        list(opened.data),
        format_func=lambda name: dataset_info(name).title,
        label_visibility="collapsed",
        **state.bound(state.DATA),
    )
    name = state.get(state.DATA)
    available = is_available(name, state.data_dir(name))
    if not available:
        _get_images(name)
    return Chosen(opened=opened, data_name=name, data_dir=state.data_dir(name), missing=None if available else ABSENT)


def _get_images(name: str) -> None:
    """Fetch the images, or name the place that has them."""
    from pruning.data.datasets import dataset_info, load_dataset

    with st.container(border=True):
        st.markdown(
            f"**The images of {errors.plain(dataset_info(name).title)} are not on this machine.** "
            "Weights and costs can be looked at without them; accuracy needs them."
        )
        fetch, place, use = st.columns([1, 2.4, 0.8], vertical_alignment="bottom")
        fetching = fetch.button("Fetch it", icon=":material/download:", key="fetch_data")
        named = place.text_input("or the folder or zip that holds it", key="named_data_dir").strip()
        using = use.button("Use it", key="use_data_dir")
        if not fetching and not (using and named):
            return
        bar = st.progress(0.0, "Fetching" if fetching else "Reading")

        def told(text: str, share: float) -> None:
            bar.progress(min(1.0, share), text)

        with errors.shown(stop=False):
            load_dataset(name, None if fetching else named, download=fetching, progress=told)
            if not fetching:
                state.get(state.DATA_DIR)[name] = named
            st.rerun()
        bar.empty()
