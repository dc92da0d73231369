"""One cut of one network, measured: costs, accuracy, time, and a short fine-tuning. Cached for all sessions.

Everything is keyed on the digest of the weights and the settings of the cut, so equal questions are answered once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import loaders

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.planning.plan import Plan
    from pruning.spec import PruneSpec
    from pruning.statistics.gather import Statistics
    from pruning.subject import Subject
    from pruning.tasks.metric import Difference
    from pruning.training.evaluate import Evaluation
    from pruning.training.finetune import TrainEvent


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Counts for the network after a cut."""

    params: int
    nonzero: int
    macs: int
    bytes: int
    """Raw size of the weights."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Accuracy of a cut network before any training, and against dense on the same images."""

    as_cut: Evaluation
    recalibrated: Evaluation | None
    """With BN statistics measured anew; None without BN, or when nothing is removed."""
    difference: Difference
    """Of the best of the two against dense."""

    @property
    def best(self) -> Evaluation:
        return self.recalibrated or self.as_cut


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
    with st.spinner("Ranking by what train images show"), loaders.computing():
        return statistics_for(
            subject.model, subject.graph, data, spec, digest=subject.digest, cancel=loaders.asked_to_stop
        )


def key(subject: Subject, spec: PruneSpec) -> str:
    """Names what a spec removes from a network: specs and images with the same key give the same plan."""
    data = subject.images_for(spec)
    return f"{spec.digest} {'' if data is None else data.digest}"


def kept_shares(subject: Subject, spec: PruneSpec) -> dict[str, float]:
    """Layer → share of its channels, or of its weights, that stays."""
    kept: dict[str, int] = {}
    total: dict[str, int] = {}
    for layer in plan(subject, spec).layers:  # a layer whose channels belong to two groups stands there twice
        kept[layer.name] = kept.get(layer.name, 0) + layer.kept
        total[layer.name] = total.get(layer.name, 0) + layer.total
    return {name: kept[name] / total[name] for name in kept}


def costs(subject: Subject, spec: PruneSpec) -> Costs:
    """Parameters, non-zeros, MACs and bytes after a cut."""
    return _costs(subject.digest, key(subject, spec), subject, spec, statistics(subject, spec))


def dense_accuracy(subject: Subject, images: int | None = None) -> Evaluation:
    """The uncut network on (at most `images`) select images."""
    return _dense_accuracy(subject.digest, subject.data.digest, images, subject)


def accuracy(subject: Subject, spec: PruneSpec, images: int | None = None) -> Accuracy:
    """A cut network on (at most `images`) select images, as cut and recalibrated on train images."""
    ranked = statistics(subject, spec)
    return _accuracy(subject.digest, subject.data.digest, spec.digest, images, subject, spec, ranked)


def speed(subject: Subject, spec: PruneSpec, batch: int, seconds: float = 0.4) -> Comparison:
    """Time of the cut network against dense, on the clock.

    Raises:
        Cancelled: a run trains on this machine.
    """
    return _speed(subject.digest, key(subject, spec), batch, seconds, subject, spec, statistics(subject, spec))


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
    from pruning.removal.apply import pruned_model
    from pruning.training.evaluate import evaluate
    from pruning.training.finetune import TrainConfig, train

    made, data = plan(subject, spec), subject.data
    model = pruned_model(subject.model, subject.graph, made)
    config = TrainConfig(steps=data.info.steps_of(epochs, 64), batch_size=64, lr=0.05, seed=spec.seed)
    with loaders.quiet():
        train(model, data, config, masks=made.masks, progress=progress)
        return evaluate(model, data, "select")


def _plan(subject: Subject, spec: PruneSpec, ranked: Statistics | None) -> Plan:
    from pruning.planning.plan import make_plan

    return make_plan(subject.model, subject.graph, spec, ranked)


# Streamlit leaves arguments with a leading underscore out of the key.


@st.cache_data(show_spinner=False, max_entries=2000)
def _costs(digest: str, key: str, _subject: Subject, _spec: PruneSpec, _ranked: Statistics | None) -> Costs:
    from pruning.cost.counts import raw_bytes, shapes_after
    from pruning.render.preview import savings

    made = _plan(_subject, _spec, _ranked)
    found = savings(_subject, made)
    raw = raw_bytes(_subject.model, shapes_after(_subject.graph, made))
    return Costs(params=found.params, nonzero=found.nonzero, macs=found.macs, bytes=raw)


@st.cache_data(show_spinner=False, max_entries=100)
def _dense_accuracy(digest: str, data_digest: str, images: int | None, _subject: Subject) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with loaders.computing():
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
) -> Accuracy:
    from pruning.removal.apply import pruned_model
    from pruning.repair.recalibrate import has_batch_norm, recalibrate
    from pruning.training.evaluate import evaluate

    dense, data = dense_accuracy(_subject, images), _subject.data
    with loaders.computing():
        made = _plan(_subject, _spec, _ranked)
        model = pruned_model(_subject.model, _subject.graph, made)
        as_cut = evaluate(model, data, "select", limit=images)
        recalibrated = None
        if has_batch_norm(model) and not made.removes_nothing:
            recalibrate(model, data)
            recalibrated = evaluate(model, data, "select", limit=images)
    difference = (recalibrated or as_cut).minus(dense)
    return Accuracy(as_cut=as_cut, recalibrated=recalibrated, difference=difference)


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
    with loaders.quiet():
        return compare_latency(_subject.model, small, _subject.graph.example_shape, batch, seconds=seconds)
