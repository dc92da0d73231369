"""One cut of one network, measured: costs, accuracy, time, and a short fine-tuning. Cached for all sessions.

Everything is keyed on the digest of the weights and the settings of the cut, so equal questions are answered once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import loaders

if TYPE_CHECKING:
    from torch import nn

    from pruning.data.protocol import Data
    from pruning.latency.clock import Comparison
    from pruning.opening.models import OpenModel
    from pruning.planning.plan import Plan
    from pruning.tasks.metric import Difference
    from pruning.training.evaluate import Evaluation
    from pruning.training.finetune import TrainEvent


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What to remove, as `pruning.planning.plan.make_plan` takes it."""

    granularity: str = "channel"
    criterion: str = "l2"
    sparsity: float = 0.0
    layers: tuple[tuple[str, float], ...] = ()
    """Layers or groups with a sparsity of their own."""
    seed: int = 0

    @property
    def key(self) -> str:
        """Two cuts with the same key are the same."""
        return json.dumps([self.granularity, self.criterion, self.sparsity, sorted(self.layers), self.seed])


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


def plan(opened: OpenModel, cut: Cut) -> Plan:
    """The plan of a cut. Raises InputError for settings that are not allowed."""
    from pruning.planning.plan import make_plan

    return make_plan(
        opened.model,
        opened.graph,
        granularity=cut.granularity,
        criterion=cut.criterion,
        sparsity=cut.sparsity,
        layers=dict(cut.layers),
        seed=cut.seed,
    )


def pruned(opened: OpenModel, cut: Cut) -> nn.Module:
    """A pruned copy: weights zeroed, or channels removed. The shared model is not touched."""
    from pruning.removal.apply import masked_model, removed_model

    build = masked_model if cut.granularity == "weight" else removed_model
    return build(opened.model, opened.graph, plan(opened, cut))


def kept_shares(opened: OpenModel, cut: Cut) -> dict[str, float]:
    """Layer → share of its channels, or of its weights, that stays."""
    kept: dict[str, int] = {}
    total: dict[str, int] = {}
    for layer in plan(opened, cut).layers:  # a layer whose channels belong to two groups stands there twice
        kept[layer.name] = kept.get(layer.name, 0) + layer.kept
        total[layer.name] = total.get(layer.name, 0) + layer.total
    return {name: kept[name] / total[name] for name in kept}


def costs(opened: OpenModel, cut: Cut) -> Costs:
    """Parameters, non-zeros, MACs and bytes after a cut."""
    return _costs(opened.digest, cut.key, opened, cut)


def dense_accuracy(opened: OpenModel, data: Data, images: int | None = None) -> Evaluation:
    """The uncut network on (at most `images`) select images."""
    return _dense_accuracy(opened.digest, data.digest, images, opened, data)


def accuracy(opened: OpenModel, data: Data, cut: Cut, images: int | None = None) -> Accuracy:
    """A cut network on (at most `images`) select images, as cut and recalibrated on train images."""
    return _accuracy(opened.digest, data.digest, cut.key, images, opened, data, cut)


def speed(opened: OpenModel, cut: Cut, batch: int, seconds: float = 0.4) -> Comparison:
    """Time of the cut network against dense, on the clock. Raises Cancelled while a run trains on this machine."""
    return _speed(opened.digest, cut.key, batch, seconds, opened, cut)


def recover(
    opened: OpenModel, data: Data, cut: Cut, *, epochs: int = 2, progress: Callable[[TrainEvent], None] | None = None
) -> Evaluation:
    """Fine-tune a copy of the cut network on train images and measure it on select images.

    Only for networks that take a few seconds; anything longer is a run in a process of its own.
    """
    from pruning.training.evaluate import evaluate
    from pruning.training.finetune import TrainConfig, train

    model = pruned(opened, cut)
    config = TrainConfig(steps=data.info.steps_of(epochs, 64), batch_size=64, lr=0.05, seed=cut.seed)
    with loaders.quiet():
        train(model, data, config, masks=plan(opened, cut).masks, progress=progress)
        return evaluate(model, data, "select")


# Streamlit leaves arguments with a leading underscore out of the key.


@st.cache_data(show_spinner=False, max_entries=2000)
def _costs(digest: str, key: str, _opened: OpenModel, _cut: Cut) -> Costs:
    from pruning.cost.counts import raw_bytes, shapes_after
    from pruning.render.preview import savings

    made = plan(_opened, _cut)
    found = savings(_opened, made)
    raw = raw_bytes(_opened.model, shapes_after(_opened.graph, made))
    return Costs(params=found.params, nonzero=found.nonzero, macs=found.macs, bytes=raw)


@st.cache_data(show_spinner=False, max_entries=100)
def _dense_accuracy(digest: str, data_digest: str, images: int | None, _opened: OpenModel, _data: Data) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with loaders.computing():
        return evaluate(_opened.model, _data, "select", limit=images)


@st.cache_data(show_spinner=False, max_entries=1000)
def _accuracy(
    digest: str, data_digest: str, key: str, images: int | None, _opened: OpenModel, _data: Data, _cut: Cut
) -> Accuracy:
    from pruning.repair.recalibrate import has_batch_norm, recalibrate
    from pruning.training.evaluate import evaluate

    dense = dense_accuracy(_opened, _data, images)
    with loaders.computing():
        model = pruned(_opened, _cut)
        as_cut = evaluate(model, _data, "select", limit=images)
        recalibrated = None
        if has_batch_norm(model) and not plan(_opened, _cut).removes_nothing:
            recalibrate(model, _data)
            recalibrated = evaluate(model, _data, "select", limit=images)
    difference = (recalibrated or as_cut).minus(dense)
    return Accuracy(as_cut=as_cut, recalibrated=recalibrated, difference=difference)


@st.cache_data(show_spinner=False, max_entries=1000)
def _speed(digest: str, key: str, batch: int, seconds: float, _opened: OpenModel, _cut: Cut) -> Comparison:
    from pruning.latency.clock import compare_latency

    with loaders.quiet():
        return compare_latency(
            _opened.model, pruned(_opened, _cut), _opened.graph.example_shape, batch, seconds=seconds
        )
