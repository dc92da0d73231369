"""The Lab: meet a limit with the sliders, enter it as a run, and compare one's own runs on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import interval, percent
from pruning.lessons.challenge import GRANULARITY, Challenge, Entry, handed_in, is_tie, twin_of
from pruning.spec import PruneSpec
from ui.kit import errors, lab, state, visitor
from ui.learn import progress
from ui.learn.activities import entries

if TYPE_CHECKING:
    from ui.learn.stage import Stage

START = 40
"""Per cent at which the sliders start."""


def show(stage: Stage) -> None:
    """Done once two entries of one challenge can be compared."""
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    task = stage.control(
        "task", left.segmented_control, stage.say("task"), stage.choices("task"), required=True,
        format_func=lambda name: stage.say(f"task_{name}", limit=stage.value(f"{name}_limit")),
    )  # fmt: skip
    stage.control("criterion", right.selectbox, stage.say("criterion"), stage.choices("criterion"),
                  format_func=stage.criterion)  # fmt: skip
    cut = _sliders(stage, task)
    challenge = entries.challenge_of(stage, task)
    share, limit = entries.share_left(stage, task, cut), stage.value(f"{task}_limit")
    met = challenge.is_met(share)
    mine = entries.mine(stage, challenge)
    twin = twin_of(entries.removed(stage, cut), mine)
    said, action = st.columns([2.2, 1], vertical_alignment="center")
    said.markdown(stage.say(f"{'met' if met else 'over'}_{task}", share=percent(share), limit=limit))
    ready = met and twin is None
    action.button(
        stage.say("enter", epochs=stage.value("epochs")), icon=":material/sports_score:", key="lab_enter",
        type="primary" if ready else "secondary", disabled=not ready, width="stretch",
        help=stage.say("enter_help" if met else "too_much"), on_click=_enter, args=(stage, challenge, cut),
    )  # fmt: skip
    if twin is not None:
        said.markdown(stage.say("already", name=entries.name_of(stage, twin)))
    subject = stage.subject()
    before = lab.accuracy(subject, cut).best
    said.markdown(stage.say("before", accuracy=percent(before.value), span=interval(before.interval)))
    if any(entry.is_working for entry in mine):
        # A timer only while there is something to wait for; it ends with a rerun of the whole page.
        st.fragment(_wait, run_every=1.0)(stage, challenge)
    for entry in mine:
        if entry.ended_early:
            st.warning(stage.say("gone", text=errors.plain(entry.ended_early)), icon=":material/cancel:")
    done = [entry for entry in mine if entry.is_done]
    if not done:
        if not mine:
            st.info(stage.say("none"), icon=":material/sports_score:")
        return
    with st.spinner(stage.say("comparing")):
        ranked = entries.measured(stage, done)
    entries.draw(stage, task, ranked)
    best = ranked[0].evaluation
    assert best is not None
    stage.tell(best_accuracy=percent(best.value), best_accuracy_span=interval(best.interval))
    _hand_in(stage, task, ranked)
    if len(ranked) > 1:
        second, metric = ranked[1].against, subject.task.metric
        assert second is not None
        stage.acted(
            apart="open" if is_tie(second) else "apart",
            runs=len(ranked),
            best=entries.name_of(stage, ranked[0]),
            difference=f"{metric.signed(second.value)} ({metric.signed_span(second.interval)})",
        )


def _sliders(stage: Stage, task: str) -> PruneSpec:
    """One slider for each layer, or group of channels, and one for all."""
    from pruning.graph.targets import free_targets

    subject, granularity = stage.subject(), GRANULARITY[task]
    names = [target.name for target in free_targets(subject.graph, granularity)]
    rows: dict[str, int] = stage.memory.setdefault(task, dict.fromkeys(names, START))
    keys = {name: f"lesson_{stage.lesson.id}_{task}_{i}" for i, name in enumerate(names)}

    def one(name: str) -> None:
        rows[name] = st.session_state[keys[name]]

    def every() -> None:
        rows.update(dict.fromkeys(names, st.session_state[f"lesson_{stage.lesson.id}_{task}_all"]))

    st.markdown(stage.say(f"remove_{granularity}"))
    # Row by row, so that on a phone and for the keyboard they come in the network's order.
    places = [column for _ in range(0, len(names) + 1, 3) for column in st.columns(3)]
    places[0].slider(stage.say("all"), 0, 95, START, step=5, key=f"lesson_{stage.lesson.id}_{task}_all",
                     on_change=every, help=stage.say("all_help"))  # fmt: skip
    for place, name in zip(places[1:], names, strict=False):
        st.session_state[keys[name]] = rows[name]
        place.slider(name, 0, 95, step=5, key=keys[name], on_change=one, args=(name,))
    stage.chosen["layers"] = {name: rows[name] for name in names}
    chosen = tuple((name, rows[name] / 100) for name in names)
    return PruneSpec(granularity=granularity, criterion=stage.value("criterion"), layers=chosen)


def _enter(stage: Stage, challenge: Challenge, cut: PruneSpec) -> None:
    """Start a run in a process of its own and remember its name in this browser, unless it is there already."""
    from pruning.runs import create_run
    from pruning.runs.quota import check_room
    from pruning.runs.start import start_run

    with errors.shown(stop=False):
        if twin_of(entries.removed(stage, cut), entries.mine(stage, challenge)):
            return
        check_room(visitor.current())
        path = create_run(challenge.recipe(cut), data_dir=state.data_dir(challenge.data))
        start_run(path, visitor.current())
        progress.put("runs", [*progress.get("runs"), path.name])


def _wait(stage: Stage, challenge: Challenge) -> None:
    """How far the entries that work have come; called again and again by a timer until they have ended."""
    going = [entry for entry in entries.mine(stage, challenge) if entry.is_working]
    if not going:
        st.rerun()
    for entry in going:
        with errors.shown(stop=False):  # it may be deleted at this moment
            st.progress(*entries.how_far(stage, entry))


def _hand_in(stage: Stage, task: str, ranked: list[Entry]) -> None:
    """The one look at test images, for the entry that was chosen."""
    handed = stage.memory.get(f"handed_{task}")
    if handed is None:
        names = {entries.name_of(stage, entry): entry.run for entry in ranked}
        pick, button = st.columns([2, 1], vertical_alignment="bottom")
        # A box of its own for each list: it begins at the leader.
        chosen = pick.selectbox(
            stage.say("pick"), list(names), key=f"lesson_{stage.lesson.id}_{task}_pick_{len(names)}"
        )
        if not button.button(stage.say("hand_in"), icon=":material/outbox:", help=stage.say("hand_in_help"),
                             key="lab_hand_in", width="stretch"):  # fmt: skip
            return
        handed = stage.memory[f"handed_{task}"] = names[chosen]
    entry = next((entry for entry in ranked if entry.run == handed), None)
    if entry is None:
        return
    name = entries.name_of(stage, entry)
    with errors.shown(stop=False):
        test, change = handed_in(entry, name)
        metric = test.metric
        st.success(
            stage.say(
                "handed", name=name, images=f"{test.images:,}", accuracy=percent(test.value),
                span=interval(test.interval), difference=metric.signed(change.value),
                change=metric.signed_span(change.interval),
            )
            + " "
            + stage.say("handed_select", accuracy=percent(entry.evaluation.value if entry.evaluation else 0.0))
        )  # fmt: skip
