"""At once or in rounds: cutting in one go against cutting in rounds, live, with equal steps and three seeds each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from pruning.spec import PruneSpec
from ui.kit import charts, errors, jobs, lab, visitor

if TYPE_CHECKING:
    from pruning.contest import Race, Terms, Verdict
    from pruning.jobs.job import Job
    from ui.learn.stage import Fact, Stage

HEATS = 3
"""How often a learner may add seeds."""
SEEDS = 3
"""Of one heat."""
_SIDES: tuple[Literal["oneshot"], Literal["iterative"]] = ("oneshot", "iterative")


def show(stage: Stage) -> None:
    """Done once a race has ended."""
    choose, action = st.columns([2, 1.5], vertical_alignment="bottom")
    percent = stage.control("percent", choose.select_slider, stage.say("percent"), stage.choices("percent"),
                            format_func=lambda value: f"{value} %")  # fmt: skip
    heats: dict[int, int] = stage.memory.setdefault("heats", {})
    place = action.empty()
    started = heats.get(percent, 0)
    if not started and not place.button(stage.say("start"), icon=":material/flag:", type="primary", key="race_start"):
        st.info(stage.say("first"), icon=":material/directions_run:")
        return
    if not started:
        heats[percent] = started = 1
        place.empty()
        _launch(stage, percent, 0)
    entered = [_job(stage, percent, heat) for heat in range(started)]
    now = jobs.follow(entered[-1][0]).status()
    if now is not None and now.is_working:
        # A timer only while there is something to wait for; it ends with a rerun of the whole page.
        st.fragment(_live, run_every=1.0)(stage, entered)
        return
    races = _races(entered)
    _draw(stage, races)
    if not races[-1].done:
        _ended_early(stage, percent, started - 1, "" if now is None else now.text)
        return
    _verdict(stage, races, percent)
    if started < HEATS:
        place.button(stage.say("more"), icon=":material/replay:", key="race_more", help=stage.say("more_help"),
                     on_click=_more, args=(stage, percent))  # fmt: skip


def terms_of(stage: Stage, percent: int, heat: int) -> Terms:
    """The terms of a race: those of the lesson, with three seeds of its own for each heat."""
    from pruning.contest import Terms

    return Terms(
        model=stage.value("network"),
        data=stage.value("data"),
        prune=PruneSpec(granularity=stage.value("granularity"), sparsity=percent / 100),
        rounds=stage.value("rounds"),
        steps=stage.value("steps"),
        seeds=tuple(range(SEEDS * heat, SEEDS * (heat + 1))),
    )


def _job(stage: Stage, percent: int, heat: int) -> tuple[Job, Terms]:
    from pruning.contest.cache import job_of

    terms = terms_of(stage, percent, heat)
    subject = stage.subject()
    return job_of(terms, subject.identity, subject.data.digest), terms


def _races(entered: list[tuple[Job, Terms]]) -> list[Race]:
    from pruning.contest.cache import replay

    return [replay(terms, jobs.follow(job).last_events()) for job, terms in entered]


def _launch(stage: Stage, percent: int, heat: int) -> None:
    """Start a race in a process of its own, unless its result is there or another visitor runs it already."""
    from pruning.contest.start import start

    (race,) = _races([_job(stage, percent, heat)])
    if not race.done:
        with errors.shown(stop=False):
            start(terms_of(stage, percent, heat), stage.subject(), visitor.current())


def _more(stage: Stage, percent: int) -> None:
    """Three more seeds."""
    heat = stage.memory["heats"][percent]
    stage.memory["heats"][percent] = heat + 1
    _launch(stage, percent, heat)


def _live(stage: Stage, entered: list[tuple[Job, Terms]]) -> None:
    """The race as it stands; called again and again by a timer until it has ended."""
    job = entered[-1][0]
    now = jobs.follow(job).status()
    if now is None or not now.is_working:
        st.rerun()
    races = _races(entered)
    share = races[-1].share
    text = stage.say("running", share=f"{100 * share:.0f}") if share else stage.say("waiting")
    jobs.bar(
        now,
        jobs.cancel_of(job),
        key="race_stop",
        share=share,
        text=text,
        cancel=stage.say("stop"),
        cancelling=stage.say("stopping"),
    )
    _draw(stage, races)
    st.markdown(stage.say("no_verdict_yet"))


def _draw(stage: Stage, races: list[Race]) -> None:
    from pruning.render.figures.lessons import Side, race_bands

    terms = races[0].terms
    sides = [
        Side(
            name=stage.say(schedule),
            lanes=[[(mark.step, mark.value) for mark in lane.marks] for race in races for lane in race.of(schedule)],
        )
        for schedule in _SIDES
    ]
    dense = lab.dense_accuracy(stage.subject()).value
    charts.show(
        st,
        race_bands(sides, charts.dark(), steps=terms.steps, dense=dense, words=stage.words),
        key="race_bands",
        caption=stage.say("bands", steps=terms.steps, rounds=terms.rounds),
    )


def _verdict(stage: Stage, races: list[Race], percent: int) -> None:
    """Who is ahead, if that can be said, and on what it rests."""
    from pruning.contest import judge
    from pruning.render.figures.lessons import difference_intervals

    found, metric = judge(races), stage.subject().task.metric
    images = len(races[0].lanes[0].finish.scores) if races[0].lanes[0].finish else 0
    numbers: dict[str, Fact] = {
        "difference": metric.signed(found.mean),
        "seeds": found.seeds,
        "images": f"{images:,}",
        "over_seeds": metric.signed_span(found.over_seeds),
        "over_images": metric.signed_span(found.over_images),
    }
    words = f"won_{found.winner}" if found.winner else f"open_{found.reason}"
    if not stage.may_judge:
        words = "ended"
    st.markdown(stage.say(words, ahead=f"{100 * abs(found.mean):.1f}", **numbers))
    charts.show(
        st,
        difference_intervals(
            {stage.say("row_seeds"): found.over_seeds, stage.say("row_images"): found.over_images},
            charts.dark(),
            middle=found.mean,
            left=stage.say("oneshot"),
            right=stage.say("iterative"),
            words=stage.words,
        ),
        key="race_difference",
        caption=stage.say("judged", **numbers),
    )
    stage.acted(winner=_winner(found), percent=percent, difference_span=numbers["over_seeds"], **numbers)


def _ended_early(stage: Stage, percent: int, heat: int, text: str) -> None:
    """A race that was stopped or failed, and the way to run it again."""
    st.warning(f"{errors.plain(text)} {stage.say('incomplete')}", icon=":material/flag:")
    st.button(stage.say("again"), icon=":material/replay:", key="race_again", on_click=_launch,
              args=(stage, percent, heat))  # fmt: skip


def _winner(found: Verdict) -> str:
    return {"oneshot": "once", "iterative": "rounds", None: "open"}[found.winner]
