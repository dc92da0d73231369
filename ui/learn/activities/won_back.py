"""What can be won back: predict for several cuts how much of the loss comes back without training, then measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.words import interval, percent
from pruning.lessons.won_back import GUESSES, share_won_back
from pruning.render.markup.bars import accuracy_bar
from pruning.spec import PruneSpec
from ui.kit import what_if
from ui.learn import bars

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.lessons.won_back import WonBack
    from pruning.training.evaluate import Evaluation
    from pruning.whatif import Measured
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once all cuts were predicted and measured."""
    memory, cuts = stage.memory, stage.value("cuts")
    if memory.get("measured"):
        _measured(stage, cuts, memory["guesses"])
    else:
        _predict(stage, cuts)


def _predict(stage: Stage, cuts: tuple[int, ...]) -> None:
    """Each cut with its accuracy as cut, and what is predicted of it."""
    heads: list[DeltaGenerator] = []
    guesses: dict[int, int | None] = {}
    for cut in cuts:
        with st.container(border=True, gap="xsmall"):
            heads.append(st.empty())
            guesses[cut] = st.segmented_control(
                stage.say("predict"),
                GUESSES,
                format_func=lambda guess: stage.words[f"guess_{guess}"],
                key=f"lesson_{stage.lesson.id}_guess_{cut}",
            )
        heads[-1].markdown(stage.say("cutting", percent=cut))

    def go() -> None:
        stage.memory.update(guesses=guesses, measured=True)

    ready = None not in guesses.values()
    st.button(stage.say("measure"), icon=":material/healing:", disabled=not ready, key="won_back_measure",
              type="primary", on_click=go)  # fmt: skip
    if not ready:
        st.caption(stage.say("first"))
    uncut = what_if.dense(stage.subject())
    for cut, head in zip(cuts, heads, strict=True):
        found = _before(stage, cut).as_cut
        assert found is not None
        head.markdown(stage.say("cut", percent=cut, accuracy=percent(found.value), span=interval(found.interval),
                                uncut=percent(uncut.value)))  # fmt: skip


def _measured(stage: Stage, cuts: tuple[int, ...], guesses: dict[int, int]) -> None:
    """The bars of each cut as they become known, and what was predicted beside what came back."""
    from pruning.whatif.engine import COARSE_IMAGES

    said = st.empty()
    places = [(st.empty(), st.empty()) for _ in cuts]
    uncut = what_if.dense(stage.subject())
    st.caption(stage.say("shown", images=f"{uncut.images:,}", used=COARSE_IMAGES))
    st.button(stage.say("again"), icon=":material/restart_alt:", key="won_back_again", on_click=stage.memory.clear)
    for cut, (head, place) in zip(cuts, places, strict=True):  # all that is known at once, before the first refit
        head.markdown(stage.say("cutting", percent=cut))
        _draw(stage, place, uncut, _before(stage, cut), None)
    found: dict[int, WonBack | None] = {}
    as_cut: list[str] = []
    for cut, (head, place) in zip(cuts, places, strict=True):
        before = _before(stage, cut)
        assert before.as_cut is not None
        after = what_if.repaired(stage.subject(), _spec(cut))
        _draw(stage, place, uncut, before, after, stage.say("no_refit") if after is None else "")
        best = after or before.recalibrated or before.as_cut
        won = found[cut] = share_won_back(uncut, before.as_cut, best)
        as_cut.append(percent(before.as_cut.value))
        words: dict[str, Any] = {"percent": cut, "guess": stage.words[f"guess_{guesses[cut]}"]}
        if won is None:
            head.markdown(stage.say("no_loss", **words))
        else:
            low, high = won.interval
            if won.fits(guesses[cut]):
                words["guess"] = stage.say("fits", guess=words["guess"])
            words |= {"share": percent(won.share, 0), "span": f"{100 * low:.0f} to {100 * high:.0f} %"}
            head.markdown(stage.say("back", **{name: str(text).replace("-", "−") for name, text in words.items()}))
    known = {cut: won for cut, won in found.items() if won is not None}
    hits = sum(won.fits(guesses[cut]) for cut, won in known.items())
    said.markdown(stage.say("hits", hits=hits, count=len(known)))
    shares = [percent(max(0.0, won.share), 0) for won in known.values()]
    facts = {"share": _listed(stage, shares)} if known else {}
    stage.acted(cuts=_listed(stage, [f"{cut} %" for cut in cuts]), as_cut=_listed(stage, as_cut), hits=hits, **facts)


def _listed(stage: Stage, texts: list[str]) -> str:
    return stage.say("listed", others=", ".join(texts[:-1]), last=texts[-1]) if len(texts) > 1 else texts[0]


def _before(stage: Stage, cut: int) -> Measured:
    """As cut and recalibrated."""
    *_, last = what_if.follow(stage.subject(), _spec(cut))
    return last


def _spec(cut: int) -> PruneSpec:
    return PruneSpec(sparsity=cut / 100)


def _draw(
    stage: Stage,
    place: DeltaGenerator,
    uncut: Evaluation,
    before: Measured,
    repaired: Evaluation | None,
    why: str = "",
) -> None:
    """`why`: there is no repaired figure, where there will be none."""
    norm = "" if before.recalibrated else stage.say("no_norm")
    bars.show(
        place,
        [
            accuracy_bar(stage.say("as_cut"), before.as_cut),
            accuracy_bar(stage.say("recalibrated"), before.recalibrated, note=norm),
            accuracy_bar(stage.say("repaired"), repaired, note=why),
        ],
        reference=uncut.value,
        name=stage.say("repaired"),
    )
