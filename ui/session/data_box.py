"""The box that chooses the images: those that the network brings, and those that a run or link named and that fit it.

Where the images of the chosen data set are absent, a form to fetch them stands below the header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders, permits, state, visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from pruning.subject import Subject

_BROUGHT = "data_brought"
"""References that runs and links named in this session: they stay in the box."""
_ASKED = "data_asked"
"""A reference that was chosen elsewhere than in the box."""
_MORE = "data_more"
"""That images are to be added."""
_MOST = 5


def bring(reference: str) -> None:
    """Offer a data set from now on to every network that it fits, beside what the network brings itself."""
    mine: list[str] = st.session_state.get(_BROUGHT, [])
    if reference not in mine:
        st.session_state[_BROUGHT] = [*mine, reference][-_MOST:]


def ask(reference: str) -> None:
    """Have images chosen when the page is drawn next."""
    st.session_state[_ASKED] = reference


def exchange(model: str, old: str, new: str) -> None:
    """Go on with the same images of one's own by another reference, as with another split; how they are prepared for a
    network stays."""
    permits.follow(model, old, new)
    st.session_state[_BROUGHT] = [new if own == old else own for own in st.session_state.get(_BROUGHT, [])]
    ask(new)


def show(subject: Subject, place: DeltaGenerator) -> Subject:
    """Draw the box into `place`; gives the network with the chosen images, or as it is where none fit it."""
    from pruning.data.readers import describe_data

    wanted = st.session_state.pop(_ASKED, None)
    if wanted is not None:
        bring(wanted)
        state.put(state.DATA, wanted)
    names, refused = _offered(subject)
    asked = state.get(state.DATA)
    if not names:
        place.selectbox(
            "Data set", [], placeholder="no images", disabled=True, label_visibility="collapsed", key="no_data"
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="no_images"):
            st.button("Add images", icon=":material/add_photo_alternate:", key="add_images", on_click=_add)
            works = "Costs and times" if subject.network.untrained else "Weights, scores, costs and times"
            st.caption(f"Accuracy is absent: {subject.missing}. {works} work; accuracy and a run need images.")
        if asked in refused:
            st.caption(errors.plain(refused[asked]))
        return subject
    if asked in refused:
        st.toast(
            f"**The images are others now:** {errors.plain(refused[asked])} Those of "
            f"{errors.plain(describe_data(names[0]).title)} are used.",
            icon=":material/swap_horiz:",
        )
    state.put(state.DATA, asked if asked in names else names[0])  # told anew, as the network
    place.selectbox(
        "Data set",
        names,
        format_func=lambda name: permits.title(name) or describe_data(name).title,
        label_visibility="collapsed",
        **state.bound(state.DATA),
    )
    name = state.get(state.DATA)
    subject = loaders.with_data(subject, name)
    if not subject.has_images:
        _get_images(name)
    return subject


def asks_for_more() -> bool:
    """Whether images are to be added, asked just now."""
    return bool(st.session_state.pop(_MORE, False))


def _add() -> None:
    st.session_state[_MORE] = True


def _offered(subject: Subject) -> tuple[list[str], Mapping[str, str]]:
    """The data sets to choose from, and why each of the others that are known here is not among them."""
    from pruning.data.readers import describe_data, is_on_this_machine_alone

    names, refused = [], {}
    for name in dict.fromkeys((*subject.network.data, *st.session_state.get(_BROUGHT, []))):
        try:
            if is_on_this_machine_alone(name):
                loaders.with_data(subject, name)
            else:
                subject.check_fits(describe_data(name))
        except errors.PruningError as error:
            refused[name] = str(error)
        else:
            names.append(name)
    return names, refused


def _get_images(name: str) -> None:
    """Fetch the images, or name the place that has them."""
    from pruning.data.readers import describe_data, open_data

    with st.container(border=True):
        st.markdown(
            f"**The images of {errors.plain(describe_data(name).title)} are not on this machine.** "
            "Weights and costs can be looked at without them; accuracy needs them."
        )
        fetch, place, use = st.columns([1, 2.4, 0.8], vertical_alignment="bottom")
        fetching = fetch.button("Fetch it", icon=":material/download:", key="fetch_data")
        named, using = "", False
        if visitor.is_owner():
            named = place.text_input("or the folder or zip that holds it", key="named_data_dir").strip()
            using = use.button("Use it", key="use_data_dir")
        if not fetching and not (using and named):
            return
        bar = st.progress(0.0, "Fetching" if fetching else "Reading")

        def told(text: str, share: float) -> None:
            bar.progress(min(1.0, share), text)

        with errors.shown(stop=False):
            open_data(name, None if fetching else named, download=fetching, progress=told)
            if not fetching:
                state.get(state.DATA_DIR)[name] = named
            st.rerun()
        bar.empty()
