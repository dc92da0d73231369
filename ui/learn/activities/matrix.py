"""Weights or units: one small real weight matrix with its smallest entries zeroed, or its weakest columns removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.errors import InputError
from pruning.base.words import interval, percent
from pruning.granularity import Granularity
from pruning.lessons.matrix import kept_columns, zeroed_entries
from pruning.render import layers
from pruning.render.markup import ledger_tiles, tiles
from pruning.render.markup.tiles import WAITING, Number, Tile
from pruning.render.markup.weight_matrix import narrowed_matrix, zeroed_matrix
from pruning.spec import PruneSpec
from ui.kit import lab

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.render.preview import Costs
    from pruning.repair.accuracy import CutAccuracy
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from ui.learn.stage import Stage

MOST = (16, 40)
"""Rows and columns that can be drawn."""


GRANULARITY: dict[str, Granularity] = {"entries": "weight", "columns": "channel"}
"""What each way removes."""


def show(stage: Stage) -> None:
    """Done once something was removed in both ways."""
    pick, slide = st.columns([1, 1.4], vertical_alignment="bottom")
    way = stage.control(
        "way", pick.segmented_control, stage.say("way"), stage.choices("way"),
        format_func=lambda name: stage.say(f"way_{name}"), required=True,
    )  # fmt: skip
    share = stage.control("percent", slide.slider, stage.say("percent"), 0, 80, step=10, format="%d %%")
    picture = st.empty()
    st.markdown(stage.say("whole"))
    row = st.empty()
    subject = stage.subject()
    weight = _weight(stage, subject)
    picture.html(_entries(stage, weight, share) if way == "entries" else _columns(stage, weight, share))
    granularity = GRANULARITY[way]
    cut = PruneSpec(granularity=granularity, sparsity=share / 100)
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    batch = stage.value("batch")

    def draw(accuracy: CutAccuracy | None = None, timing: Comparison | str | None = None) -> None:
        whole = lab.dense_accuracy(subject) if accuracy else None
        row.html(tiles.html(_tiles(stage, granularity, dense, now, whole, accuracy, batch, timing)))

    draw()
    accuracy = lab.accuracy(subject, cut)
    draw(accuracy)
    stage.tell(accuracy=percent(accuracy.best.value), accuracy_span=interval(accuracy.best.interval))
    timing = lab.speed(subject, cut, batch)
    draw(accuracy, timing)
    tried = stage.memory.setdefault("tried", set())
    if share or not stage.is_free("percent"):
        tried.add(way)
    if len(tried) == 2 or not stage.is_free("way"):
        stage.acted(way=way, percent=share)


def _weight(stage: Stage, subject: Subject) -> Any:
    """The weights of the lesson's layer. Raises InputError where there is no such layer, or one too large to draw."""
    layer = str(stage.value("layer"))
    layers.check_layer(subject, layer)
    weight = layers.weight(subject, layer)
    if weight.dim() != 2 or weight.shape[0] > MOST[0] or weight.shape[1] > MOST[1]:
        raise InputError(f"Only a linear layer of at most {MOST[0]} × {MOST[1]} weights can be drawn cell by cell.")
    return weight


def _tiles(
    stage: Stage,
    granularity: str,
    dense: Costs,
    now: Costs,
    whole: Evaluation | None,
    accuracy: CutAccuracy | None,
    batch: int,
    timing: Comparison | str | None,
) -> list[Tile]:
    number = WAITING
    if accuracy is not None and whole is not None:
        best = accuracy.best
        number = Number(percent(best.value), "measured", interval(best.interval))
    return [
        Tile(title=stage.say("accuracy"), numbers=(number,)),
        ledger_tiles.size_tile(granularity, dense, now, stage.words),
        ledger_tiles.macs_tile(dense, now, stage.words),
        ledger_tiles.time_tile(batch, timing, stage.words),
    ]


def _entries(stage: Stage, weight: Any, share: int) -> str:
    """The matrix with its smallest entries zeroed."""
    zero = zeroed_entries(weight, share / 100)
    height, width = weight.shape
    words = stage.say("entries", zeros=int(zero.sum()), all=weight.numel(), size=f"{height} × {width}")
    return zeroed_matrix(weight, zero, words=words)


def _columns(stage: Stage, weight: Any, share: int) -> str:
    """The matrix without its weakest columns; those stand apart."""
    stays = kept_columns(weight, share / 100)
    (height, width), keep = weight.shape, len(stays)
    words = stage.say("columns", gone=width - keep, all=width, size=f"{height} × {keep}", before=f"{height} × {width}")
    return narrowed_matrix(weight, stays, words=words)
