"""Times that a page shows: jobs of other processes, waited for a while; a time that was measured in quiet is reused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from pruning.latency.noise import TOO_NOISY
from ui.kit import jobs, loaders, visitor

if TYPE_CHECKING:
    from pruning.latency.clock import Comparison
    from pruning.latency.cuts import Question, Standing
    from pruning.planning.plan import Plan
    from pruning.subject import Subject

LONGEST_WAIT = 10.0
"""Seconds that a page waits for a time; then it says what that waits for, and goes on."""
LOOK_SECONDS = 0.05
FOLLOWS = "waits for a quiet machine"
NOISY = f"{TOO_NOISY}: again?"
AGAIN = "Measure again"
_AGAIN = "timings_again"
"""Keys of questions that are to be measured anew."""


def speed(
    subject: Subject, plan: Plan, batch: int, *, anew: bool = False, button: bool = True, longest: float = LONGEST_WAIT
) -> Comparison | str:
    """Time of a cut network against dense, on the clock; a string says why there is none.

    `anew`: whether or not it is known. `button`: one below, where there is none, to try again. Where it
    takes longer than `longest` seconds the page is drawn anew once the time is there.
    """
    from pruning.base.errors import PruningError
    from pruning.latency.cuts import Question, standing, start

    try:
        question = Question.of(subject, plan, batch)
        again: set[str] = st.session_state.setdefault(_AGAIN, set())
        found = standing(question)
        if anew or question.key in again or (found.time is None and found.refusal is None):
            again.discard(question.key)
            start(question, visitor.current())
            _wait(question, longest)
            found = standing(question)
    except PruningError as error:  # the page goes on without a time
        return str(error)
    if found.is_coming:
        _draw_anew_then(question)
    said = words(found)
    if button and isinstance(said, str) and said != FOLLOWS:
        st.button(AGAIN, icon=":material/timer:", key=f"again_{question.key}", on_click=again.add, args=(question.key,))
    return said


def look_up(subject: Subject, plan: Plan, batch: int) -> Comparison | str:
    """A time that a page did not wait for, as far as it is there; a string says why it is not."""
    from pruning.latency.cuts import Question, standing

    return words(standing(Question.of(subject, plan, batch)))


def words(found: Standing) -> Comparison | str:
    """A time, the recorded one while another is measured; or why there is none."""
    if found.time is not None and found.time.quiet:
        return found.time
    if found.is_coming:
        return FOLLOWS
    return found.refusal or NOISY


def follow(subject: Subject, plan: Plan, batch: int) -> None:
    """Draw the page anew once a time is there that it did not wait for."""
    from pruning.latency.cuts import Question

    _draw_anew_then(Question.of(subject, plan, batch))


def _wait(question: Question, longest: float) -> None:
    """Wait until it was answered, or failed, for so many seconds at most."""
    until, follower, asked_by = time.monotonic() + longest, jobs.follow(question.job), visitor.current()
    try:
        while (now := follower.status()) is not None and now.is_working and time.monotonic() < until:
            loaders.asked_to_stop()
            time.sleep(LOOK_SECONDS)
    except BaseException:  # somebody moved on: the next page asks what it needs
        question.job.request_cancel(asked_by)
        raise


def _draw_anew_then(question: Question) -> None:
    """Draw the page anew once a question has an answer."""
    follower = jobs.follow(question.job)

    def look() -> None:
        now = follower.status()
        if now is None or not now.is_working:
            st.rerun()

    st.fragment(look, run_every=1.0)()
