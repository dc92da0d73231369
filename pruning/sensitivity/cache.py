"""Measured sensitivity on this machine: one job a scan, named by what it depends on, which tells point after point.

A page follows the job (`pruning.jobs`); a cancelled scan goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.base.files import cache_dir
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.queue.turn import turn
from pruning.jobs.work import Work
from pruning.planning.plan import Plan
from pruning.repair.recalibrate import BATCH
from pruning.repair.recalibrate import IMAGES as RECALIBRATION
from pruning.runs.identity import request_digest
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.form import changes, replay
from pruning.sensitivity.interaction import kept_of, measure_joint
from pruning.sensitivity.repairs import scan_repaired
from pruning.sensitivity.scan import Meter, dense_answers, scan
from pruning.subject import Subject

FORMAT = 2
"""Of the events that are kept."""

Progress = Callable[[Sensitivity, str], None]
"""Gets the scan so far and what is going on in words."""


def job_of(wanted: Sensitivity) -> Job:
    """The job that measures a scan. `wanted` needs no points: `outline` is enough."""
    asked = {
        "form": FORMAT,
        "graph": wanted.graph_digest,
        "spec": wanted.spec.digest,
        "images": wanted.images,
        "recalibration": [RECALIBRATION, BATCH],
    }
    name = request_digest("sensitivity", asked, weights=wanted.model_digest, data=wanted.data_digest)[:32]
    return Job.in_folder(cache_dir() / "sensitivity" / name)


def read(wanted: Sensitivity, events: list[dict[str, Any]] | None = None) -> Sensitivity:
    """`wanted` with the points that were measured; as it is where there are none. `events`: what its job told, where
    that was read already."""
    outline = replace(wanted, curves=tuple(replace(curve, points=()) for curve in wanted.curves), dense=None,
                      precision=None, seconds=0.0, repair_seconds=0.0, joints=())  # fmt: skip
    return replay(outline, Follower(job_of(wanted)).events() if events is None else events)


def measure(
    subject: Subject,
    wanted: Sensitivity,
    make_meter: Callable[[], Meter],
    *,
    repaired: bool = False,
    together: Callable[[Sensitivity], Plan | None] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    work: Work | None = None,
) -> Sensitivity:
    """Measure what is not on disk yet, telling it as it comes. Holds the machine: nothing is timed beside it.

    `repaired`: also what a repair without training gives at each point, which takes far longer. `together` names, once
    all curves are known, a joint cut to be measured next, until it names one that is measured already, or none. `work`:
    of the attempt that this process was started for.

    Raises:
        InputError: another process measures the same, or repaired figures are asked for of a network that cannot be
            refitted.
        StorageError: the cache cannot be written.
        Cancelled: `cancel()` became true or it was asked to stop; what is measured stays on disk.
    """
    tell = progress or (lambda found, text: None)
    found = read(wanted)

    def curves_left() -> bool:
        return not found.complete or (repaired and found.repaired < found.measured)

    def joint_left() -> Plan | None:
        plan = None if together is None or curves_left() else together(found)
        return None if plan is None or is_measured(found, plan) else plan

    if not curves_left() and joint_left() is None:
        return found
    with job_of(wanted).working(work) as work:
        stop = work.cancel_or(cancel)

        def say(text: str) -> None:
            work.say(text)
            tell(found, text)

        with turn("sensitivity", stop, say):
            say("Preparing the network and its images")
            meter = make_meter()
            if repaired and not meter.repairs:
                raise InputError(f"This network cannot be repaired point by point, since {meter.whole_because}.")
            network = (subject.model, subject.graph, subject.data, meter)

            def take_in(now: Sensitivity) -> None:
                nonlocal found
                for event in changes(found, now):
                    work.tell(event)
                    work.note_progress()
                found = now

            if curves_left():
                for now in scan(*network, found, stop):
                    take_in(now)
                    tell(found, "")
            if repaired:
                say("Repairing each cut")
                for now in scan_repaired(*network, found, stop):
                    take_in(now)
                    tell(found, "")
            dense = None
            while (plan := joint_left()) is not None:
                say("Measuring all of them cut together")
                dense = dense or dense_answers(*network, found, stop)
                take_in(_with(found, measure_joint(*network, plan, found, stop, dense=dense)))
    return found


def is_measured(found: Sensitivity, plan: Plan) -> bool:
    """Whether all figures of a joint cut are there."""
    return any(joint.is_complete for joint in found.joints if joint.kept == kept_of(plan))


def remember(wanted: Sensitivity, joint: Joint) -> None:
    """Keep a joint cut that was measured elsewhere with its scan.

    Raises:
        InputError: a process measures the same scan.
        StorageError: the cache cannot be written.
    """
    found = read(wanted)
    with job_of(wanted).working() as work:
        for event in changes(found, _with(found, joint)):
            work.tell(event)


def _with(found: Sensitivity, joint: Joint) -> Sensitivity:
    return replace(found, joints=(*(other for other in found.joints if other.kept != joint.kept), joint))
