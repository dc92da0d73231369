"""Measured sensitivity for pages: read from disk as it grows, for all sessions, and what follows from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.latency import turns
from ui.kit import jobs, what_if

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruning.planning.plan import Plan
    from pruning.sensitivity import FigureName, Joint, Prediction, Sensitivity, Tightened
    from pruning.spec import PruneSpec
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation

CHOICES: tuple[int | None, ...] = (500, 2000, None)
"""Numbers of select images that the page offers; None: all."""


def outline(subject: Subject, spec: PruneSpec, images: int | None) -> Sensitivity:
    """A scan before anything is measured. Raises InputError for a number of images that is not allowed."""
    from pruning.sensitivity import ranking_of

    return _outline(subject.identity, subject.data.digest, ranking_of(spec), images, subject)


def found(wanted: Sensitivity) -> Sensitivity:
    """A scan as far as it is measured; worked out anew only where its job told more."""
    from pruning.sensitivity.cache import job_of

    told = jobs.follow(job_of(wanted)).events()
    return _read(wanted, _Told(told)) if told else wanted


def best(subject: Subject, spec: PruneSpec) -> Sensitivity:
    """The scan by a spec's criterion with the most points (of equals, the most images) that is on disk; perhaps without
    any."""
    scans = [found(outline(subject, spec, images)) for images in CHOICES]
    return max(scans, key=lambda scan: (scan.measured, scan.images))


def predicted(subject: Subject, cut: PruneSpec, figure: FigureName = "recalibrated") -> Prediction | None:
    """The metric of a cut as the single curves have it ○, or None where they do not reach that far.

    `together_words` says how far a measured value is from it.
    """
    from pruning.base.errors import InputError
    from pruning.sensitivity import predict_joint
    from ui.kit import lab

    try:
        return predict_joint(best(subject, cut), lab.plan(subject, cut).shares, figure)
    except InputError:
        return None


def together_words(subject: Subject, cut: PruneSpec, now: Evaluation, figure: FigureName) -> str | None:
    """What the single curves say of a cut of several groups, against what was measured, in Markdown; None where the
    curves do not reach that far, or nothing is cut together."""
    from pruning.sensitivity import together
    from ui.kit import lab

    if not together.is_joint(lab.plan(subject, cut)):
        return None
    prediction = predicted(subject, cut, figure)
    return None if prediction is None else together.together_words(prediction, now, figure)


def measure_together(subject: Subject, scan: Sensitivity, plan: Plan) -> Joint:
    """Measure a joint cut on the images of a scan, and keep it with the scan. This session's next move ends it.

    Raises:
        InputError: a process measures the same scan.
        StorageError: it cannot be kept.
    """
    from pruning.sensitivity.together import Together

    with what_if.turn(subject) as cancel:
        return Together(subject, scan).measure(plan, cancel)


def tighten(
    subject: Subject, scan: Sensitivity, figure: FigureName, lose: float, progress: Callable[[Tightened], None]
) -> Tightened:
    """Search for the limits with which most goes and all groups together lose at most `lose`, keeping each joint cut
    that is measured. This session's next move ends it. `progress` gets the search before each measurement.

    Raises:
        As `measure_together`.
    """
    from pruning.sensitivity.together import Together
    from ui.kit import lab

    ranked = lab.statistics(subject, scan.spec)
    with what_if.turn(subject) as cancel:
        return Together(subject, scan).tighten(figure, lose, ranked, progress=progress, cancel=cancel)


def repairs(subject: Subject) -> bool:
    """Whether a network can be repaired point by point."""
    return _repairs(subject.identity, subject)


def seconds_left(subject: Subject, scan: Sensitivity, *, repaired: bool = False, started: bool = False) -> float:
    """How long the rest of a scan will take on this machine ○; `repaired`: with repaired figures. `started`: by a
    process that is on its way."""
    from pruning.sensitivity import duration

    return duration.seconds_left(scan, _of_pass(subject, scan), repaired=repaired, started=started)


def repair_seconds_left(subject: Subject, scan: Sensitivity) -> float:
    """How long the repaired figures that are missing will take ○."""
    from pruning.sensitivity import duration

    return duration.repair_seconds_left(scan, _of_pass(subject, scan))


def _of_pass(subject: Subject, scan: Sensitivity) -> Callable[[], float]:
    return lambda: _seconds_of_pass(subject.identity, subject.data.digest, scan.images, subject)


class _Told:
    """What a job told, for a cache: of one scan, as much is the same."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events
        self._same = (len(events), events[0].get("time"), events[-1].get("time"))

    def __hash__(self) -> int:
        return hash(self._same)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Told) and self._same == other._same


@lru_cache(maxsize=64)
def _read(wanted: Sensitivity, told: _Told) -> Sensitivity:
    from pruning.sensitivity.cache import read

    return read(wanted, told.events)


@st.cache_resource(show_spinner=False, max_entries=100)
def _outline(digest: str, data_digest: str, spec: PruneSpec, images: int | None, _subject: Subject) -> Sensitivity:
    from pruning.sensitivity import outline

    return outline(_subject.digest, _subject.graph, _subject.data, spec, images=images)


@st.cache_data(show_spinner=False, max_entries=100)
def _repairs(digest: str, _subject: Subject) -> bool:
    from pruning.sensitivity.repairs import why_not_repaired

    with turns.computing():
        return why_not_repaired(_subject.model, _subject.graph) is None


@st.cache_data(show_spinner=False, max_entries=100)
def _seconds_of_pass(digest: str, data_digest: str, images: int, _subject: Subject) -> float:
    from pruning.sensitivity import duration

    with turns.computing():
        return duration.seconds_of_pass(_subject, images)
