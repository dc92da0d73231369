"""Ranking: four rules choose which channels go, at the same budget. Predict the best and the worst, then measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pruning.criteria import CRITERIA
from pruning.spec import PruneSpec
from ui.kit import lab
from ui.learn import bars

if TYPE_CHECKING:
    from pruning.repair.accuracy import CutAccuracy
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once a prediction was made and the four rules were measured."""
    criteria = stage.value("criteria")
    percent = stage.control("percent", st.select_slider, stage.say("percent"), (10, 20, 30, 40),
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
    st.markdown(stage.say("shown", percent=percent))
    place, verdict = st.empty(), st.empty()
    found = _measured(stage, percent)
    rows = [(name, lot) for name in criteria for lot in range(stage.value("lots") if CRITERIA[name].draws else 1)]
    subject = stage.subject()
    uncut = lab.dense_accuracy(subject)
    done: dict[tuple[str, int], CutAccuracy] = {}
    for row in [None, *rows]:
        if row is not None:
            done[row] = found(*row)
        bars.show(
            place,
            [
                bars.accuracy(stage.say("uncut"), uncut, colour="dense"),
                *(_bar(stage, name, lot, done.get((name, lot))) for name, lot in rows),
            ],
            reference=uncut.value,
            name=stage.say("shown", percent=percent),
        )
    order = sorted(criteria, key=lambda name: _mean(done, name), reverse=True)
    ahead = _is_ahead(done) if "l2" in criteria and any(CRITERIA[name].draws for name in criteria) else None
    names = {"best": stage.criterion(order[0]), "worst": stage.criterion(order[-1])}
    hits = sum(said[which] == order[0 if which == "best" else -1] for which in ("best", "worst"))
    verdict.markdown(stage.say(f"hits_{hits}", **names))
    facts = {} if ahead is None else {"ahead": "yes_it_does" if ahead else "open"}
    stage.acted(**names, **facts)


def _measured(stage: Stage, percent: int) -> Callable[[str, int], CutAccuracy]:
    subject = stage.subject()

    def measure(name: str, lot: int) -> CutAccuracy:
        return lab.accuracy(subject, PruneSpec(criterion=name, sparsity=percent / 100, seed=lot))

    return measure


def _bar(stage: Stage, name: str, lot: int, accuracy: CutAccuracy | None) -> bars.Bar:
    label = stage.criterion(name) + (stage.say("lot", lot=lot + 1) if CRITERIA[name].draws else "")
    return bars.accuracy(label, accuracy.best if accuracy else None)


def _mean(done: dict[tuple[str, int], CutAccuracy], name: str) -> float:
    """Mean accuracy of a rule over its lots."""
    values = [accuracy.best.value for (other, _), accuracy in done.items() if other == name]
    return sum(values) / len(values)


def _is_ahead(done: dict[tuple[str, int], CutAccuracy]) -> bool:
    """Whether L2 beats every lot, on the same images, by more than the interval of the difference."""
    best = done["l2", 0].best
    lots = [accuracy.best for (name, _), accuracy in done.items() if CRITERIA[name].draws]
    return all(best.minus(lot).interval[0] > 0 for lot in lots)
