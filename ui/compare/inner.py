"""What the inner parts of Compare measure, cached for all sessions by the digests of networks and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import loaders

if TYPE_CHECKING:
    from pruning.compare.knockout import Knockout
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.opening.models import OpenModel
    from pruning.training.answers import Answers
    from pruning.whatif import WhatIf

IMAGES = 1000
"""Select images that are looked at: a fixed balanced sample."""


def names(pair: Pair) -> tuple[str, str]:
    """What the two networks are called in a word."""
    return ("dense", "pruned") if pair.before.kind == "dense" else ("before", "after")


def dense(pair: Pair) -> OpenModel:
    """The dense network that both go back to. Only where `pair.same_network`."""
    sample = pair.after.opened.sample
    assert sample is not None
    return loaders.open_model(f"sample:{sample.name}")


def answers(opened: OpenModel, data: Data) -> Answers:
    """Answers to `IMAGES` select images, in the order of `data.subset`."""
    return _answers(opened.digest, data.digest, opened, data)


def answer_name(answers: Answers, place: int, data: Data) -> str:
    """The class that was answered, in words."""
    number = int(answers.classes.predicted[place])
    return data.info.classes[number] if number >= 0 else "no answer"


def knockout(opened: OpenModel, data: Data, layer: str, channel: int) -> Knockout:
    """A network without one filter. Raises InputError where it cannot be removed."""
    return _knockout(opened.digest, data.digest, layer, channel, opened, data)


@st.cache_data(show_spinner=False, max_entries=50)
def _answers(digest: str, data_digest: str, _opened: OpenModel, _data: Data) -> Answers:
    from pruning.base.clone import clone
    from pruning.training.answers import answer

    with loaders.computing():
        return answer(clone(_opened.model), _data, "select", limit=IMAGES)


@st.cache_data(show_spinner=False, max_entries=3000)
def _knockout(digest: str, data_digest: str, layer: str, channel: int, _opened: OpenModel, _data: Data) -> Knockout:
    from pruning.compare.knockout import knock_out

    engine = _engine(digest, data_digest, _opened, _data)
    with loaders.computing():
        return knock_out(engine, _opened, layer, channel)


@st.cache_resource(show_spinner=False, max_entries=4)
def _engine(digest: str, data_digest: str, _opened: OpenModel, _data: Data) -> WhatIf:
    from pruning.compare.knockout import knockout_engine

    with loaders.computing():
        return knockout_engine(_opened, _data)
