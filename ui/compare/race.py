"""The race: both networks classify the same stream of pictures, measured in turn and shown as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import threads
from pruning.latency.threads import timing_threads, with_threads
from pruning.render.markup import race_lanes
from ui.compare import blind, cached
from ui.kit import charts, errors, loaders, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.compare.race import Standing
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data

BATCH = "compare_race_batch"
state.DEFAULTS[BATCH] = 32
FRAME = 0.09
"""Seconds between two pictures of the lanes: drawing takes time from the next turn."""
_RACES = "compare_races"
"""(digests, batch) → how a race of this session ended."""


def show(pair: Pair) -> None:
    """The race, then the blind test."""
    if pair.missing is not None:
        st.info(f"There is no race without images: {pair.missing}.", icon=":material/info:")
        return
    with st.spinner("Reading the images"):
        data = pair.data()
    st.markdown("### Race: who classifies more images in the same time?")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        batch = int(
            st.segmented_control(
                "Images at once",
                [1, 32],
                required=True,
                width="content",
                **state.bound(BATCH),
                help="One at a time, as on a phone that answers at once; or 32 together, as on a server that collects "
                "requests. A smaller network gains more where there is more to compute at once.",
            )
        )
        begin = st.button("Start the race", type="primary", icon=":material/sports_score:", key="compare_race_start")
    ended: dict[tuple[str, str, int], Standing] = st.session_state.setdefault(_RACES, {})
    key = (pair.before.subject.digest, pair.after.subject.digest, batch)
    lanes, said = st.empty(), st.empty()
    if begin:
        ended.pop(key, None)
    _draw(lanes, pair, data, ended.get(key))
    if key in ended:
        said.html(race_lanes.ending(ended[key], pair.names))
    st.caption(
        f"The select images over and over, in PyTorch on {threads(timing_threads())} of this machine. The two take "
        "turns of a few hundredths of a second, who begins is drawn by lot, and each has a clock of its own that runs "
        "only while it computes. The ratio is of medians over many turns, which a single pause of the machine does not "
        "move; images a second are over the whole race, pauses included."
    )
    st.divider()
    blind.show(pair, data)
    if begin:  # last, so that the rest of the page stands still meanwhile
        with errors.shown(stop=False):
            ended[key] = _run(pair, data, batch, lanes, said)
            _draw(lanes, pair, data, ended[key])
            said.html(race_lanes.ending(ended[key], pair.names))


def _run(pair: Pair, data: Data, batch: int, lanes: DeltaGenerator, said: DeltaGenerator) -> Standing:
    """Race while the page shows it, once the machine is quiet."""
    from pruning.compare.race import race
    from pruning.jobs.queue.ticket import PROMPT
    from pruning.latency.quietly import quietly

    images = data.normalise(data.images("select", data.subset("select", cached.IMAGES)))
    drawn, standing = 0.0, None
    models = pair.before.subject.model, pair.after.subject.model
    asked = quietly("race", cancel=loaders.asked_to_stop, waiting=lambda text: _say(said, text), lane=PROMPT)
    with asked as quiet, with_threads(timing_threads()):
        said.caption("Warming up")
        for standing in race(*models, images, batch, rest=quiet.rest):
            if time.monotonic() - drawn >= FRAME:
                _draw(lanes, pair, data, standing)
                if not drawn:
                    said.caption("Measuring")
                drawn = time.monotonic()
    assert standing is not None and standing.speedup is not None, "a race ends"
    return standing


def _say(place: DeltaGenerator, text: str) -> None:
    place.caption(text)


def _draw(place: DeltaGenerator, pair: Pair, data: Data, standing: Standing | None) -> None:
    from pruning.render.figures.style import palette

    sample = data.subset("select", cached.IMAGES).tolist()
    if standing is not None and not standing.quiet:
        standing = None  # who was ahead says nothing
    place.html(race_lanes.lanes(pair.names, standing, data, sample, palette(charts.dark())))
