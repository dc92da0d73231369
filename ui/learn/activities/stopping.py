"""The right stopping point: accuracy against work saved, the loss one accepts, and what fine-tuning gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.spec import PruneSpec
from ui.kit import charts, errors, lab
from ui.learn.activities.recover import recovered

if TYPE_CHECKING:
    from pruning.render.figures.lessons import Stop
    from pruning.training.evaluate import Difference
    from ui.learn.stage import Stage

ACCEPT = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Losses to choose from, in points."""
STOPS = (0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70)
"""Places to stop, in per cent of the channels of every layer."""


def show(stage: Stage) -> None:
    """Done once the network was fine-tuned at a stop."""
    choose, where = st.columns(2)
    accept = stage.control("accept", choose.selectbox, stage.say("accept"), ACCEPT,
                           format_func=lambda value: stage.say(f"accept_{value:g}".replace(".", "_")))  # fmt: skip
    stop = stage.control("stop", where.select_slider, stage.say("stop"), STOPS,
                         format_func=lambda value: f"{value} %")  # fmt: skip
    place, said = st.empty(), st.container()
    opened, data = stage.opened(), stage.data()
    with place, st.spinner(stage.say("measuring")):
        changes = {percent: _change(stage, percent) for percent in STOPS}
        images = lab.dense_accuracy(opened, data).images
    tuned: dict[int, Difference] = stage.memory.setdefault("tuned", {})
    if said.button(stage.say("train"), icon=":material/healing:", disabled=not stop, key="stopping_train"):
        with errors.shown(stop=False), said, st.spinner(stage.say("training")):
            tuned[stop] = _tuned(stage, stop)
    _draw(stage, place, accept, stop, changes, tuned, images)
    change, saved = changes[stop], _saved(stage, stop)
    standing = judge(change, accept)
    said.markdown(
        f"{stage.say(f'standing_{standing}', accept=f'{accept:g}', **_numbers(change))} "
        f"{stage.say('saves', saved=f'{100 * saved:.0f} %')}"
    )
    if stop in tuned:
        said.markdown(stage.say(f"tuned_{judge(tuned[stop], accept)}", **_numbers(tuned[stop])))
    said.markdown(_best(stage, accept, changes, tuned))
    if stop in tuned or not stage.is_free("stop"):
        after = _numbers(tuned[stop]) if stop in tuned else {}
        facts = {f"tuned_{name}": value for name, value in after.items()}
        now = _numbers(change)
        stage.acted(standing=standing, stop=_title(stage, stop), loss=now["loss"], loss_span=now["span"],
                    saved=f"{100 * saved:.0f} %", accepted=f"{accept:g}", **facts)  # fmt: skip


def judge(change: Difference, accept: float) -> str:
    """Whether a loss is within what is accepted (in points): 'within', 'beyond', or 'open' where the interval holds
    the limit."""
    low, high = change.interval
    if 100 * low >= -accept:
        return "within"
    return "beyond" if 100 * high < -accept else "open"


def _change(stage: Stage, percent: int) -> Difference:
    """The change in accuracy against the uncut network on the same images."""
    from pruning.training.evaluate import Difference

    if not percent:
        return Difference(accuracy=0.0, interval=(0.0, 0.0), newly_wrong=0, newly_right=0)
    return lab.accuracy(stage.opened(), stage.data(), PruneSpec(sparsity=percent / 100)).difference


def _tuned(stage: Stage, percent: int) -> Difference:
    from pruning.training.evaluate import paired_difference

    opened, data, cut = stage.opened(), stage.data(), PruneSpec(sparsity=percent / 100)
    after = recovered(opened.digest, data.digest, cut.digest, stage.value("epochs"), opened, data, cut)
    return paired_difference(lab.dense_accuracy(opened, data).right, after.right)


def _saved(stage: Stage, percent: int) -> float:
    opened = stage.opened()
    return 1 - lab.costs(opened, PruneSpec(sparsity=percent / 100)).macs / lab.costs(opened, PruneSpec()).macs


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
            saved=_saved(stage, percent), change=change.accuracy, low=low, high=high, title=_title(stage, percent)
        )

    stops = [dot(*entry) for entry in changes.items()]
    figure = plots_learn.stopping_curve(
        stops,
        charts.dark(),
        accept=accept / 100,
        at=STOPS.index(stop),
        knee=plots_learn.knee([(one.saved, one.change) for one in stops]),
        tuned=[dot(*entry) for entry in sorted(tuned.items())],
        deepest=max(0.06, 2.5 * accept / 100),
        words=stage.words,
    )
    charts.show(place, figure, key="stopping_curve", caption=stage.say("caption", images=f"{images:,}"))


def _best(stage: Stage, accept: float, changes: dict[int, Difference], tuned: dict[int, Difference]) -> str:
    """The furthest stops that are surely within the limit, without training and after it."""
    before = [percent for percent, change in changes.items() if percent and judge(change, accept) == "within"]
    after = [percent for percent, change in tuned.items() if judge(change, accept) == "within"]
    words = f"{max(before)} %" if before else stage.say("none")
    return stage.say("best", before=words, after=stage.say("best_after", percent=f"{max(after)} %") if after else "")


def _title(stage: Stage, percent: int) -> str:
    return stage.say("cut", percent=percent) if percent else stage.say("uncut")


def _numbers(change: Difference) -> dict[str, str]:
    """The loss in points with its interval, from the smaller to the larger."""
    low, high = change.interval
    loss, near, far = (f"{-100 * value + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")
                       for value in (change.accuracy, high, low))  # fmt: skip
    return {"loss": loss, "span": f"{near} to {far}"}
