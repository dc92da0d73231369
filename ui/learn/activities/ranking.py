"""Ranking: four rules choose which channels go, at the same budget. Predict the best and the worst, then measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.criteria import CRITERIA
from pruning.lessons.ranking import Row, beats_every_lot, in_doubt, rows_of
from pruning.render.markup.bars import Bar, accuracy_bar
from pruning.spec import PruneSpec
from ui.kit import lab, what_if
from ui.learn import bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruning.training.evaluate import Evaluation
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once a prediction was made and the four rules were measured."""
    criteria = stage.value("criteria")
    percent = stage.control("percent", st.select_slider, stage.say("percent"), stage.choices("percent"),
                            format_func=lambda value: f"{value} %")  # fmt: skip
    said: dict[str, str | None] = {}
    for which in ("best", "worst"):
        said[which] = st.segmented_control(
            stage.say(f"predict_{which}"),
            criteria,
            format_func=stage.criterion,
            key=f"lesson_{stage.lesson.id}_{which}",
        )
    ready = None not in said.values() and said["best"] != said["worst"]
    if st.button(stage.say("measure"), icon=":material/play_arrow:", disabled=not ready, key="ranking_measure"):
        stage.memory["measured"] = True
    if not stage.memory.get("measured"):
        st.info(stage.say("same" if said["best"] and said["best"] == said["worst"] else "first"),
                icon=":material/psychology_alt:")  # fmt: skip
        return
    figure = stage.control("figure", st.segmented_control, stage.say("figure"), stage.choices("figure"), required=True,
                           format_func=lambda name: stage.words[f"figure_{name}"],
                           help=stage.say("figure_help"))  # fmt: skip
    shown = stage.say("shown", percent=percent, figure=stage.words[f"after_{figure}"])
    st.markdown(shown)
    place, verdict = st.empty(), st.empty()
    rows = rows_of(criteria, stage.value("lots"))
    subject = stage.subject()
    uncut = lab.dense_accuracy(subject, what_if.IMAGES)
    done: dict[Row, Evaluation] = {}
    for row in [None, *rows]:
        if row is not None:
            done[row] = _measured(stage, percent, figure, *row)
        bars.show(
            place,
            [
                accuracy_bar(stage.say("uncut"), uncut, colour="dense"),
                *(_bar(stage, name, lot, done.get((name, lot))) for name, lot in rows),
            ],
            reference=uncut.value,
            name=shown,
        )
    found = {"best": in_doubt(criteria, done, 0), "worst": in_doubt(criteria, done, -1)}
    names = {which: _named(stage, likely) for which, likely in found.items()}
    hits = sum(said[which] in likely for which, likely in found.items())
    told = "told" if not stage.may_judge or all(len(likely) == 1 for likely in found.values()) else "untold"
    words = stage.say(f"hits_{hits}", told=stage.say(told))
    verdict.markdown(f"{words} {stage.say('named', **names) if stage.may_judge else stage.say('look')}")
    ahead = beats_every_lot("l2", done)
    facts = {} if ahead is None else {"ahead": "yes_it_does" if ahead else "open"}
    stage.acted(**names, **facts)


def _named(stage: Stage, likely: Sequence[str]) -> str:
    """The one criterion, or all that cannot be told from it."""
    first, *others = map(stage.criterion, likely)
    return stage.say("alike", first=first, others=", ".join(others)) if others else first


def _measured(stage: Stage, percent: int, figure: str, name: str, lot: int) -> Evaluation:
    subject, cut = stage.subject(), PruneSpec(criterion=name, sparsity=percent / 100, seed=lot)
    repaired = what_if.repaired(subject, cut) if figure == "repaired" else None
    return repaired or lab.accuracy(subject, cut, what_if.IMAGES).best


def _bar(stage: Stage, name: str, lot: int, measured: Evaluation | None) -> Bar:
    label = stage.criterion(name) + (stage.say("lot", lot=lot + 1) if CRITERIA[name].draws else "")
    return accuracy_bar(label, measured)
