"""What lists, tables and figures show of a run: plain values, which an index can keep in columns.

Whoever needs more reads the run itself from its folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pruning.catalog.references import last_part
from pruning.data.preprocess import Preprocess
from pruning.data.readers import without_path
from pruning.granularity import Granularity
from pruning.jobs.status import State
from pruning.repair.kinds import Repair
from pruning.runs.labels import NO_LABEL, Label
from pruning.runs.recipe import Recipe, Schedule
from pruning.runs.result import Result, Side
from pruning.runs.result_json import STAGES

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One of a run's two networks: what it costs, and what was measured of it on test images."""

    params: int
    nonzero: int
    macs: int
    raw_bytes: int
    sparse_bytes: int
    """As bitmap and non-zeros."""
    milliseconds: float | None
    """Median time of a batch of one; None, with its two ends: not timed."""
    milliseconds_low: float | None
    milliseconds_high: float | None
    """95 % interval of it."""
    metric: str | None
    """Name of what was measured on test images; None, with the three below, where nothing was."""
    value: float | None
    low: float | None
    high: float | None
    """95 % interval."""

    @staticmethod
    def of(side: Side) -> Figures:
        """Of one network of a result."""
        timing, test = side.latency.get(1), side.test
        low, high = (None, None) if test is None else test.interval
        return Figures(
            params=side.params,
            nonzero=side.nonzero,
            macs=side.macs,
            raw_bytes=side.bytes.raw,
            sparse_bytes=side.bytes.sparse,
            milliseconds=None if timing is None else timing.median,
            milliseconds_low=None if timing is None else timing.low,
            milliseconds_high=None if timing is None else timing.high,
            metric=None if test is None else test.metric,
            value=None if test is None else test.value,
            low=low,
            high=high,
        )


Span = tuple[float, float, float]
"""Estimate with its 95 % interval: low, middle, high."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A run in a list."""

    path: Path
    state: State
    message: str | None
    """Why it failed or was cancelled, in one sentence."""
    created: datetime
    """In UTC."""
    model: str
    """Reference of the network that it begins with."""
    data: str
    """Reference of its images."""
    preprocess: str
    """How they are prepared, as JSON; '' where they are as they are."""
    origin: str
    """Reference of the dense network that it goes back to, also through other runs; '' where that is not known."""
    root: str | None
    """The same as its own files say it, once it is done; None where they do not."""
    granularity: Granularity
    criterion: str
    seed: int
    least: float
    most: float
    """The smallest and the largest sparsity asked for, over all layers or groups."""
    removes_nothing: bool
    schedule: Schedule
    iterations: int
    finetune_steps: int
    repair: Repair
    """How its recipe wins accuracy back after each cut."""
    family: str
    """Digest of its recipe without the seed: the same for runs that differ in nothing else."""
    settings: str
    """All of its recipe, as `Recipe.to_values` gives it, in JSON."""
    epochs: float | None = None
    """Passes over the train images that its steps of fine-tuning are; None where it is not known how many there are.
    """
    dense: Figures | None = None
    """None, as all below, until it is done."""
    pruned: Figures | None = None
    tuned: bool = False
    """Whether it fine-tuned, and its figures are those after it."""
    as_cut: Span | None = None
    recalibrated: Span | None = None
    repaired: Span | None = None
    finetuned: Span | None = None
    """The metric on select images at each stage of the last round; None: not done."""
    dense_select: Span | None = None
    """The same of the dense network; None in a run from before this was kept."""
    select_metric: str | None = None
    """Name of what these are of; None where nothing was measured on select images."""
    images_digest: str | None = None
    """Of the images that it looked at."""
    weights_digest: str | None = None
    """Of the weights that it began with."""
    looks: int | None = None
    """How often the test images had been looked at by then; None where that is not counted."""
    difference: Span | None = None
    """Of the metric on test images, pruned minus dense."""
    speedup: Span | None = None
    """Dense time over pruned time of a batch of one."""
    label: Label = NO_LABEL
    """What the visitor who looks calls it."""

    @property
    def stages(self) -> dict[str, Span | None]:
        """The metric on select images, by stage in their order."""
        return {name: getattr(self, name) for name in STAGES}

    @property
    def furthest(self) -> str | None:
        """The last stage with a figure on select images: the one that runs are compared by; None where none has."""
        return next((name for name, found in reversed(self.stages.items()) if found is not None), None)

    @property
    def name(self) -> str:
        """Of its folder: how commands and links name it."""
        return self.path.name

    @property
    def is_done(self) -> bool:
        """Whether it has figures."""
        return self.pruned is not None

    @property
    def network(self) -> str:
        """Name of the dense network, without its kind, folder and options; 'unknown' where that is not known."""
        return network_of(self.origin)

    @property
    def images(self) -> str:
        """Name of its images, without a folder."""
        return without_path(self.data)

    @property
    def asked(self) -> tuple[float, float]:
        """The smallest and the largest sparsity asked for."""
        return self.least, self.most

    @property
    def continues(self) -> bool:
        """Whether it goes on from the network of another run."""
        return self.model.startswith("run:")

    @property
    def only_fine_tunes(self) -> bool:
        """Whether it only fine-tunes another run's network."""
        return self.continues and self.removes_nothing


def network_of(origin: str) -> str:
    """The name of a network by its reference.

    >>> network_of("file:/home/ann/net.py:build?classes=4"), network_of("")
    ('net.py:build', 'unknown')
    """
    return last_part(origin.partition(":")[2].partition("?")[0]) or UNKNOWN


def preprocess_text(preprocess: Preprocess | None) -> str:
    """How images are prepared, as a text that is the same for the same preparation."""
    return "" if preprocess is None else json.dumps(preprocess.to_values(), sort_keys=True)


def settings_text(recipe: Recipe) -> str:
    """All of a recipe in JSON."""
    return json.dumps(recipe.to_values())


def family_of(recipe: Recipe) -> str:
    """Digest of a recipe without its seed."""
    values = {name: value for name, value in recipe.to_values().items() if name != "seed"}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


def kept_shares_of(result: Result) -> dict[str, float]:
    """Share of its units or weights that each channel group keeps, by its name; of weight pruning each weight tensor,
    by its layer's name, the second one of a layer as 'NAME#2'."""
    found: dict[str, float] = {}
    for layer in result.layers:
        if not layer.total:
            continue
        if layer.group is not None:
            found[layer.group] = layer.kept / layer.total
        else:
            found[numbered(layer.name, found)] = layer.kept / layer.total
    return found


def numbered(name: str, taken: Container[str]) -> str:
    """A name, or where it is taken with the next number that is free.

    >>> numbered("lstm", {"lstm", "lstm#2"}), numbered("fc", {"lstm"})
    ('lstm#3', 'fc')
    """
    number = 2
    while name in taken:
        name, number = f"{name.partition('#')[0]}#{number}", number + 1
    return name
