"""Times on the Prune page: of a whole cut, measured when asked for; and of each layer against its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup.ledger_tiles import result_time, time_tile
from ui.kit import errors, jobs, lab, state, timings, visitor

if TYPE_CHECKING:
    from pruning.jobs.job import Job
    from pruning.jobs.status import Status
    from pruning.latency.clock import Comparison
    from pruning.latency.places import Place, Places
    from pruning.latency.steps import Steps
    from pruning.render.markup.tiles import Number
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from pruning.subject import Subject

_TIMES = "prune_times"
"""(digest of the weights, key of the cut) → comparison, or why there is none; measured on demand."""
PLACE = "prune_place"
"""Name of the place that the layers' times are of; an unknown one stands for the usual one."""
USUAL = "eager"
state.DEFAULTS.update({PLACE: USUAL})


def measure(chosen: Subject, cut: PruneSpec) -> None:
    """Time a cut against dense, batch 1, about two seconds; kept for the session. What was timed in this session is
    timed anew."""
    key = _key_of(chosen, cut)
    anew = _times().get(key) not in (None, timings.FOLLOWS)
    _times()[key] = lab.speed(chosen, cut, 1, anew=anew, button=False)


def known(chosen: Subject, cut: PruneSpec, result: Result | None) -> Number | None:
    """The time of this cut: from the result of a run of it, else as it was measured; None where it was not."""
    of_run = None if result is None else result_time(result)
    if of_run is not None:
        return of_run
    timing = _known(chosen, cut)
    return time_tile(1, timing).numbers[0] if timing is not None else None


def timing(chosen: Subject, cut: PruneSpec) -> Comparison | None:
    """The cut against dense as it was measured in this session, if it was, and if the layers' times are of there."""
    found = _known(chosen, cut) if state.get(PLACE) == USUAL else None
    return None if isinstance(found, str) else found


def _known(chosen: Subject, cut: PruneSpec) -> Comparison | str | None:
    """What was measured, or why not; what a page did not wait for is looked up."""
    key = _key_of(chosen, cut)
    if _times().get(key) == timings.FOLLOWS:
        _times()[key] = timings.look_up(chosen, lab.plan(chosen, cut), 1)
    return _times().get(key)


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Times of a network's layers against their widths in one place, batch 1."""

    place: Place

    steps: Steps | None
    """None where they were not measured yet."""
    measuring: Status | None
    """How the last measurement stands, as long as it has not brought times; None where there was none."""

    @property
    def is_running(self) -> bool:
        return self.measuring is not None and self.measuring.is_working

    @property
    def is_usual(self) -> bool:
        """Whether whole cuts are timed there, too."""
        return self.place.name == USUAL


def places(subject: Subject) -> dict[str, Place]:
    """Where the layers' times may be of, by name."""
    return _places(subject.identity, subject).found()


def widths(subject: Subject) -> Widths:
    """What is known of the layers' times in the chosen place; reads them only where they have changed."""
    from pruning.base.errors import StorageError
    from pruning.latency.cache import STEPS

    there = places(subject)
    place = there.get(state.get(PLACE), there[USUAL])
    now = jobs.follow(place.job).status()  # first: times that come after this look are found by the next
    try:
        file = place.job.file(STEPS)
        steps = None if file is None else _steps(file.sha256, place.job)
    except StorageError:  # damaged: measuring again writes it anew
        steps = None
    return Widths(place=place, steps=steps, measuring=now if steps is None else None)


def start_widths(subject: Subject) -> None:
    """Begin to time all layers in the chosen place, in a process of its own.

    Raises:
        StorageError: it cannot be started.
    """
    from pruning.latency.start import start_profile

    now = widths(subject)
    if now.place.is_here and not now.is_running:
        start_profile(subject.ref, subject.graph, 1, visitor.current(), now.place.name)


def follow(subject: Subject, cut: PruneSpec) -> None:
    """How far the timing of layers is, with a way to stop it, and nothing where none is under way; and the page anew
    once the time of the cut is there that it did not wait for."""
    if _known(subject, cut) == timings.FOLLOWS:
        timings.follow(subject, lab.plan(subject, cut), 1)
    if widths(subject).is_running:
        st.fragment(_progress, run_every=1.0)(subject)


def _progress(subject: Subject) -> None:
    now = widths(subject)
    if not now.is_running or now.measuring is None:
        st.rerun()
    text = f"Timing layers at their widths: {errors.plain(now.measuring.text)}"
    jobs.bar(now.measuring, jobs.cancel_of(now.place.job), key="cancel_widths", text=text)


@st.cache_resource(show_spinner=False, max_entries=64)
def _places(digest: str, _subject: Subject) -> Places:
    from pruning.latency.places import Places

    return Places(_subject.graph, 1)


@st.cache_resource(show_spinner=False, max_entries=16)
def _steps(sha256: str, _job: Job) -> Steps | None:
    from pruning.latency.cache import steps_of

    return steps_of(_job)


def _key_of(chosen: Subject, cut: PruneSpec) -> tuple[str, str]:
    """Names a cut of a network among the times."""
    return chosen.identity, lab.key(chosen, cut)


def _times() -> dict[tuple[str, str], Comparison | str]:
    found: dict[tuple[str, str], Comparison | str] = st.session_state.setdefault(_TIMES, {})
    return found
