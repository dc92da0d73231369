"""Remove and recover: accuracy as cut, recalibrated, repaired, and after a short fine-tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import interval
from pruning.base.words import percent as percents
from pruning.render.markup.bars import accuracy_bar
from pruning.spec import PruneSpec
from ui.kit import errors, lab, what_if
from ui.learn import bars

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.repair.accuracy import CutAccuracy
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once a cut network was fine-tuned."""
    percent = stage.control("percent", st.select_slider, stage.say("percent"), stage.choices("percent"),
                            format_func=lambda value: f"{value} %")  # fmt: skip
    pressed = st.button(stage.say("train", epochs=stage.value("epochs")), icon=":material/healing:",
                        key="recover_train", type="primary" if not stage.memory else "secondary")  # fmt: skip
    st.markdown(stage.say("shown"))
    place, said = st.empty(), st.empty()
    subject = stage.subject()
    cut = PruneSpec(sparsity=percent / 100)
    uncut = lab.dense_accuracy(subject, what_if.IMAGES)
    accuracy = lab.accuracy(subject, cut, what_if.IMAGES)
    tuned: Evaluation | None = stage.memory.get(percent)
    _draw(stage, place, uncut, accuracy, None, tuned)
    repaired = what_if.repaired(subject, cut)
    why = stage.say("no_refit") if repaired is None else ""
    _draw(stage, place, uncut, accuracy, repaired, tuned, why)
    if pressed:
        with errors.shown(stop=False), said, st.spinner(stage.say("training")):
            of = (subject.digest, subject.data.digest, cut.digest)
            tuned = stage.memory[percent] = recovered(*of, stage.value("epochs"), subject, cut)
    _draw(stage, place, uncut, accuracy, repaired, tuned, why)
    if tuned is None:
        said.markdown(stage.say("try"))
        return
    back, trained = accuracy.best.value - accuracy.as_cut.value, tuned.value - accuracy.best.value
    numbers = {
        "as_cut": percents(accuracy.as_cut.value),
        "recalibrated": percents(accuracy.best.value),
        "tuned": percents(tuned.value),
        "tuned_span": interval(tuned.interval),
    }
    gain = {"recalibrating": _signed(back), "training": _signed(tuned.value - accuracy.as_cut.value), "repairing": ""}
    if repaired is not None:
        numbers["repaired"] = percents(repaired.value)
        gain["repairing"] = stage.say("gains_repairing", points=_signed(repaired.value - accuracy.as_cut.value))
    said.markdown(f"{stage.say('gains', **gain)} {stage.say('harder')}")
    without = repaired or accuracy.best
    numbers["training"], further = _standing(tuned, without), tuned.minus(without)
    numbers["beyond"] = f"{tuned.metric.signed(further.value)} points ({tuned.metric.signed_span(further.interval)})"
    stage.acted(helped="recalibrate" if back > trained else "train", **numbers)


def _standing(tuned: Evaluation, without: Evaluation) -> str:
    """Whether training gave more or less than what needs none, on the same images; 'open' where they cannot tell."""
    low, high = tuned.metric.gains(tuned.minus(without).interval)
    return "more" if low > 0 else "less" if high < 0 else "open"


def _signed(change: float) -> str:
    return f"{100 * change:+.1f}".replace("-", "−")


def _draw(
    stage: Stage,
    place: DeltaGenerator,
    uncut: Evaluation,
    accuracy: CutAccuracy,
    repaired: Evaluation | None,
    tuned: Evaluation | None,
    why: str = "",
) -> None:
    """`why`: there is no repaired figure, where there will be none."""
    norm = "" if accuracy.recalibrated else stage.say("no_norm")
    bars.show(
        place,
        [
            accuracy_bar(stage.say("uncut"), uncut, colour="dense"),
            accuracy_bar(stage.say("as_cut"), accuracy.as_cut),
            accuracy_bar(stage.say("recalibrated"), accuracy.recalibrated, note=norm),
            accuracy_bar(stage.say("repaired"), repaired, note=why),
            accuracy_bar(stage.say("tuned"), tuned, badge="tuned", note="" if tuned else stage.say("not_yet")),
        ],
        reference=uncut.value,
        name=stage.say("shown"),
    )


@st.cache_data(show_spinner=False, max_entries=200)
def recovered(digest: str, data_digest: str, key: str, epochs: int, _subject: Subject, _cut: PruneSpec) -> Evaluation:
    """One training for all sessions: a class that presses the button at the same time waits for one."""
    return lab.recover(_subject, _cut, epochs=epochs, images=what_if.IMAGES).accuracy
