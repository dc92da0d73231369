"""The tiles of a joint cut: what is not known is said, and the gap is measured minus estimated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruning.planning.plan import LayerPlan, Plan, keeping_units
from pruning.render.markup.joint_tiles import joint_tiles
from pruning.render.preview import Savings
from pruning.sensitivity import Joint
from pruning.sensitivity.together import how_estimated, is_joint
from tests.scans import figure, made_up

SAVINGS = Savings(dense_params=1000, params=500, dense_nonzero=1000, nonzero=500, dense_macs=5000, macs=1250)


def cut(kept: int) -> Plan:
    row = LayerPlan(name="conv1", group="conv1", requested=0.5, achieved=1 - kept / 10, kept=kept, total=10)
    return keeping_units({"conv1": tuple(range(kept))}, (row,))


@pytest.fixture
def plan() -> Plan:
    return cut(5)


def test_before_it_is_measured_there_is_an_estimate_alone(plan: Plan) -> None:
    first, gap, size, macs = joint_tiles(made_up(), plan, SAVINGS, None, "as_cut", 0.01)
    assert first.title == "All cut at once, each to its limit of 1 point: accuracy as cut"
    estimate, measured = first.numbers
    assert (estimate.big, estimate.badge) == ("97.0 %", "estimated") and measured.small == "not measured yet"
    assert gap.numbers[0].dim
    assert (size.title, size.numbers[0].big, size.numbers[0].small) == ("Parameters", "÷ 2.00", "500 of 1.00 K")
    assert macs.numbers[0].big == "÷ 4.00"


def test_the_gap_is_measured_minus_estimated(plan: Plan) -> None:
    joint = Joint(kept=(("conv1", 5),), as_cut=figure(950), recalibrated=None)
    first, gap, *_ = joint_tiles(made_up(), plan, SAVINGS, joint, "as_cut", 0.02)
    assert first.numbers[1].big == "95.0 %" and first.numbers[1].badge == "measured"
    assert first.title.startswith("All cut at once, each to its limit of 2 points")
    assert gap.numbers[0].big == "−2.0 points" and gap.numbers[0].small.startswith("measured minus estimated · −")


def test_of_weights_the_macs_stay(plan: Plan) -> None:
    scan = made_up()
    weights = replace(scan, spec=scan.spec.replace(granularity="weight"))
    *_, size, macs = joint_tiles(weights, plan, SAVINGS, None, "as_cut", 0.01)
    assert size.title == "Non-zero parameters" and macs.numbers[0].big == "unchanged"


def test_one_target_is_no_joint_cut() -> None:
    assert not is_joint(cut(5)) and not is_joint(cut(10))
    assert "A gap below 0" in how_estimated(made_up().metric)
