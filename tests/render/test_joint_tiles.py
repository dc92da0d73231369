"""The tiles of a joint cut: what is not known is said, and the gap is measured minus estimated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruning.planning.plan import LayerPlan, Plan, keeping_units
from pruning.render.markup.joint_tiles import joint_tiles
from pruning.render.preview import Savings
from pruning.sensitivity import Joint, Limits
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
    first, gap, size, macs = joint_tiles(made_up(), plan, SAVINGS, None, Limits(figure="as_cut", lose=0.01))
    assert first.title == "All cut at once, each to its limit of 1 point: accuracy"
    estimate, measured = first.numbers
    assert (estimate.big, estimate.badge) == ("97.0 %", "estimated") and measured.small == "not measured yet"
    assert gap.numbers[0].dim
    assert (size.title, size.numbers[0].big, size.numbers[0].small) == ("Parameters", "÷ 2.00", "500 of 1.00 K")
    assert macs.numbers[0].big == "÷ 4.00"


def test_a_share_of_a_limit_is_said(plan: Plan) -> None:
    part = Limits(figure="as_cut", lose=0.005, share=0.4)
    first, *_ = joint_tiles(made_up(), plan, SAVINGS, None, part)
    assert first.title == "All cut at once, each by 40 % of what its limit of 0.5 points lets go: accuracy"


def test_the_gap_is_measured_minus_estimated(plan: Plan) -> None:
    joint = Joint(kept=(("conv1", 5),), as_cut=figure(950), recalibrated=None)
    first, gap, *_ = joint_tiles(made_up(), plan, SAVINGS, joint, Limits(figure="as_cut", lose=0.02))
    assert first.numbers[1].big == "95.0 %" and first.numbers[1].badge == "measured"
    assert first.title.startswith("All cut at once, each to its limit of 2 points")
    assert gap.numbers[0].big == "−2.0 points"
    assert gap.numbers[0].small.startswith("measured minus estimated, as cut · −")


def test_every_figure_that_was_measured_stands_there_and_the_furthest_is_the_one_to_look_at(plan: Plan) -> None:
    three = Joint(kept=(("conv1", 5),), as_cut=figure(400), recalibrated=figure(600), repaired=figure(950))
    first, *_ = joint_tiles(made_up(), plan, SAVINGS, three, Limits(figure="as_cut", lose=0.02))
    _, *measured = first.numbers
    assert [number.big for number in measured] == ["40.0 %", "60.0 %", "95.0 %"]
    assert [number.small.split(" · ")[0] for number in measured] == ["as cut", "recalibrated", "repaired"]
    assert [number.dim for number in measured] == [True, True, False] and {n.badge for n in measured} == {"measured"}
    old = replace(three, repaired=None)
    *_, again, repaired = joint_tiles(made_up(), plan, SAVINGS, old, Limits(figure="as_cut", lose=0.02))[0].numbers
    assert not again.dim and (repaired.big, repaired.small) == ("–", "repaired: not measured yet")
    never = replace(old, recalibrated=None, not_repaired="it branches")
    *_, cut, repaired = joint_tiles(made_up(), plan, SAVINGS, never, Limits(figure="as_cut", lose=0.02))[0].numbers
    assert not cut.dim and repaired.small == "repaired: not possible: it branches"


def test_of_weights_the_macs_stay(plan: Plan) -> None:
    scan = made_up()
    weights = replace(scan, spec=scan.spec.replace(granularity="weight"))
    *_, size, macs = joint_tiles(weights, plan, SAVINGS, None, Limits(figure="as_cut", lose=0.01))
    assert size.title == "Non-zero parameters" and macs.numbers[0].big == "unchanged"


def test_one_target_is_no_joint_cut() -> None:
    assert not is_joint(cut(5)) and not is_joint(cut(10))
    assert "A gap below 0" in how_estimated(made_up().metric)
