"""How long a scan will take: arithmetic on made-up paces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruning.sensitivity.duration import ENOUGH, REPAIR_LEAST, REPAIR_WORK, START_SECONDS, WORK, seconds_left
from tests.scans import made_up


def test_a_scan_goes_on_at_the_pace_of_its_points() -> None:
    scan = made_up()
    half = replace(scan, curves=(scan.curves[0], replace(scan.curves[0], name="b", points=scan.curves[0].points[:6])))
    missing = half.wanted - half.measured
    assert missing > 0 and half.measured >= ENOUGH
    assert seconds_left(half, lambda: 1 / 0) == pytest.approx(START_SECONDS + missing * half.seconds / half.measured)
    assert seconds_left(half, lambda: 1 / 0, started=True) == pytest.approx(missing * half.seconds / half.measured)


def test_before_there_are_points_a_forward_pass_must_do() -> None:
    scan = made_up()
    scan = replace(scan, curves=tuple(replace(curve, points=()) for curve in scan.curves))
    assert seconds_left(scan, lambda: 2.0) == pytest.approx(START_SECONDS + scan.wanted * WORK * 2.0)


def test_repairs_have_a_pace_of_their_own() -> None:
    scan = made_up()
    each = REPAIR_WORK * 2.0 + REPAIR_LEAST
    assert seconds_left(scan, lambda: 2.0, repaired=True) == pytest.approx(START_SECONDS + scan.wanted * each)
    curve = scan.curves[0]
    points = tuple(replace(point, repaired=point.as_cut) for point in curve.points)
    units = [replace(curve, name=name, points=points) for name in "ab"]
    half = replace(scan, curves=(*units, replace(curve, name="c")), repair_seconds=36.0)
    assert (half.repaired, half.wanted, half.has_repaired) == (18, 27, False)
    assert seconds_left(half, lambda: 1 / 0, repaired=True, started=True) == pytest.approx(9 * 36 / 18)
    whole = replace(half, curves=tuple(units))
    assert whole.has_repaired and whole.figures == ("as_cut", "repaired")
    assert seconds_left(whole, lambda: 1 / 0, repaired=True, started=True) == 0
