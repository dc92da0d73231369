"""What Compare measures of two networks, cached for all sessions by the digests of networks and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.latency import turns
from ui.kit import loaders

if TYPE_CHECKING:
    from pruning.compare.knockout import Knockout
    from pruning.compare.sides import Pair
    from pruning.subject import Subject
    from pruning.training.answers import Answers
    from pruning.whatif import WhatIf

IMAGES = 1000
"""Select images that are looked at: a fixed balanced sample."""


def dense(pair: Pair) -> Subject:
    """The dense network that both go back to. Only where `pair.same_network`."""
    after = pair.after.subject
    return loaders.open_subject(after.network.origin, after.data_name or None, after.preprocess)


def answers(subject: Subject) -> Answers:
    """Answers to `IMAGES` select images, in the order of `data.subset`."""
    return _answers(subject.identity, subject.data.digest, subject)


def knockout(subject: Subject, layer: str, channel: int) -> Knockout:
    """A network without one filter. Raises InputError where it cannot be removed."""
    return _knockout(subject.identity, subject.data.digest, layer, channel, subject)


@st.cache_data(show_spinner=False, max_entries=50)
def _answers(digest: str, data_digest: str, _subject: Subject) -> Answers:
    from pruning.base.clone import clone
    from pruning.training.answers import answer

    with turns.computing():
        return answer(clone(_subject.model), _subject.data, "select", limit=IMAGES)


@st.cache_data(show_spinner=False, max_entries=3000)
def _knockout(digest: str, data_digest: str, layer: str, channel: int, _subject: Subject) -> Knockout:
    from pruning.compare.knockout import knock_out

    engine = _engine(digest, data_digest, _subject)
    with turns.computing():
        return knock_out(engine, _subject, layer, channel)


@st.cache_resource(show_spinner=False, max_entries=4)
def _engine(digest: str, data_digest: str, _subject: Subject) -> WhatIf:
    from pruning.compare.knockout import knockout_engine

    with turns.computing():
        return knockout_engine(_subject)
