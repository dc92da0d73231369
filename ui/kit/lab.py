"""One cut of one network, measured: costs, accuracy, time, and a short fine-tuning. Cached for all sessions.

Everything is keyed on what the network computes and the settings of the cut, so equal questions are answered once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pruning.latency import turns
from ui.kit import loaders

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.planning.plan import Plan
    from pruning.render.preview import Costs
    from pruning.repair.accuracy import CutAccuracy
    from pruning.spec import PruneSpec
    from pruning.statistics.gather import Statistics
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from pruning.training.finetune import TrainEvent


def plan(subject: Subject, spec: PruneSpec) -> Plan:
    """The plan of a spec.

    Raises:
        InputError: the spec does not fit the network, or needs images that are not there.
    """
    return _plan(subject, spec, statistics(subject, spec))


def statistics(subject: Subject, spec: PruneSpec) -> Statistics | None:
    """What a spec's criterion needs of the images, gathered once for all sessions; None where it needs nothing.

    Raises:
        InputError: it needs images and there are none.
    """
    from pruning.statistics.cache import remembered, statistics_for

    data = subject.images_for(spec)
    known = None if data is None else remembered(subject.digest, data, spec)
    if known is not None or not spec.needs_images:
        return known
    with st.spinner("Ranking by what train images show"), turns.computing():
        return statistics_for(
            subject.model, subject.graph, data, spec, digest=subject.digest, cancel=loaders.asked_to_stop
        )


def key(subject: Subject, spec: PruneSpec) -> str:
    """Names what a spec removes from a network: specs and images with the same key give the same plan."""
    data = subject.images_for(spec)
    return f"{spec.digest} {'' if data is None else data.digest}"


def costs(subject: Subject, spec: PruneSpec) -> Costs:
    """Parameters, non-zeros, MACs and bytes after a cut."""
    return _costs(subject.identity, key(subject, spec), subject, spec, statistics(subject, spec))


def dense_accuracy(subject: Subject, images: int | None = None) -> Evaluation:
    """The uncut network on (at most `images`) select images."""
    return _dense_accuracy(subject.identity, subject.data.digest, images, subject)


def accuracy(subject: Subject, spec: PruneSpec, images: int | None = None) -> CutAccuracy:
    """A cut network on (at most `images`) select images, as cut and recalibrated on train images."""
    ranked = statistics(subject, spec)
    return _accuracy(subject.identity, subject.data.digest, spec.digest, images, subject, spec, ranked)


def speed(subject: Subject, spec: PruneSpec, batch: int, seconds: float = 0.4) -> Comparison:
    """Time of the cut network against dense, on the clock, while whoever else computes here stands still."""
    return _speed(subject.identity, key(subject, spec), batch, seconds, subject, spec, statistics(subject, spec))


def recover(
    subject: Subject,
    spec: PruneSpec,
    *,
    epochs: int = 2,
    progress: Callable[[TrainEvent], None] | None = None,
) -> Evaluation:
    """Fine-tune a copy of the cut network on train images and measure it on select images.

    Only for networks that take a few seconds; anything longer is a run in a process of its own.
    """
    from pruning.training import recover

    made = plan(subject, spec)
    with turns.computing():
        return recover.recover(subject, made, epochs=epochs, seed=spec.seed, progress=progress)


def _plan(subject: Subject, spec: PruneSpec, ranked: Statistics | None) -> Plan:
    from pruning.planning.plan import make_plan

    return make_plan(subject.model, subject.graph, spec, ranked)


# Streamlit leaves arguments with a leading underscore out of the key.


@st.cache_data(show_spinner=False, max_entries=2000)
def _costs(digest: str, key: str, _subject: Subject, _spec: PruneSpec, _ranked: Statistics | None) -> Costs:
    from pruning.render.preview import costs_of

    return costs_of(_subject, _plan(_subject, _spec, _ranked))


@st.cache_data(show_spinner=False, max_entries=100)
def _dense_accuracy(digest: str, data_digest: str, images: int | None, _subject: Subject) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with turns.computing():
        return evaluate(_subject.model, _subject.data, "select", limit=images)


@st.cache_data(show_spinner=False, max_entries=1000)
def _accuracy(
    digest: str,
    data_digest: str,
    key: str,
    images: int | None,
    _subject: Subject,
    _spec: PruneSpec,
    _ranked: Statistics | None,
) -> CutAccuracy:
    from pruning.repair.accuracy import cut_accuracy

    dense = dense_accuracy(_subject, images)
    with turns.computing():
        return cut_accuracy(_subject, _plan(_subject, _spec, _ranked), dense, images=images)


@st.cache_data(show_spinner=False, max_entries=1000)
def _speed(
    digest: str,
    key: str,
    batch: int,
    seconds: float,
    _subject: Subject,
    _spec: PruneSpec,
    _ranked: Statistics | None,
) -> Comparison:
    from pruning.latency.clock import compare_latency
    from pruning.removal.apply import pruned_model

    small = pruned_model(_subject.model, _subject.graph, _plan(_subject, _spec, _ranked))
    with turns.quiet():
        return compare_latency(_subject.model, small, _subject.graph.example_shape, batch, seconds=seconds)
