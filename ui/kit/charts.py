"""Figures of `pruning.render.figures.network` on a page: theme, configuration, caption and description in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

    from pruning.spec import PruneSpec
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from pruning.training.finetune import TrainEvent
    from pruning.training.recover import Recovered


def dark() -> bool:
    """Whether the page is shown in the dark theme."""
    return bool(st.context.theme.type == "dark")


def show(
    place: DeltaGenerator | ModuleType,
    figure: go.Figure,
    *,
    key: str,
    caption: str = "",
    alt: str = "",
    height: int | None = None,
    **options: Any,
) -> Any:
    """Draw a figure with its caption: what it means, in a sentence. `place`: `st`, a container or an `st.empty()`.

    `height`: in pixels, where it is not to be the figure's own.
    `options` go to `st.plotly_chart` (`on_select`, ...); its result is returned.
    """
    from pruning.render.figures.style import CONFIG

    if height is not None:
        figure.update_layout(height=height)
    box = place.container()
    result = box.plotly_chart(figure, theme=None, config=CONFIG, key=key, alt=alt or caption, **options)
    if caption:
        box.caption(caption)
    return result


def training_bar(place: DeltaGenerator) -> Callable[[TrainEvent], None]:
    """A progress bar for a short training inside the page, as its `progress`."""
    bar = place.progress(0.0, "Fine-tuning on train images")

    def told(event: TrainEvent) -> None:
        bar.progress(event.step / event.steps, f"Fine-tuning on train images, loss {event.loss:.2f}")

    return told


STRIP = {
    "strip": "The network, layer by layer: blue channels stay, orange ones go, and the block shrinks. "
    "The last layer keeps its outputs: they are the ten answers.",
    "axis_channels": "channels out",
    "kept": "kept",
    "removed": "removed",
}
"""Words of `kept_strip` where channels go."""
SPECKLED = {
    "strip": "The network, layer by layer. Blue: weights that stay; orange: those that are zero. "
    "No channel is gone: every block keeps its size.",
    "axis_channels": "channels out",
    "kept": "channels, all of them still there",
    "removed": "of its weights are zero",
}
"""And where single weights become zero."""


def kept_strip(place: DeltaGenerator, subject: Subject, cut: PruneSpec, words: Mapping[str, str] | None = None) -> None:
    """The network as a strip, with what goes; a lesson brings its own `words`."""
    from pruning.cost.counts import layer_costs
    from pruning.granularity import find_granularity
    from pruning.render.figures import kept
    from ui.kit import lab

    shrinks = find_granularity(cut.granularity).shrinks
    words = words or (STRIP if shrinks else SPECKLED)
    stays = lab.plan(subject, cut).kept_by_layer
    show(
        place,
        kept.kept_strip(layer_costs(subject.graph), stays, dark(), words=words, shrinks=shrinks),
        key="kept_strip",
        caption=words["strip"],
        height=188,
    )


def visited_curve(
    place: DeltaGenerator,
    granularity: str,
    at: int,
    visited: dict[int, Evaluation],
    recovered: dict[tuple[str, int], Recovered],
) -> None:
    """The metric wherever the slider has been, and what fine-tuning made of it."""
    from pruning.render.figures import network as plots

    def point(percent: int, evaluation: Evaluation) -> plots.CurvePoint:
        low, high = evaluation.interval
        return plots.CurvePoint(sparsity=percent / 100, value=evaluation.value, low=low, high=high)

    figure = plots.curve_of_cuts(
        [point(*entry) for entry in visited.items()],
        dark(),
        metric=visited[0].metric,
        removed=f"{granularity}s",
        dense=visited[0].value,
        at=at / 100,
        extra=[point(percent, done.accuracy) for (kind, percent), done in recovered.items() if kind == granularity],
    )
    figure.update_yaxes(title_text=visited[0].metric.axis)  # so low a figure has no room for more
    show(
        place,
        figure,
        key="visited_curve",
        height=188,
        caption="Where you have been ●, recalibrated, on select images. Dashed: original. Diamonds ◆: after Recover.",
    )
