"""Draw your own digit: a small canvas, and what the original and the pruned network answer while it is drawn on.

A fragment of the page, so that drawing runs none of the rest. Until something is drawn, nothing is computed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.latency import turns
from pruning.render.markup import spoken
from ui.kit import errors, lab
from ui.kit.component import component

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from pruning.spec import PruneSpec
    from pruning.subject import Subject
    from pruning.training.recover import Recovered

KEY = "drawn_digit"
ANCHOR = "draw-your-own-digit"
"""Of its heading, for links on the page."""
SAMPLES = 10
"""Images to try instead: one of each digit."""
HOW = (
    "Your drawing is scaled to fit 20 × 20 pixels and centred by its mass in 28 × 28, as the digits of MNIST were "
    "(LeCun, Cortes and Burges). How sure: the softmax of the outputs, which is what a network says of itself."
)


@st.fragment
def show(subject: Subject, cut: PruneSpec, recovered: Recovered | None) -> None:
    """The canvas, and the answers once something is drawn. `recovered`: the cut network after training, if it was
    trained."""
    st.markdown("## Draw your own digit")
    left, right = st.columns([1, 2.2], gap="medium")
    samples = _samples(subject.data.digest, subject)
    with left:
        _component()(key=KEY, data={"samples": [picture for _, picture in samples]}, on_drawn_change=lambda: None)
    with right, errors.shown(stop=False):
        found = _chosen(subject, samples)
        if found is None:
            st.markdown(
                "Both networks will answer here, as you draw: the original one, and the pruned one as it is now."
            )
            return
        image, truth = found
        _answer(subject, cut, recovered, image, truth)
        st.caption(HOW)


def _chosen(subject: Subject, samples: list[tuple[int, str]]) -> tuple[Tensor, int | None] | None:
    """The image to show to the networks, and what is right where that is known; None before anything is drawn.

    Raises:
        InputError: what the browser sent is no drawing.
    """
    from pruning.data import handwriting

    sent = (st.session_state.get(KEY) or {}).get("drawn")
    if not isinstance(sent, dict):
        return None
    chosen = sent.get("sample")
    if type(chosen) is int and 0 <= chosen < len(samples):
        number = samples[chosen][0]
        labels = subject.data.labels("select")
        return subject.data.image("select", number), None if labels is None else int(labels[number])
    strokes = handwriting.read_strokes(sent.get("strokes"))
    return (handwriting.drawn_image(strokes), None) if strokes else None


def _answer(subject: Subject, cut: PruneSpec, recovered: Recovered | None, image: Tensor, truth: int | None) -> None:
    from pruning.training.one_image import ask

    pruned = recovered.model if recovered else _pruned(subject.identity, subject.data.digest, cut.digest, subject, cut)
    said = [ask(model, subject.data, image) for model in (subject.model, pruned)]
    names = ("original", "pruned and recovered" if recovered else "pruned")
    answers = list(zip(names, ("dense", "kept"), said, strict=True))
    st.html(spoken.html(image, answers, subject.named, spoken.agreement(said, subject.named, truth)))


@st.cache_resource(show_spinner=False, max_entries=100)
def _pruned(digest: str, data_digest: str, key: str, _subject: Subject, _cut: PruneSpec) -> nn.Module:
    """The cut network whose accuracy the page shows."""
    from pruning.repair.accuracy import best_without_training

    plan = lab.plan(_subject, _cut)
    with turns.computing():
        return best_without_training(_subject, plan)


@st.cache_data(show_spinner=False, max_entries=4)
def _samples(data_digest: str, _subject: Subject) -> list[tuple[int, str]]:
    """Select images, one of each digit: its number, and its pixels as an address."""
    from pruning.render.markup.pixels import photo

    data = _subject.data
    first = data.balanced("select")[:SAMPLES].tolist()
    return [(number, photo(data.image("select", number))) for number in first]


@cache
def _component() -> Callable[..., Any]:
    return component("start_digit", Path(__file__).parent, css="digit.css", js=("digit.js",))
