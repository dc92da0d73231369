"""Measured sensitivity for pages: read from disk as it grows, for all sessions, and what follows from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit import jobs, loaders

if TYPE_CHECKING:
    from pruning.planning.plan import Plan
    from pruning.sensitivity import FigureName, Joint, Prediction, Sensitivity
    from pruning.spec import PruneSpec
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation

CHOICES: tuple[int | None, ...] = (500, 2000, None)
"""Numbers of select images that the page offers; None: all."""
START_SECONDS = 8.0
"""Until a process has loaded everything and measures its first point."""
WORK = 0.3
"""Time of a point, as a share of running the whole network once over all its images in float32."""


def outline(subject: Subject, spec: PruneSpec, images: int | None) -> Sensitivity:
    """A scan before anything is measured. Raises InputError for a number of images that is not allowed."""
    from pruning.sensitivity import ranking_of

    return _outline(subject.digest, subject.data.digest, ranking_of(spec), images, subject)


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


def known(subject: Subject, spec: PruneSpec) -> dict[str, list[list[float]]]:
    """Slider's name → [share removed, accuracy] in ascending order from the uncut network on: recalibrated where there
    is BN, else as cut. Only targets that have points; nothing is measured."""
    from pruning.graph.targets import free_targets

    scan = best(subject, spec)
    if scan.dense is None:
        return {}
    start = [0.0, scan.dense.figure("recalibrated").value]
    names = {target.key: target.name for target in free_targets(subject.graph, spec.granularity)}
    return {
        names[curve.name]: [
            start,
            *([point.achieved, point.figure("recalibrated").value] for point in curve.points if point.achieved),
        ]
        for curve in scan.curves
        if curve.points
    }


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
    from pruning.sensitivity import interaction_gap
    from ui.kit import lab

    if sum(share > 0 for share in lab.plan(subject, cut).shares.values()) < 2:
        return None
    prediction = predicted(subject, cut, figure)
    if prediction is None:
        return None
    gap = interaction_gap(prediction, now)
    metric = now.metric
    words = (
        f"From the curve of each group alone one would expect **{metric.words(prediction.value)}** "
        f"({metric.span((prediction.low, prediction.high))}) ○; measured together it is "
        f"**{metric.words(now.value)}** ●"
    )
    if gap.low <= 0 <= gap.high:
        return f"{words}: no difference that {now.images:,} images can show."
    ends = "–".join(map(metric.size, sorted((gap.low, gap.high), key=abs)))
    points = f"{f'{metric.size(gap.gap)} {metric.unit_of_change}'.rstrip()} ({ends})"
    if metric.gain(gap.gap) < 0:
        return f"{words}: {points} worse, so together they hurt more than alone."
    return f"{words}: {points} better."


def measure_together(subject: Subject, scan: Sensitivity, plan: Plan) -> Joint:
    """Measure a joint cut on the images of a scan, as the scan was measured, and keep it with the scan.

    Raises:
        StorageError: it cannot be kept.
    """
    from pruning.sensitivity import measure_joint
    from pruning.sensitivity.cache import remember
    from pruning.whatif import WhatIf

    with loaders.computing():
        meter = WhatIf(subject.model, subject.graph, subject.data, images=scan.images, seed=scan.spec.seed)
        joint = measure_joint(subject.model, subject.graph, subject.data, meter, plan, scan)
        remember(scan, joint)  # before the next session's turn: one at a time keeps something with a scan
    return joint


def seconds_left(subject: Subject, scan: Sensitivity) -> float:
    """How long the rest of a scan will take on this machine ○: from the points it has, else from one forward pass."""
    missing = scan.wanted - scan.measured
    if scan.measured >= 10:
        return START_SECONDS + missing * scan.seconds / scan.measured
    each = _seconds_per_point(subject.digest, subject.data.digest, scan.images, subject)
    return START_SECONDS + missing * WORK * each


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

    return outline(digest, _subject.graph, _subject.data, spec, images=images)


@st.cache_data(show_spinner=False, max_entries=100)
def _seconds_per_point(digest: str, data_digest: str, images: int, _subject: Subject) -> float:
    """Running the network over all images that a point needs: as cut, and what recalibration adds."""
    import time

    from pruning.repair.recalibrate import IMAGES, has_batch_norm
    from pruning.training.evaluate import evaluate

    sample = min(100, images)
    with loaders.computing():
        evaluate(_subject.model, _subject.data, "select", limit=sample)
        started = time.perf_counter()
        evaluate(_subject.model, _subject.data, "select", limit=sample)
        each = (time.perf_counter() - started) / sample
    return each * (2 * images + IMAGES if has_batch_norm(_subject.model) else images)
