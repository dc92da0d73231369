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
    from pruning.data.datasets import Dataset
    from pruning.latency.clock import Comparison
    from pruning.opening.models import OpenModel
    from pruning.planning.plan import Plan
    from pruning.spec import PruneSpec
    from pruning.statistics.gather import Statistics
    from pruning.training.evaluate import Difference, Evaluation
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


def plan(opened: OpenModel, spec: PruneSpec, data: Dataset | None = None) -> Plan:
    """The plan of a spec. `data`: for a criterion that needs images; None where there are none.

    Raises:
        InputError: the spec does not fit the network, or needs images that are not there.
    """
    return _plan(opened, spec, statistics(opened, spec, data))


def statistics(opened: OpenModel, spec: PruneSpec, data: Dataset | None) -> Statistics | None:
    """What a spec's criterion needs of the images, gathered once for all sessions; None where it needs nothing.

    Raises:
        InputError: it needs images and there are none.
    """
    from pruning.statistics.cache import remembered, statistics_for

    known = None if data is None else remembered(opened.digest, data, spec)
    if known is not None or not spec.needs_images:
        return known
    with st.spinner("Ranking by what train images show"), loaders.computing():
        return statistics_for(
            opened.model, opened.graph, data, spec, digest=opened.digest, cancel=loaders.asked_to_stop
        )


def key(spec: PruneSpec, data: Dataset | None) -> str:
    """Names what a spec removes from a network: specs and images with the same key give the same plan."""
    return f"{spec.digest} {data.digest if spec.needs_images and data is not None else ''}"


def kept_shares(opened: OpenModel, spec: PruneSpec) -> dict[str, float]:
    """Layer → share of its channels, or of its weights, that stays."""
    kept: dict[str, int] = {}
    total: dict[str, int] = {}
    for layer in plan(opened, spec).layers:  # a layer whose channels belong to two groups stands there twice
        kept[layer.name] = kept.get(layer.name, 0) + layer.kept
        total[layer.name] = total.get(layer.name, 0) + layer.total
    return {name: kept[name] / total[name] for name in kept}


def costs(opened: OpenModel, spec: PruneSpec, data: Dataset | None = None) -> Costs:
    """Parameters, non-zeros, MACs and bytes after a cut; `data` as in `plan`."""
    return _costs(opened.digest, key(spec, data), opened, spec, statistics(opened, spec, data))


def dense_accuracy(opened: OpenModel, data: Dataset, images: int | None = None) -> Evaluation:
    """The uncut network on (at most `images`) select images."""
    return _dense_accuracy(opened.digest, data.digest, images, opened, data)


def accuracy(opened: OpenModel, data: Dataset, spec: PruneSpec, images: int | None = None) -> Accuracy:
    """A cut network on (at most `images`) select images, as cut and recalibrated on train images."""
    ranked = statistics(opened, spec, data)
    return _accuracy(opened.digest, data.digest, spec.digest, images, opened, data, spec, ranked)


def speed(
    opened: OpenModel, spec: PruneSpec, batch: int, seconds: float = 0.4, data: Dataset | None = None
) -> Comparison:
    """Time of the cut network against dense, on the clock; `data` as in `plan`.

    Raises:
        Cancelled: a run trains on this machine.
    """
    return _speed(opened.digest, key(spec, data), batch, seconds, opened, spec, statistics(opened, spec, data))


def recover(
    opened: OpenModel,
    data: Dataset,
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
    from pruning.training.finetune import TrainConfig, steps_per_epoch, train

    made = plan(opened, spec, data)
    model = pruned_model(opened.model, opened.graph, made)
    config = TrainConfig(steps=epochs * steps_per_epoch(data, 64), batch_size=64, lr=0.05, seed=spec.seed)
    with loaders.quiet():
        train(model, data, config, masks=made.masks, progress=progress)
        return evaluate(model, data, "select")


def _plan(opened: OpenModel, spec: PruneSpec, ranked: Statistics | None) -> Plan:
    from pruning.planning.plan import make_plan

    return make_plan(opened.model, opened.graph, spec, ranked)


# Streamlit leaves arguments with a leading underscore out of the key.


@st.cache_data(show_spinner=False, max_entries=2000)
def _costs(digest: str, key: str, _opened: OpenModel, _spec: PruneSpec, _ranked: Statistics | None) -> Costs:
    from pruning.cost.counts import raw_bytes, shapes_after
    from pruning.render.preview import savings

    made = _plan(_opened, _spec, _ranked)
    found = savings(_opened, made)
    raw = raw_bytes(_opened.model, shapes_after(_opened.graph, made))
    return Costs(params=found.params, nonzero=found.nonzero, macs=found.macs, bytes=raw)


@st.cache_data(show_spinner=False, max_entries=100)
def _dense_accuracy(
    digest: str, data_digest: str, images: int | None, _opened: OpenModel, _data: Dataset
) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with loaders.computing():
        return evaluate(_opened.model, _data, "select", limit=images)


@st.cache_data(show_spinner=False, max_entries=1000)
def _accuracy(
    digest: str,
    data_digest: str,
    key: str,
    images: int | None,
    _opened: OpenModel,
    _data: Dataset,
    _spec: PruneSpec,
    _ranked: Statistics | None,
) -> Accuracy:
    from pruning.removal.apply import pruned_model
    from pruning.repair.recalibrate import has_batch_norm, recalibrate
    from pruning.training.evaluate import evaluate, paired_difference

    dense = dense_accuracy(_opened, _data, images)
    with loaders.computing():
        made = _plan(_opened, _spec, _ranked)
        model = pruned_model(_opened.model, _opened.graph, made)
        as_cut = evaluate(model, _data, "select", limit=images)
        recalibrated = None
        if has_batch_norm(model) and not made.removes_nothing:
            recalibrate(model, _data)
            recalibrated = evaluate(model, _data, "select", limit=images)
    difference = paired_difference(dense.right, (recalibrated or as_cut).right)
    return Accuracy(as_cut=as_cut, recalibrated=recalibrated, difference=difference)


@st.cache_data(show_spinner=False, max_entries=1000)
def _speed(
    digest: str,
    key: str,
    batch: int,
    seconds: float,
    _opened: OpenModel,
    _spec: PruneSpec,
    _ranked: Statistics | None,
) -> Comparison:
    from pruning.latency.clock import compare_latency
    from pruning.removal.apply import pruned_model

    small = pruned_model(_opened.model, _opened.graph, _plan(_opened, _spec, _ranked))
    with loaders.quiet():
        return compare_latency(_opened.model, small, _opened.graph.example_shape, batch, seconds=seconds)
