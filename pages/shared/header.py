"""One row on top of every page: its title, the model, the data set; and help where the images are absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import errors, loaders, route, state

if TYPE_CHECKING:
    from pruning.catalog.datasets import Dataset
    from pruning.catalog.models import OpenModel


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the user works on."""

    opened: OpenModel
    data_name: str
    data_dir: str | None
    has_images: bool
    """Whether the data set can be loaded; weights and costs can be shown without."""

    def data(self) -> Dataset:
        """The images. Raises DataError where there are none: ask `has_images` first."""
        return loaders.load_data(self.data_name, self.data_dir)


def show(title: str) -> Chosen:
    """Draw the header and give what is chosen. The title is drawn before torch is imported."""
    route.through_app()
    left, middle, right = st.columns([2.2, 1, 1.4], vertical_alignment="center")
    left.title(title, anchor=False)
    with errors.shown():
        with middle, st.spinner("Loading the networks"):
            titles = loaders.model_refs()
            ref = state.get(state.MODEL)
            if ref.startswith("run:"):
                titles[ref] = loaders.open_model(ref).title
            if ref not in titles:  # its weights are not there yet, or no longer
                state.put(state.MODEL, next(iter(titles)))
        middle.selectbox(
            "Network",
            list(titles),
            format_func=lambda choice: titles[choice],
            label_visibility="collapsed",
            **state.bound(state.MODEL),
        )
        with middle, st.spinner("Reading the network"):
            opened = loaders.open_model(state.get(state.MODEL))
    return _with_data(opened, right)


def _with_data(opened: OpenModel, place: st.delta_generator.DeltaGenerator) -> Chosen:
    from pruning.catalog.datasets import dataset_info
    from pruning.catalog.sources import is_available

    if state.get(state.DATA) not in opened.data:
        state.put(state.DATA, opened.data[0])
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
    return Chosen(opened=opened, data_name=name, data_dir=state.data_dir(name), has_images=available)


def _get_images(name: str) -> None:
    """Fetch the images, or name the place that has them."""
    from pruning.catalog.datasets import dataset_info, load_dataset

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
