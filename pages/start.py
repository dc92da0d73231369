"""The first minute: one network, one slider, four numbers, one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.granularity import GRANULARITIES
from pruning.render import story
from pruning.render.markup import badges, ledger_tiles, tiles
from pruning.spec import PruneSpec
from ui.kit import charts, errors, lab, loaders, route, state
from ui.kit.view import one_of
from ui.session import share
from ui.start import digit, doors, recover

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.repair.accuracy import CutAccuracy

MODEL, DATA, BATCH = "sample:mini_resnet", "mnist5k", 32
KINDS = tuple(reversed(GRANULARITIES))
VIEW = {
    "removes": one_of(state.START_GRANULARITY, KINDS),
    "percent": one_of(state.START_PERCENT, tuple(range(0, 100, 5))),
}

route.through_app()
title, corner = st.columns([4.1, 0.55], vertical_alignment="center")
title.title("How much of a network can you throw away?", anchor=False)
share.take_up(VIEW)
st.markdown(
    "A small network reads handwritten digits. Remove part of it, and watch what that costs and what it saves. "
    f"Or [draw a digit of your own](#{digit.ANCHOR}) for it."
)

switch, slide = st.columns([1, 3.4], vertical_alignment="bottom", gap="medium")
granularity = switch.segmented_control(
    "Remove",
    KINDS,
    format_func=lambda name: GRANULARITIES[name].title,
    required=True,
    help=" ".join(f"{GRANULARITIES[name].title.capitalize()}: {GRANULARITIES[name].explanation}" for name in KINDS),
    **state.bound_anew(state.START_GRANULARITY),
)
gone = slide.slider(
    "Share removed from every layer, the smallest first",
    0,
    95,
    step=5,
    format="%d %%",
    **state.bound_anew(state.START_PERCENT),
)
row = st.empty()
with st.container(key="story"):
    told, next_to_it = st.columns([2.6, 1], gap="medium")
said, step, again = told.empty(), next_to_it.empty(), st.empty()
st.html("<style>.st-key-story{min-height:4.9rem}.st-key-digit_area{min-height:22rem}</style>")  # then nothing moves
strip, curve = st.columns(2, gap="medium")
left_off = doors.show()
drawn = st.container(key="digit_area")
st.html(badges.legend())

# Everything above is on screen before torch is imported; from here on, each number is drawn when it is known.
with errors.shown(), row, st.spinner("Loading PyTorch, the network and 5,000 digits"):
    subject = loaders.open_subject(MODEL, DATA)
    assert subject.data
cut = PruneSpec(granularity=granularity, sparsity=gone / 100)
dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
recovered = state.get(state.START_RECOVERED)


def draw(accuracy: CutAccuracy | None = None, timing: Comparison | str | None = None) -> None:
    """The tiles and the story, with what is known so far."""
    done = recovered.get((granularity, gone))
    tuned = done.accuracy if done else None
    uncut = lab.dense_accuracy(subject) if accuracy else None
    row.html(
        tiles.html(
            [
                ledger_tiles.metric_tile(subject.task.metric, uncut, accuracy, tuned),
                ledger_tiles.size_tile(granularity, dense, now),
                ledger_tiles.macs_tile(dense, now),
                ledger_tiles.time_tile(BATCH, timing),
            ]
        )
    )
    if accuracy:
        what = story.accuracy_story(granularity, gone, accuracy.best, accuracy.difference)
        said.markdown(f"{what}\n\n{story.time_story(granularity, gone, dense.macs / now.macs, timing)}")


draw()
share.show_view(corner, VIEW, f"This page, with **{gone} %** of the {GRANULARITIES[granularity].title} removed.")
charts.kept_strip(strip, subject, cut)
accuracy = lab.accuracy(subject, cut)
draw(accuracy)
recover.show(step, subject, cut, gone, accuracy)
draw(accuracy)
visited = state.get(state.START_VISITED).setdefault(granularity, {0: lab.dense_accuracy(subject)})
visited[gone] = accuracy.best
charts.visited_curve(curve, granularity, gone, visited, recovered)
with drawn:
    digit.show(subject, cut, recovered.get((granularity, gone)))
with again.container():
    timing = lab.speed(subject, cut, BATCH)
draw(accuracy, timing)
doors.show_left_off(left_off)
