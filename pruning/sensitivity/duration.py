"""How long a scan will take on this machine: an estimate, before and while it is measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from pruning.repair.recalibrate import IMAGES, has_batch_norm
from pruning.sensitivity.curves import Sensitivity
from pruning.subject import Subject
from pruning.training.evaluate import evaluate

START_SECONDS = 8.0
"""Until a process has loaded everything and measures its first point."""
WORK = 0.3
"""Time of a point, as a share of running the whole network once over all its images in float32."""
REPAIR_WORK, REPAIR_LEAST = 0.35, 0.5
"""Time of a repair: a share of the same, and seconds that even the smallest network takes."""
SAMPLE = 100
"""Select images that a forward pass is timed on, at most."""
FIRST = 16
"""Of them, those that it begins with: by how long they take, fewer are timed of a large network."""
PATIENCE = 2.0
"""Seconds that the timing may take: a page waits for it."""
ENOUGH = 10
"""Points after which a scan's own pace says more than a forward pass."""


def seconds_left(
    scan: Sensitivity, pass_seconds: Callable[[], float], *, repaired: bool = False, started: bool = False
) -> float:
    """How long the rest of a scan will take: at the pace of the points it has, else from one forward pass.

    `pass_seconds`: as `seconds_of_pass` gives it; asked only where it is needed. `repaired`: with repaired figures.
    `started`: a process is on its way.
    """
    seconds = 0.0 if started else START_SECONDS
    missing = scan.wanted - scan.measured
    if missing:
        seconds += missing * (scan.seconds / scan.measured if scan.measured >= ENOUGH else WORK * pass_seconds())
    return seconds + (repair_seconds_left(scan, pass_seconds) if repaired else 0.0)


def repair_seconds_left(scan: Sensitivity, pass_seconds: Callable[[], float]) -> float:
    """How long the repairs that are missing will take, likewise."""
    missing = scan.wanted - scan.repaired
    if not missing:
        return 0.0
    if scan.repaired >= ENOUGH:
        return missing * scan.repair_seconds / scan.repaired
    return missing * (REPAIR_WORK * pass_seconds() + REPAIR_LEAST)


def seconds_of_pass(subject: Subject, images: int) -> float:
    """Running the network over all images that a point needs: as cut, and what recalibration adds. Timed on a few."""
    first = min(FIRST, images)
    sample = min(SAMPLE, images, max(first, int(PATIENCE / _seconds_each(subject, first))))
    return _seconds_each(subject, sample) * (2 * images + IMAGES if has_batch_norm(subject.model) else images)


def _seconds_each(subject: Subject, images: int) -> float:
    """Of one image, where so many are looked at."""
    started = time.perf_counter()
    evaluate(subject.model, subject.data, "select", limit=images)
    return (time.perf_counter() - started) / images
