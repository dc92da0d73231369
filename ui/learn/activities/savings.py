"""What channels that are gone save: parameters, bytes, multiplications, energy (estimated) and time on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount, microjoules, milliseconds, size
from pruning.base.words import percent as percents
from pruning.cost.energy import answer_energy, arithmetic_energy, fetching_energy
from pruning.render.markup.bars import Bar
from pruning.spec import PruneSpec
from ui.kit import charts, lab
from ui.learn import bars

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.render.preview import Costs
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once channels have been removed."""
    batch = stage.value("batch")
    percent = stage.control("percent", st.slider, stage.say("percent"), 0, 80, step=10, format="%d %%")
    st.markdown(stage.say("left"))
    place, strip = st.empty(), st.container()
    subject = stage.subject()
    cut = PruneSpec(sparsity=percent / 100)
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    counted = _counted(stage, dense, now)
    whole = Bar(label=stage.say("time", batch=batch), share=1.0, note=stage.say("whole"))
    bars.show(place, [*counted, _time(stage, batch, None) if percent else whole], name=stage.say("left"))
    charts.kept_strip(strip, subject, cut, words=stage.words)
    st.caption(
        stage.say(
            "energy_how",
            macs=amount(now.macs),
            arithmetic=microjoules(arithmetic_energy(now.macs)),
            params=amount(now.params),
            fetching=microjoules(fetching_energy(now.params)),
        )
    )
    if not percent:
        if not stage.is_free("percent"):
            stage.acted(percent=0)
        return
    timing = lab.speed(subject, cut, batch)
    bars.show(place, [*counted, _time(stage, batch, timing)], name=stage.say("left"))
    facts = {}
    if (
        not isinstance(timing, str) and timing.time_left[0] > now.macs / dense.macs
    ):  # else the clock shows no such thing
        facts["time_left"] = percents(timing.time_left[1], 0)
    stage.acted(percent=percent, macs_left=percents(now.macs / dense.macs, 0), **facts)


def _counted(stage: Stage, dense: Costs, now: Costs) -> list[Bar]:
    joules, before = answer_energy(now.macs, now.params), answer_energy(dense.macs, dense.params)
    return [
        Bar(
            label=stage.say("params"),
            share=now.params / dense.params,
            note=stage.say("of", now=amount(now.params), dense=amount(dense.params)),
        ),
        Bar(
            label=stage.say("bytes"),
            share=now.bytes / dense.bytes,
            note=stage.say("of", now=size(now.bytes), dense=size(dense.bytes)),
        ),
        Bar(
            label=stage.say("macs"),
            share=now.macs / dense.macs,
            note=stage.say("of", now=amount(now.macs), dense=amount(dense.macs)),
        ),
        Bar(
            label=stage.say("energy"),
            share=joules / before,
            badge="estimated",
            note=stage.say("of", now=microjoules(joules), dense=microjoules(before)),
        ),
    ]


def _time(stage: Stage, batch: int, timing: Comparison | str | None) -> Bar:
    """Time as a share of the dense network's."""
    label = stage.say("time", batch=batch)
    if timing is None or isinstance(timing, str):
        return Bar(label=label, share=None, note=timing or stage.say("measuring"))
    low, middle, high = timing.time_left
    note = stage.say("of", now=milliseconds(timing.pruned.median), dense=milliseconds(timing.dense.median))
    return Bar(label=label, share=middle, low=low, high=high, note=note)
