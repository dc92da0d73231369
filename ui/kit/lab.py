"""One cut of one network, measured: costs, accuracy, time, and a short fine-tuning. Cached for all sessions.

Everything is keyed on what the network computes and the settings of the cut, so equal questions are answered once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    from pruning.training.recover import Recovered


LOOK_SECONDS = 0.2
_RECOVERING = threading.Lock()
"""One short training at a time: side by side each would take as much longer."""


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
    """The dense network on (at most `images`) select images."""
    return _dense_accuracy(subject.identity, subject.data.digest, images, subject)


def accuracy(subject: Subject, spec: PruneSpec, images: int | None = None) -> CutAccuracy:
    """A cut network on (at most `images`) select images, as cut and recalibrated on train images."""
    ranked = statistics(subject, spec)
    return _accuracy(subject.identity, subject.data.digest, spec.digest, images, subject, spec, ranked)


def speed(
    subject: Subject, spec: PruneSpec, batch: int, *, anew: bool = False, button: bool = True
) -> Comparison | str:
    """Time of the cut network against dense, on the clock; a string says why there is none. See `timings.speed`."""
    from ui.kit import timings

    return timings.speed(subject, plan(subject, spec), batch, anew=anew, button=button)


def recover(
    subject: Subject,
    spec: PruneSpec,
    *,
    epochs: int = 2,
    images: int | None = None,
    progress: Callable[[TrainEvent], None] | None = None,
) -> Recovered:
    """Fine-tune a copy of the cut network on train images and measure it on (at most `images`) select images.

    Only for networks that take a few seconds; anything longer is a run in a process of its own. Sessions take turns;
    while a network is timed on this machine it stands still.
    """
    from pruning.jobs.quiet import breathe, computing
    from pruning.training import recover

    def stop() -> bool:
        breathe()
        return loaders.asked_to_stop()

    made = plan(subject, spec)
    with _one_at_a_time(), computing():
        return recover.recover(
            subject, made, epochs=epochs, seed=spec.seed, images=images, progress=progress, cancel=stop
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    while not _RECOVERING.acquire(timeout=LOOK_SECONDS):
        loaders.asked_to_stop()
    try:
        yield
    finally:
        _RECOVERING.release()


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
