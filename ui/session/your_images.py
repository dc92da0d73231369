"""Images of one's own: a file that is sent, a folder that the owner lists, or, on one's own machine, any place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.settings import settings
from ui.kit import errors, loaders, permits, place
from ui.session import data_box, uploads

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.subject import Subject
    from pruning.uploads.spool import Upload

_ASKED = "your_images_asked"
"""A folder or file that is to be looked at."""
_REFUSED = "your_images_refused"
"""Why they cannot be split as was asked for."""
HOW = (
    "A folder or zip with one folder a class (`cats/1.jpg`), or with `train`, `val` and `test` of such; images alone "
    "where there are no labels; `.npz` with `images` and `labels`; Parquet as Hugging Face writes it."
)


def show(then: Callable[[], None], chosen: Subject) -> None:
    """The form. `then`: called once images were chosen. `chosen`: what the page works on now."""
    _split(then, chosen)
    st.caption(HOW)
    ways: dict[str, Callable[[Callable[[], None]], None]] = {"Send a file": _upload}
    if settings().data.folders:
        ways["Choose of this server's"] = _listed
    if place.is_loopback():
        ways["Name a folder or file"] = _typed
    way: str | None = next(iter(ways))
    if len(ways) > 1:
        known = st.session_state.get("your_images_way")
        st.session_state["your_images_way"] = known if known in ways else way  # told anew each time the panel opens
        way = st.segmented_control(
            "How", list(ways), required=True, key="your_images_way", label_visibility="collapsed"
        )
    ways[way or "Send a file"](then)


def _split(then: Callable[[], None], chosen: Subject) -> None:
    """How the images that are chosen are split, where they do not say which of them is for what."""
    if chosen.images is None or chosen.info.split is None:
        return
    info, now = chosen.info, "/".join(map(str, chosen.info.split))
    with st.container(border=True, key="your_images_split_box", gap="small"):
        st.markdown(f"**{errors.plain(info.title)}:** nothing says which image is for what, so they are drawn by lot.")
        which, action = st.columns([4, 1], vertical_alignment="bottom")
        asked = which.text_input(
            "Per cent to train, to select and to test with", now, key=f"your_images_split_{info.name}",
            help="Three whole numbers that add up to 100, such as 40/40/20: to learn from, to choose by, and to look "
            "at once at the end.",
        ).strip()  # fmt: skip
        action.button(
            "Split so", key="your_images_split_use", width="stretch", disabled=asked == now, on_click=_split_so,
            args=(then, chosen, asked),
        )  # fmt: skip
        if refused := st.session_state.pop(_REFUSED, None):
            st.error(errors.plain(refused), icon=":material/error:")


def _split_so(then: Callable[[], None], chosen: Subject, asked: str) -> None:
    """In a callback: the same images, split otherwise; or why that cannot be."""
    from pruning.data.own.reference import read_split, with_option

    name = chosen.data_name
    try:
        read_split(asked)
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)
        return
    data_box.exchange(chosen.ref, name, with_option(name, "split", asked))
    then()


def _upload(then: Callable[[], None]) -> None:
    def accepted(ref: str, upload: Upload, found: Mapping[str, Any]) -> None:
        data_box.ask(ref)
        then()

    uploads.offer("images", "Send images", lambda upload: f"{upload.path.suffix[1:]}:{upload.path}", accepted)


def _listed(then: Callable[[], None]) -> None:
    names = [str(path) for path in settings().data.folders]
    which, action = st.columns([4, 1], vertical_alignment="bottom")
    chosen = which.selectbox("Folder", names, index=None, format_func=lambda name: Path(name).name)
    _use(action, chosen if chosen in names else "", then)  # a browser may send any text


def _typed(then: Callable[[], None]) -> None:
    which, action = st.columns([4, 1], vertical_alignment="bottom")
    named = which.text_input(
        "Folder or file on this machine", placeholder="/home/me/photos", key="your_images_path"
    ).strip()
    _use(action, named, then)


def _use(place: DeltaGenerator, named: str, then: Callable[[], None]) -> None:
    place.button("Use it", type="primary", key="your_images_use", disabled=not named, on_click=_ask, args=(named,))
    asked = st.session_state.pop(_ASKED, None)
    if asked and asked == named:
        _open(asked, then)


def _ask(named: str) -> None:
    st.session_state[_ASKED] = named


def _open(text: str, then: Callable[[], None]) -> None:
    """Look at a folder or file of the server: who may name it, may open it."""
    from pruning.data.readers import absolute, data_reference, describe_data

    with errors.shown(stop=False), st.spinner("Looking at the images"):
        ref = absolute(data_reference(text))
        permits.allow(ref)
        loaders.check_images(ref)
        describe_data(ref)
        data_box.ask(ref)
        then()
        st.rerun()
