"""The gate: before anything is pruned, what the unpruned network makes of one's own images, and whether that can be.

Never there for images of a published data set: what a sample network makes of them is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.latency import turns
from pruning.render.markup import gate_question, seen_strip
from pruning.render.markup.seen_strip import Seen
from ui.kit import errors, loaders, permits
from ui.session import data_box, network_box, preprocess_form, yours

if TYPE_CHECKING:
    from pruning.data.preprocess import Preprocess
    from pruning.gate import Look, Trial
    from pruning.subject import Subject

_OTHERS = "gate_others"
"""What the form for other preprocessing is open for."""
_REFUSED = "gate_refused"
"""For which network and images something else was asked for that is not possible, and why."""
SHOWN = 4
"""Other ways that are offered at most."""

Key = tuple[str, str, str]
"""A network, images, and how they are prepared."""


def show(chosen: Subject, *, stops: bool) -> None:
    """The question, where it was not answered yet; else what was noticed of network and images, folded.

    `stops`: whether nothing of the page is drawn before the answer.
    """
    if not chosen.has_images or chosen.preprocess is None:
        _remarks(chosen)
        return
    if chosen.missing is not None or permits.expects(_key(chosen)):
        _remarks(chosen)
        return
    with st.container(border=True, key="gate"), errors.shown(stop=False):
        _ask(chosen)
    if stops:
        st.stop()


def passed(chosen: Subject) -> None:
    """Note that the answer is yes; for a run, which went on, it was."""
    permits.expect(_key(chosen))


def _key(chosen: Subject) -> Key:
    return chosen.digest, chosen.data_name, chosen.preprocess.words if chosen.preprocess else ""


def _ask(chosen: Subject) -> None:
    with st.spinner("Looking at your images, as the unpruned network sees them"):
        look = _look(*_key(chosen), chosen)
    st.html(gate_question.html(look))
    if look.doubt:
        st.warning(errors.plain(look.doubt), icon=":material/help:")
    st.html(seen_strip.html(_seen(chosen, look)))
    st.caption("  \n".join(errors.plain(remark) for remark in _noticed(chosen)))
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Yes, go on", type="primary", key="gate_yes", icon=":material/check:", on_click=passed, args=(chosen,)
        )
        st.button(
            "No: try other preprocessing", key="gate_no", icon=":material/tune:", on_click=_open_others, args=(chosen,)
        )
        if chosen.info.split is not None:
            st.button(
                "Split the images otherwise", key="gate_split", icon=":material/call_split:", on_click=yours.open_at,
                args=("images",),
            )  # fmt: skip
    if look.doubt:
        with st.spinner("Trying the usual crops, normalisations and orders"):
            trials = _trials(*_key(chosen), chosen, look)
        _offer(chosen, trials)
    if st.session_state.get(_OTHERS) == _place(chosen):
        _edit(chosen, look)
    of, why = st.session_state.get(_REFUSED) or (None, "")
    if of == _place(chosen):
        st.error(errors.plain(why), icon=":material/error:")


def _seen(chosen: Subject, look: Look) -> list[Seen]:
    return [
        Seen(
            image=chosen.data.image("select", example.index),
            answer=example.answer,
            truth=example.truth or "",
        )
        for example in look.examples
    ]


def _offer(chosen: Subject, trials: tuple[Trial, ...]) -> None:
    """What else was tried, and is surely better: one click takes it."""
    from pruning.gate import explaining

    better = explaining(trials, chosen.task.metric.guess(chosen.info))[:SHOWN]
    if not better:
        if trials:
            st.caption(f"{len(trials)} usual other ways to prepare the images were tried: none explains it.")
        return
    metric = chosen.task.metric
    st.markdown("**Tried on the same images, and surely better:**")
    for number, trial in enumerate(better):
        words, use = st.columns([4, 1], vertical_alignment="center")
        words.markdown(f"{errors.plain(trial.words)}: **{metric.words(trial.value)}** of {trial.images:,} images ●")
        use.button(
            "Use it", key=f"gate_use_{number}", width="stretch", on_click=_use,
            args=(chosen, trial.preprocess or chosen.preprocess, trial.order or _order(chosen)),
        )  # fmt: skip
        if trial.order is not None:
            words.caption("That numbers the classes otherwise: right if the network learnt them in this order.")


def _edit(chosen: Subject, look: Look) -> None:
    """The form, and eight images as the network would see them."""
    assert chosen.preprocess is not None
    with st.container(border=True, key="gate_form"):
        key = f"gate_{chosen.digest[:8]}_{hash(_key(chosen)):x}"
        draft = preprocess_form.edit(chosen.preprocess, key)
        order = preprocess_form.edit_order(_order(chosen), _orders(chosen), key)
        data = loaders.load_data(chosen.data_name, None, draft)
        images = [
            Seen(image=data.image("select", example.index), truth=example.truth or "") for example in look.examples
        ]
        st.html(seen_strip.html(images))
        st.caption(f"As the network would see them: {draft.words}.")
        same = (draft, order) == (chosen.preprocess, _order(chosen))
        st.button(
            "Look with these", type="primary", key="gate_edited", disabled=same, on_click=_use,
            args=(chosen, draft, order),
        )  # fmt: skip


def _open_others(chosen: Subject) -> None:
    st.session_state[_OTHERS] = _place(chosen)


def _use(chosen: Subject, how: Preprocess, order: str | None) -> None:
    """In a callback: prepare the images otherwise from now on, number their classes in another order, and ask again.
    Where that is not possible nothing changes, and it is said why."""
    from pruning.catalog.openers import at_size
    from pruning.data.own.reference import with_option

    assert chosen.preprocess is not None

    ref = at_size(chosen.ref, how.size) if how.size != chosen.preprocess.size else chosen.ref
    data = chosen.data_name if order == _order(chosen) else with_option(chosen.data_name, "order", order)
    try:
        if ref != chosen.ref and permits.holds(chosen.ref):
            permits.allow(ref, permits.title(chosen.ref) or "")
        loaders.with_data(loaders.open_subject(ref), data, how if how != chosen.preprocess else None)
    except errors.PruningError as error:
        st.session_state[_REFUSED] = (_place(chosen), str(error))
        return
    st.session_state.pop(_REFUSED, None)
    if how != chosen.preprocess:
        permits.prepare(ref, chosen.data_name, how)
    if data != chosen.data_name:
        data_box.exchange(ref, chosen.data_name, data)
    if ref != chosen.ref:
        network_box.ask(ref)
    if st.session_state.get(_OTHERS) == _place(chosen):  # the form stays open
        st.session_state[_OTHERS] = (ref, data)


def _order(chosen: Subject) -> str | None:
    """Name of the order that its classes are to be numbered in; None: as the images number them."""
    from pruning.data.own.reference import read_reference

    found = read_reference(chosen.data_name).order
    return None if found is None else found.name


def _orders(chosen: Subject) -> dict[str, str]:
    """Orders that would number its classes otherwise than the images do, by name and in words; none where the network
    names its classes, which are found by these."""
    from pruning.data.orders import other_orders
    from pruning.data.own.reference import with_option
    from pruning.data.readers import describe_data
    from pruning.fitting import names_of

    if not chosen.info.labelled or names_of(chosen.network):
        return {}
    classes = describe_data(with_option(chosen.data_name, "order", None)).classes
    return {order.name: order.words for order, _ in other_orders(classes)}


def _place(chosen: Subject) -> tuple[str, str]:
    return chosen.ref, chosen.data_name


def _noticed(chosen: Subject) -> list[str]:
    """What is to be said of network and images, but for what a banner says."""
    above = chosen.network.remarks if chosen.network.root else ()
    return [remark for remark in chosen.remarks if remark not in above]


def _remarks(chosen: Subject) -> None:
    remarks = _noticed(chosen)
    if remarks:
        with st.expander(f"What was noticed of the network and its images ({len(remarks)})"):
            for remark in remarks:
                st.markdown(f"- {errors.plain(remark)}")
            if chosen.preprocess is not None:
                st.button(
                    "Prepare the images otherwise", key="gate_again", icon=":material/tune:", on_click=_again,
                    args=(chosen,),
                )  # fmt: skip


def _again(chosen: Subject) -> None:
    """In a callback: ask once more, with the form open."""
    permits.doubt(_key(chosen))
    _open_others(chosen)


@st.cache_resource(show_spinner=False, max_entries=20)
def _look(digest: str, data: str, how: str, _subject: Subject) -> Look:
    from pruning.gate import look

    with turns.computing():
        return look(_subject, cancel=loaders.asked_to_stop)


@st.cache_resource(show_spinner=False, max_entries=20)
def _trials(digest: str, data: str, how: str, _subject: Subject, _first: Look) -> tuple[Trial, ...]:
    from pruning.gate import try_others

    with turns.computing():
        return try_others(_subject, _first, cancel=loaders.asked_to_stop)
