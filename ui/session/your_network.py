"""A network of one's own: any of torchvision or timm with a search, weights from a file, a bundle, or code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from pruning.base.words import amount
from ui.kit import errors, loaders, place, visitor
from ui.session import network_box, uploads, your_code

if TYPE_CHECKING:
    from pruning.catalog.listing import Facts
    from pruning.uploads.spool import Upload

Weights = Literal["random", "default", "file"]
WEIGHTS: dict[Weights, str] = {"random": "random", "default": "the library's", "file": "from a file"}
_TO_FETCH = "your_network_to_fetch"
NAME, KIND, WAY = "your_network_name", "your_network_weights", "your_network_way"
"""Keys of the boxes."""
LIBRARY, BUNDLE, CODE = "from torchvision or timm", "from a bundle", "from a Python file"
TYPED = (
    "Or type its reference into the box on top and press Enter: **torchvision:resnet50**, or with a size "
    "**torchvision:vit_b_16?size=224**; its weights are random unless you add **weights=default**, where these are "
    "on this machine."
)


def ask_for_weights(ref: str) -> None:
    """In a callback: begin with a network whose weights are to be sent or named."""
    base, _, _ = ref.partition("?")
    if base.startswith("file:"):
        st.session_state[WAY] = CODE
    elif base in _names():
        st.session_state[WAY] = LIBRARY
        st.session_state[NAME], st.session_state[KIND] = base, "file"


def show(then: Callable[[], None]) -> None:
    """The form. `then`: called once a network was chosen."""
    ways = [LIBRARY, BUNDLE, *([CODE] if your_code.is_allowed() else [])]
    way = st.segmented_control("A network", ways, default=LIBRARY, required=True, key=WAY, label_visibility="collapsed")
    if way == CODE and CODE in ways:
        your_code.show(partial(_choose, then=then))
    elif way == BUNDLE:
        _bundle(then)
    else:
        _of_library(then)


def _of_library(then: Callable[[], None]) -> None:
    search, count, kind = st.columns([2.2, 1, 2], vertical_alignment="bottom")
    with st.spinner("Listing the networks of torchvision and timm"):
        names = _names()
    base = search.selectbox(
        "Search the classifiers of torchvision and timm",
        names,
        index=None,
        filter_mode="contains",
        placeholder="resnet50, efficientnet, vit …",
        key=NAME,
    )
    base = base if base in names else None  # a browser may send any text
    classes = count.number_input(
        "Classes", 2, 1_000_000, value=None, placeholder="its own", key="your_network_classes",
        help="Outputs of the last layer. Empty: as many as the weights have, else as the library builds it.",
    )  # fmt: skip
    facts = None
    with errors.shown(stop=False):
        facts = _facts_of(reference(base, int(classes) if classes else None, None)) if base else None
    theirs = _default_weights(base) if base else "none"
    offered: list[Weights] = ["random", "default", "file"] if theirs != "none" else ["random", "file"]
    weights = kind.segmented_control(
        "Weights", offered, format_func=WEIGHTS.__getitem__, default="file", required=True, key=KIND
    )
    if facts is not None:
        st.markdown(f"**{errors.plain(str(base))}** · {_words(facts)}")
    if not base:
        first = "Which network are the weights of? Choose it, then its file can be sent. "
        st.caption(f"{first if weights == 'file' else ''}{TYPED}")
    elif weights == "file":
        _upload(base, classes, then)
    else:
        ref = reference(base, classes, "default" if weights == "default" else None)
        if weights == "default" and theirs == "to fetch":
            _fetch(ref, then)
        else:
            st.button("Open it", type="primary", key="your_network_open", on_click=_choose, args=(ref, then))


def reference(base: str, classes: int | None, weights: str | None) -> str:
    """
    >>> reference("timm:resnet18", 10, None), reference("timm:resnet18", None, None)
    ('timm:resnet18?classes=10', 'timm:resnet18')
    """
    given = {"classes": classes, "weights": weights}
    options = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
    return f"{base}?{options}" if options else base


def _choose(ref: str, then: Callable[[], None]) -> None:
    """In a callback: the network is opened when the page is drawn next."""
    network_box.ask(ref)
    then()


def _upload(base: str, classes: int | None, then: Callable[[], None]) -> None:
    def accepted(ref: str, upload: Upload, found: Mapping[str, Any]) -> None:
        _choose(ref, then)

    uploads.offer(
        "weights",
        "Send its weights",
        lambda upload: reference(base, classes, str(upload.path)),
        accepted,
    )


def _bundle(then: Callable[[], None]) -> None:
    """A pruned network that somebody took away from here, or from another explorer: it becomes a run again."""

    def accepted(sent: str, upload: Upload, found: Mapping[str, Any]) -> None:
        from pathlib import Path

        from pruning.runs.start import give_to
        from pruning.uploads import spool

        spool.forget(upload)
        give_to(Path(found["run"]), visitor.current())
        for remark in found["remarks"]:
            st.toast(errors.plain(str(remark)), icon=":material/info:")
        _choose(f"run:{found['run']}", then)

    st.caption(
        "The zip file that **Bundle** makes of a finished run, here or elsewhere. It becomes a run again, with the "
        "figures that it states; no code in it is carried out."
    )
    uploads.offer("bundles", "Send the bundle", lambda upload: str(upload.path), accepted)


def _words(facts: Facts) -> str:
    said = [f"{amount(facts.parameters)} parameters"]
    if facts.macs is not None:
        said.append(f"{amount(facts.macs)} MACs")
    said.append(f"images of {'×'.join(map(str, facts.input_shape))}")
    if facts.classes is not None:
        said.append(f"{facts.classes:,} classes")
    return " · ".join(said)


def _facts_of(reference: str) -> Facts:
    """Raises InputError also where a visitor may not open it: to count some of them, they are built."""
    if not visitor.is_owner():
        loaders.check_visitor(reference)
    return _facts(reference)


@st.cache_data(show_spinner=False, max_entries=300)
def _facts(reference: str) -> Facts:
    from pruning.catalog.listing import facts

    return facts(reference)


def _default_weights(base: str) -> Literal["here", "to fetch", "none"]:
    """Where the library's own weights are. They are fetched for the owner of the machine alone."""
    from pruning.catalog.libraries import default_weights_are_here, has_default_weights
    from pruning.catalog.openers import parse_reference

    asked = parse_reference(base)
    if default_weights_are_here(asked):
        return "here"
    return "to fetch" if place.is_loopback() and has_default_weights(asked) else "none"


def _fetch(ref: str, then: Callable[[], None]) -> None:
    """The library's weights are not on this machine yet."""
    library = ref.partition(":")[0]
    st.button(
        "Fetch its weights and open it",
        icon=":material/download:",
        type="primary",
        key="your_network_fetch",
        on_click=st.session_state.__setitem__,
        args=(_TO_FETCH, ref),
    )
    if st.session_state.pop(_TO_FETCH, None) == ref:
        from pruning.catalog.openers import open_network

        with errors.shown(stop=False):
            with st.spinner(f"{library} fetches the weights; large networks take minutes"):
                open_network(ref)
            _choose(ref, then)
            st.rerun()
    st.caption(f"{library} fetches them from its own server, once; they are kept on this machine.")


@st.cache_resource(show_spinner=False)
def _names() -> list[str]:
    """References of the classifiers of all libraries."""
    from pruning.catalog.listing import LIBRARIES, classifiers

    return [reference for library in LIBRARIES for reference in classifiers(library)]
