"""Remove and recover: accuracy as cut, with batch-norm statistics measured anew, and after a short fine-tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent as percents
from pruning.render.markup.bars import accuracy_bar
from pruning.spec import PruneSpec
from ui.kit import errors, lab
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
    uncut = lab.dense_accuracy(subject)
    accuracy = lab.accuracy(subject, cut)
    _draw(stage, place, uncut, accuracy, stage.memory.get(percent))
    if pressed:
        with errors.shown(stop=False), said, st.spinner(stage.say("training")):
            of = (subject.digest, subject.data.digest, cut.digest)
            stage.memory[percent] = recovered(*of, stage.value("epochs"), subject, cut)
    tuned: Evaluation | None = stage.memory.get(percent)
    _draw(stage, place, uncut, accuracy, tuned)
    if tuned is None:
        said.markdown(stage.say("try"))
        return
    back, trained = accuracy.best.value - accuracy.as_cut.value, tuned.value - accuracy.best.value
    numbers = {
        "as_cut": percents(accuracy.as_cut.value),
        "recalibrated": percents(accuracy.best.value),
        "tuned": percents(tuned.value),
    }
    said.markdown(stage.say("gains", back=f"{100 * back:+.1f}", trained=f"{100 * trained:+.1f}"))
    stage.acted(helped="recalibrate" if back > trained else "train", **numbers)


def _draw(
    stage: Stage, place: DeltaGenerator, uncut: Evaluation, accuracy: CutAccuracy, tuned: Evaluation | None
) -> None:
    bars.show(
        place,
        [
            accuracy_bar(stage.say("uncut"), uncut, colour="dense"),
            accuracy_bar(stage.say("as_cut"), accuracy.as_cut),
            accuracy_bar(stage.say("recalibrated"), accuracy.recalibrated),
            accuracy_bar(stage.say("tuned"), tuned, badge="tuned", note="" if tuned else stage.say("not_yet")),
        ],
        reference=uncut.value,
        name=stage.say("shown"),
    )


@st.cache_data(show_spinner=False, max_entries=200)
def recovered(digest: str, data_digest: str, key: str, epochs: int, _subject: Subject, _cut: PruneSpec) -> Evaluation:
    """One training for all sessions: a class that presses the button at the same time waits for one."""
    return lab.recover(_subject, _cut, epochs=epochs)
