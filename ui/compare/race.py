"""The race: both networks classify the same stream of pictures, measured in turn and shown as it happens."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ui.compare import blind, inner, picker
from ui.kit import badges, charts, errors, loaders, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.compare.race import Standing
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.render.figures.style import Palette

BATCH = "compare_race_batch"
state.DEFAULTS[BATCH] = 32
FRAME = 0.09
"""Seconds between two pictures of the lanes: drawing takes time from the next turn."""
_RACES = "compare_races"
"""(digests, batch) → how a race of this session ended."""


def show(pair: Pair) -> None:
    """The race, then the blind test."""
    if pair.missing is not None:
        st.info(f"There is no race without pictures: {pair.missing}.", icon=":material/info:")
        return
    with st.spinner("Reading the images"):
        data = pair.data()
    st.markdown("### Race: who classifies more pictures in the same time?")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        batch = int(
            st.segmented_control(
                "Pictures at once",
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
        said.html(_result(pair, ended[key]))
    st.caption(
        "The select images over and over, in PyTorch on one thread of this machine. The two take turns of a few "
        "hundredths of a second, who begins is drawn by lot, and each has a clock of its own that runs only while it "
        "computes. The ratio is of medians over many turns, which a single pause of the machine does not move; "
        "pictures a second are over the whole race, pauses included."
    )
    st.divider()
    blind.show(pair, data)
    if begin:  # last, so that the rest of the page stands still meanwhile
        with errors.shown(stop=False):
            ended[key] = _run(pair, data, batch, lanes, said)
            _draw(lanes, pair, data, ended[key])
            said.html(_result(pair, ended[key]))


def _run(pair: Pair, data: Data, batch: int, lanes: DeltaGenerator, said: DeltaGenerator) -> Standing:
    """Race while the page shows it. Raises Cancelled where a run is training on this machine."""
    from pruning.compare.race import race

    images = data.normalise(data.images("select", data.subset("select", inner.IMAGES)))
    drawn, standing = 0.0, None
    said.caption("Warming up")
    with loaders.quiet():
        for standing in race(pair.before.subject.model, pair.after.subject.model, images, batch):
            if time.monotonic() - drawn >= FRAME:
                _draw(lanes, pair, data, standing)
                if not drawn:
                    said.caption("Measuring")
                drawn = time.monotonic()
    assert standing is not None and standing.speedup is not None, "a race ends"
    return standing


def _draw(place: DeltaGenerator, pair: Pair, data: Data, standing: Standing | None) -> None:
    from pruning.render.figures.style import palette

    place.html(lanes_html(pair, data, standing, palette(charts.dark())))


def lanes_html(pair: Pair, data: Data, standing: Standing | None, colours: Palette) -> str:
    """Both lanes; None: before the start."""
    sample = data.subset("select", inner.IMAGES)
    level = standing.level if standing else (0.0, 0.0)
    rates = standing.rates if standing else (0.0, 0.0)
    goal = standing.goal if standing else 0
    rows = []
    for number, (word, colour) in enumerate(zip(inner.names(pair), (colours.dense, colours.kept), strict=True)):
        count = round(level[number])
        share = 100 * level[number] / goal if goal else 0.0
        photo = picker.photo(data.image("select", int(sample[count % len(sample)])))
        speed = f"{rates[number]:,.0f} a second{badges.badge('measured')}" if standing else "ready"
        rows.append(
            f'<div class="rc-lane"><div class="rc-who"><b>{escape(word)}</b><span>{speed}</span></div>'
            f'<div class="rc-track" role="progressbar" aria-label="{escape(word)}" aria-valuemin="0" '
            f'aria-valuemax="{goal or 1}" aria-valuenow="{count}">'
            f'<i style="width:{share:.2f}%;background:{colour}"></i>'
            f'<img alt="" src="{photo}" style="left:{share:.2f}%;border-color:{colour}"></div>'
            f'<div class="rc-count">{count:,}</div></div>'
        )
    goal_words = f"finish: {goal:,} pictures" if goal else "finish"
    return (
        f"<style>{badges.STYLE}{_style(colours)}</style>"
        f'<div class="rc-race">{"".join(rows)}<div class="rc-goal">{goal_words}</div></div>'
    )


def _result(pair: Pair, ended: Standing) -> str:
    """How it ended, claiming no more than the interval shows."""
    assert ended.speedup is not None, "the race is over"
    low, middle, high = ended.speedup
    words = inner.names(pair)
    leader = ended.leader
    counts = [round(count) for count in ended.level]
    if leader is None:
        head = f"No measurable speed-up ({low:.2f}–{high:.2f}×)"
        rest = "The 95 % interval of the ratio contains 1: who is ahead here may be behind in the next race."
    else:
        ratio = (low, middle, high) if leader == 1 else (1 / high, 1 / middle, 1 / low)
        head = f"{words[leader].capitalize()} is {ratio[1]:.2f}× as fast ({ratio[0]:.2f}–{ratio[2]:.2f})"
        rest = (
            f"At that ratio, which the lanes show too, {words[1 - leader]} has classified {counts[1 - leader]:,} "
            f"pictures when {words[leader]} has its {counts[leader]:,}. In brackets: the 95 % interval of the ratio."
        )
    return (
        f"<style>{badges.STYLE}</style><div role='status' style='font-size:1.3rem;font-weight:650;line-height:1.4'>"
        f"{escape(head)}{badges.badge('measured')}</div><div>{escape(rest)}</div>"
    )


def _style(colours: Palette) -> str:
    return f"""
.rc-race{{font-variant-numeric:tabular-nums;color:{colours.ink};padding:.2rem 0 0}}
.rc-lane{{display:grid;grid-template-columns:8.5rem 1fr 5.2rem;gap:1rem;align-items:center;margin:.35rem 0}}
.rc-who b{{display:block;font-size:1.1rem;line-height:1.3}}
.rc-who span{{font-size:.87rem;color:{colours.soft}}}
.rc-track{{position:relative;height:46px;border-radius:.5rem;background:{colours.panel};
 border:1px solid {colours.line};border-right:4px double {colours.ink};margin-right:1.6rem}}
.rc-track i{{position:absolute;left:0;top:0;bottom:0;border-radius:.4rem 0 0 .4rem;opacity:.85}}
.rc-track img{{position:absolute;top:4px;width:36px;height:36px;margin-left:-18px;border:2px solid;border-radius:.35rem;
 image-rendering:pixelated;max-width:none}}
.rc-count{{font-size:1.5rem;font-weight:650;text-align:right}}
.rc-goal{{text-align:right;font-size:.87rem;color:{colours.soft};margin-right:5.6rem}}
@media (max-width:640px){{.rc-lane{{grid-template-columns:1fr auto;gap:.2rem .6rem}}
 .rc-who{{grid-column:1/-1;display:flex;gap:.8rem;align-items:baseline}}.rc-count{{font-size:1.2rem}}
 .rc-goal{{margin-right:4.5rem}}}}
@media (prefers-reduced-motion:reduce){{.rc-track img{{display:none}}}}
"""
