"""The right stopping point: accuracy against work saved, the loss one accepts, and what fine-tuning gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.lessons.stopping import furthest_within, loss_words, standing_of
from pruning.spec import PruneSpec
from ui.kit import charts, errors, lab, what_if
from ui.learn.activities.recover import recovered

if TYPE_CHECKING:
    from pruning.render.figures.lessons import Stop
    from pruning.tasks.metric import Difference
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Done once the network was fine-tuned at a stop."""
    choose, where = st.columns(2)
    accept = stage.control("accept", choose.selectbox, stage.say("accept"), stage.choices("accept"),
                           format_func=lambda value: stage.say(f"accept_{value:g}".replace(".", "_")))  # fmt: skip
    stop = stage.control("stop", where.select_slider, stage.say("stop"), stage.choices("stop"),
                         format_func=lambda value: f"{value} %")  # fmt: skip
    place, said = st.empty(), st.container()
    subject = stage.subject()
    with place, st.spinner(stage.say("measuring")):
        changes = {percent: _change(stage, percent) for percent in stage.choices("stop")}
        images = lab.dense_accuracy(subject, what_if.IMAGES).images
    tuned: dict[int, Difference] = stage.memory.setdefault("tuned", {})
    if said.button(stage.say("train"), icon=":material/healing:", disabled=not stop, key="stopping_train"):
        with errors.shown(stop=False), said, st.spinner(stage.say("training")):
            tuned[stop] = _tuned(stage, stop)
    _draw(stage, place, accept, stop, changes, tuned, images)
    change, saved = changes[stop], _saved(stage, stop)
    standing = standing_of(change, accept)
    words = f"standing_{standing}" if stage.may_judge else "standing"
    said.markdown(
        f"{stage.say(words, accept=f'{accept:g}', **loss_words(change))} "
        f"{stage.say('saves', saved=f'{100 * saved:.0f} %')}"
    )
    if stop in tuned:
        words = f"tuned_{standing_of(tuned[stop], accept)}" if stage.may_judge else "tuned_loss"
        said.markdown(stage.say(words, **loss_words(tuned[stop])))
    if stage.may_judge:
        said.markdown(_best(stage, accept, changes, tuned))
    stage.tell(loss=loss_words(change)["loss"], loss_span=loss_words(change)["span"])
    if stop in tuned or not stage.is_free("stop"):
        after = loss_words(tuned[stop]) if stop in tuned else {}
        facts = {f"tuned_{name}": value for name, value in after.items()}
        now = loss_words(change)
        stage.acted(standing=standing, stop=_title(stage, stop), loss=now["loss"], loss_span=now["span"],
                    saved=f"{100 * saved:.0f} %", accepted=f"{accept:g}", **facts)  # fmt: skip


def _change(stage: Stage, percent: int) -> Difference:
    """The change in accuracy against the dense network on the same images."""
    from pruning.tasks.metric import Difference

    if not percent:
        return Difference(value=0.0, interval=(0.0, 0.0), newly_wrong=0, newly_right=0)
    return lab.accuracy(stage.subject(), PruneSpec(sparsity=percent / 100), what_if.IMAGES).difference


def _tuned(stage: Stage, percent: int) -> Difference:
    subject, cut = stage.subject(), PruneSpec(sparsity=percent / 100)
    after = recovered(subject.digest, subject.data.digest, cut.digest, stage.value("epochs"), subject, cut)
    return after.minus(lab.dense_accuracy(subject, what_if.IMAGES))


def _saved(stage: Stage, percent: int) -> float:
    subject = stage.subject()
    return 1 - lab.costs(subject, PruneSpec(sparsity=percent / 100)).macs / lab.costs(subject, PruneSpec()).macs


def _draw(
    stage: Stage,
    place: Any,
    accept: float,
    stop: int,
    changes: dict[int, Difference],
    tuned: dict[int, Difference],
    images: int,
) -> None:
    from pruning.render.figures import lessons as plots_learn

    def dot(percent: int, change: Difference) -> Stop:
        low, high = change.interval
        return plots_learn.Stop(
            saved=_saved(stage, percent), change=change.value, low=low, high=high, title=_title(stage, percent)
        )

    stops = [dot(*entry) for entry in changes.items()]
    figure = plots_learn.stopping_curve(
        stops,
        charts.dark(),
        accept=accept / 100,
        at=list(changes).index(stop),
        knee=plots_learn.knee([(one.saved, one.change) for one in stops]),
        tuned=[dot(*entry) for entry in sorted(tuned.items())],
        deepest=max(0.06, 2.5 * accept / 100),
        words=stage.words,
    )
    charts.show(place, figure, key="stopping_curve", caption=stage.say("caption", images=f"{images:,}"))


def _best(stage: Stage, accept: float, changes: dict[int, Difference], tuned: dict[int, Difference]) -> str:
    """The furthest stops that are surely within the limit, without training and after it."""
    before, after = furthest_within(changes, accept), furthest_within(tuned, accept)
    trained = stage.say("best_after", percent=f"{after} %") if after else ""
    return stage.say("best", before=f"{before} %" if before else stage.say("none"), after=trained)


def _title(stage: Stage, percent: int) -> str:
    return stage.say("cut", percent=percent) if percent else stage.say("uncut")
