"""Measured sensitivity on disk: one JSON a scan, named by what it depends on, growing while it is measured.

A page polls the file and its status (`pruning.jobs.workfile`); a cancelled scan goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pruning.base.cancel import Cancel
from pruning.base.files import cache_dir
from pruning.data.datasets import Dataset
from pruning.jobs.workfile import WorkFile
from pruning.latency.clock import quiet_machine
from pruning.opening.models import OpenModel
from pruning.planning.plan import Plan
from pruning.repair.recalibrate import BATCH
from pruning.repair.recalibrate import IMAGES as RECALIBRATION
from pruning.runs.identity import request_digest
from pruning.sensitivity.curves import Joint, Sensitivity
from pruning.sensitivity.form import SCHEMA_VERSION, from_json, to_json
from pruning.sensitivity.interaction import kept_of, measure_joint
from pruning.sensitivity.scan import Meter, scan

SAVE_SECONDS = 0.3
"""At most so often the file is written while points come quickly."""

Progress = Callable[[Sensitivity, str], None]
"""Gets the scan so far and what is going on in words."""


def file_of(wanted: Sensitivity) -> WorkFile:
    """Where a scan is kept; its `status` tells whether it is being measured. `wanted` needs no points: `outline` is
    enough."""
    asked = {
        "form": SCHEMA_VERSION,
        "spec": wanted.spec.digest,
        "images": wanted.images,
        "recalibration": [RECALIBRATION, BATCH],
    }
    name = request_digest("sensitivity", asked, weights=wanted.model_digest, data=wanted.data_digest)[:32]
    return WorkFile(cache_dir() / "sensitivity" / f"{name}.json")


def read(wanted: Sensitivity) -> Sensitivity:
    """`wanted` with the points that are on disk; as it is where there are none, or the file is damaged."""
    try:
        return from_json(file_of(wanted).read(), wanted)
    except (ValueError, KeyError, TypeError, AttributeError):
        return wanted


def measure(
    opened: OpenModel,
    data: Dataset,
    wanted: Sensitivity,
    make_meter: Callable[[], Meter],
    *,
    together: Callable[[Sensitivity], Plan] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Sensitivity:
    """Measure what is not on disk yet, writing it as it comes. Holds the machine: nothing is timed beside it.

    `together` names, once all curves are known, a joint cut to be measured at the end.

    Raises:
        InputError: another process measures the same.
        StorageError: the cache cannot be written.
        Cancelled: `cancel()` became true or it was asked to stop; what is measured stays on disk.
    """
    file, tell = file_of(wanted), progress or (lambda found, text: None)
    found = read(wanted)

    def stop() -> bool:
        return file.is_cancelling or (cancel is not None and cancel())

    def say(text: str) -> None:
        file.say(text)
        tell(found, text)

    def joint_left() -> Plan | None:
        plan = together(found) if together is not None and found.complete else None
        return None if plan is None or any(joint.kept == kept_of(plan) for joint in found.joints) else plan

    if found.complete and joint_left() is None:
        return found
    with file.working(), quiet_machine(stop, lambda: say("Waiting for another run on this machine")):
        say("Preparing the network and its images")
        meter = make_meter()
        if not found.complete:
            saved = 0.0
            steps = scan(opened.model, opened.graph, data, meter, found, stop)
            try:
                for found in steps:
                    tell(found, "")
                    if time.monotonic() - saved > SAVE_SECONDS:
                        file.write(to_json(found))
                        saved = time.monotonic()
            finally:
                file.write(to_json(found))
        plan = joint_left()
        if plan is not None:
            say("Measuring all of them cut together")
            joint = measure_joint(opened.model, opened.graph, data, meter, plan, found, stop)
            found = remember(wanted, joint)
    return found


def remember(wanted: Sensitivity, joint: Joint) -> Sensitivity:
    """Keep a measured joint cut with its scan; returns the scan as it then is on disk.

    Raises:
        StorageError: the cache cannot be written.
    """
    found = read(wanted)
    found = replace(found, joints=(*(other for other in found.joints if other.kept != joint.kept), joint))
    file_of(wanted).write(to_json(found))
    return found
