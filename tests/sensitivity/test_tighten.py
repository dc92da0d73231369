"""The search for limits with which all targets together lose little enough: toys whose answers are known by hand, and
scans of which every cut that a search may name is tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from pruning.sensitivity import Curve, Figures, Joint, Limits, Point, Sensitivity, Trial, kept_within, tighten
from pruning.sensitivity.figures import FigureName
from pruning.sensitivity.ladder import FINE, by_limit, by_share, saving_of
from pruning.sensitivity.tighten import MOST, Tightened
from pruning.sensitivity.words import joint_words, limits_words, tightened_words, verdict_words
from pruning.spec import PruneSpec
from pruning.tasks.classification import ACCURACY
from tests.scans import counted

IMAGES = 1000
Loss = Callable[[Mapping[str, int]], int]
"""From what stays of each target to the answers of a thousand that are lost."""


def at(limit: float, share: float = 1.0, figure: FigureName = "as_cut") -> Limits:
    return Limits(figure=figure, lose=limit, share=share)


def seen(lost: int, *, far: float = 0.0) -> Figures:
    """So many of 1,000 answers fewer than dense has right; `far`: how far the interval of the change reaches."""
    change = -lost / IMAGES
    return Figures(as_cut=counted(900 - lost, IMAGES, -lost, change - far, change + far), recalibrated=None)


def toy(targets: int = 3, points: int = 9) -> Sensitivity:
    """Each target of ten units loses one answer of a thousand more for each unit that goes."""
    curve = Curve(
        name="", layers=(), units=10, params=1, macs=1, locked=None,
        points=tuple(
            Point(sparsity=n / 10, kept=10 - n, achieved=n / 10, **vars(seen(n))) for n in range(1, points + 1)
        ),
    )  # fmt: skip
    curves = tuple(replace(curve, name=f"t{n}", layers=(f"t{n}",)) for n in range(targets))
    locked = replace(curve, name="last", locked="it must stay", points=())
    return Sensitivity(
        model_digest="m", graph_digest="g", data="d", data_digest="x", classes=10, metric=ACCURACY, guess=0.1,
        spec=PruneSpec(), images=IMAGES, curves=(*curves, locked), precision="fp32", dense=seen(0),
    )  # fmt: skip


def units_gone(kept: Mapping[str, int]) -> int:
    return sum(10 - left for left in kept.values())


def searched(scan: Sensitivity, lose: float, loss: Loss, most: int = MOST) -> tuple[Tightened, Sensitivity, int]:
    """A search in which a joint cut loses so many answers. Also the scan with what was measured, and how often that
    was."""
    count = 0
    while (search := tighten(scan, "as_cut", lose, most)).next is not None:
        kept = kept_within(scan, search.next)
        joint = Joint(kept=tuple(kept.items()), not_repaired="a toy", **vars(seen(loss(kept))))
        assert joint.kept not in [other.kept for other in scan.joints], "nothing is measured twice"
        scan, count = replace(scan, joints=(*scan.joints, joint)), count + 1
    return search, scan, count


def test_the_loosest_limit_is_found_whose_joint_cut_is_within() -> None:
    """Three targets; a unit of each costs six answers together. Nine answers may go: one unit each."""
    search, scan, count = searched(toy(), 0.009, lambda kept: 2 * units_gone(kept))
    assert search.found is not None and search.found.limits == at(0.009, 0.16), "1 of 9, rounded"
    assert dict(search.found.joint.kept) == {"t0": 9, "t1": 9, "t2": 9}
    assert count == len(search.tried) <= 5, "the loosest of nine, three to tell among eight, and one miss forgiven"
    looser = kept_within(scan, at(0.002))
    assert any(dict(trial.joint.kept) == looser for trial in search.tried), "the next one was seen to lose more"
    assert tighten(scan, "as_cut", 0.009) == search, "who asks again has it at once"


def test_where_the_limit_itself_is_kept_nothing_is_tightened() -> None:
    search, _, count = searched(toy(), 0.004, lambda kept: round(0.1 * units_gone(kept)))
    assert count == 1 and search.found == search.tried[0] and search.found.limits == at(0.004)


def harmless(units: int = 20, targets: int = 3) -> Sensitivity:
    """Curves on which half of each target seems to cost nothing, and more costs much."""
    curve = Curve(
        name="", layers=(), units=units, params=1, macs=1, locked=None,
        points=tuple(
            Point(sparsity=n / 10, kept=units - units * n // 10, achieved=n / 10, **vars(seen(0 if n <= 5 else 200)))
            for n in range(1, 10)
        ),
    )  # fmt: skip
    curves = tuple(replace(curve, name=f"t{n}", layers=(f"t{n}",)) for n in range(targets))
    return replace(toy(), curves=curves)


def test_where_each_limit_lets_too_much_go_a_share_is_found() -> None:
    """Of 30 units that every limit lets go, each loses an answer, and seven may be lost: two each."""
    search, scan, count = searched(harmless(), 0.007, lambda kept: sum(20 - left for left in kept.values()))
    assert search.found is not None and dict(search.found.joint.kept) == {"t0": 18, "t1": 18, "t2": 18}
    assert search.found.limits == at(0.007, 0.24), "2 of 10, rounded"
    assert count <= MOST and dict(kept_within(scan, at(0.0))) == {"t0": 10, "t1": 10, "t2": 10}
    said = "24 % of what a limit of 0.7 points lets go of each group"
    assert limits_words(scan, search.found.limits) == said
    assert f"With {said}, together they lose 0.6 points" in tightened_words(scan, search)


def test_where_even_the_least_loses_more_it_is_said_and_was_measured() -> None:
    search, scan, count = searched(toy(), 0.009, lambda kept: 2 * units_gone(kept) + 50)
    assert search.failed and search.found is None and count <= MOST
    assert {"t0": 9, "t1": 9, "t2": 9} in [dict(trial.joint.kept) for trial in search.tried], "one each: less is none"
    text = tightened_words(scan, search)
    assert text.startswith(
        "Nothing can go. Even with the least that was tried, 16 % of what a limit of 0.9 points lets go of each group, "
    )
    assert text.endswith(
        "together they lose 5.6 points (5.6 to 5.6), as cut ●: more than 0.9 points on these 1,000 select images. "
        "Allow more, or cut fewer of them."
    )


def test_a_search_ends_after_so_many_measurements_with_the_least_among_them() -> None:
    base = toy(1)
    points = tuple(Point(sparsity=n / 1000, kept=1000 - n, achieved=n / 1000, **vars(seen(n))) for n in range(1, 900))
    scan = replace(base, curves=(replace(base.curves[0], units=1000, points=points),))
    search, _, count = searched(scan, 0.8, lambda kept: 900)
    assert search.failed and count <= MOST
    assert dict(min(search.tried, key=lambda trial: trial.limits.lose).joint.kept) == {"t0": 999}
    assert searched(scan, 0.8, lambda kept: 900, most=3)[2] == 3


def test_where_nothing_may_go_nothing_is_measured() -> None:
    search, scan, count = searched(toy(), 0.0005, lambda kept: 2 * units_gone(kept))
    assert count == 0 and search.failed
    assert tightened_words(scan, search).startswith("Nothing may go within a limit of 0.05 points")


def drawn(seed: int, figures: int) -> Sensitivity:
    """Targets of many sizes, with curves that bend where chance will have it, and that few images blur."""
    draw = random.Random(seed)
    curves = []
    for n in range(draw.randint(2, 9)):
        units, bend, steep = draw.randint(4, 64), draw.choice((1, 2, 4)), draw.choice((5, 30, 200))

        def figure(share: float, bend: int = bend, steep: int = steep) -> Figures:
            return seen(round(steep * share**bend + draw.gauss(0, 5)), far=0.01)

        points = tuple(
            Point(
                sparsity=tenth / 10, kept=units - units * tenth // 10, achieved=units * tenth // 10 / units,
                as_cut=figure(tenth / 10).as_cut, recalibrated=figure(tenth / 10).as_cut if figures > 1 else None,
                repaired=figure(tenth / 10).as_cut if figures > 2 else None,
            )
            for tenth in range(1, 10)
        )  # fmt: skip
        curves.append(
            Curve(name=f"t{n}", layers=(f"t{n}",), units=units, params=1, macs=draw.randint(1, 9), locked=None,
                  points=points)
        )  # fmt: skip
    dense = replace(seen(0), recalibrated=seen(0).as_cut if figures > 1 else None)
    return replace(toy(), curves=tuple(curves), dense=dense)


def joint_loss(scan: Sensitivity, seed: int) -> Loss:
    """Each share that goes does its harm, more the more goes, and all of it adds up."""
    draw = random.Random(seed)
    harms = {curve.name: (draw.choice((1, 2, 3)), draw.randint(2, 60)) for curve in scan.curves}
    units = {curve.name: curve.units for curve in scan.curves}
    return lambda kept: round(
        sum(harm * (1 - left / units[name]) ** bend for name, left in kept.items() for bend, harm in (harms[name],))
    )


@pytest.mark.parametrize("seed", range(30))
def test_no_rung_within_saves_more_than_what_is_found(seed: int) -> None:
    """Held against every limit and every share of it that a search may name."""
    scan, lose = drawn(seed, figures=1 + seed % 3), 0.01
    loss = joint_loss(scan, seed)
    search, _, _ = searched(scan, lose, loss, most=1000)
    rungs = [
        limits
        for figure in scan.figures
        for ladder in (by_limit(scan, figure, lose), by_share(scan, figure, lose))
        for limits in ladder.rungs
    ]
    cuts = [kept_within(scan, limits) for limits in rungs]
    best = max((saving_of(scan, kept) for kept in cuts if loss(kept) <= 10), default=0.0)
    if search.found is None:
        assert best == 0.0
        return
    kept = dict(search.found.joint.kept)
    assert loss(kept) <= 10 and kept == kept_within(scan, search.found.limits)
    assert best - FINE - 1e-9 <= saving_of(scan, kept) <= best + 1e-9
    short, _, count = searched(scan, lose, loss)
    assert count <= MOST and short.found is not None
    assert saving_of(scan, dict(short.found.joint.kept)) >= 0.8 * saving_of(scan, kept), "so few tell it nearly as well"


def test_what_is_saved_is_weighed_by_what_it_costs() -> None:
    scan = toy(2)
    scan = replace(scan, curves=(replace(scan.curves[0], macs=3), *scan.curves[1:]))
    assert saving_of(scan, {"t0": 5, "t1": 10}) == pytest.approx(3 / 4 * 0.5)
    assert saving_of(scan, {"t0": 10, "t1": 5}) == pytest.approx(1 / 4 * 0.5)
    weights = replace(scan, spec=PruneSpec(granularity="weight"))
    assert saving_of(weights, {"t0": 5, "t1": 10}) == pytest.approx(0.25), "zeros are still multiplied"


def test_joint_cuts_are_judged_by_the_furthest_figure() -> None:
    """As cut it loses 50 answers, repaired one."""
    scan = toy()
    kept = kept_within(scan, at(0.003))
    joint = Joint(kept=tuple(kept.items()), as_cut=seen(50).as_cut, recalibrated=None, repaired=seen(1).as_cut)
    search = tighten(replace(scan, joints=(joint,)), "as_cut", 0.003)
    assert search.found == Trial(limits=at(0.003), joint=joint) and search.is_over
    assert joint_words(joint) == "together they lose 0.1 points (0.1 to 0.1), repaired ●"
    old = replace(joint, repaired=None)
    assert tighten(replace(scan, joints=(old,)), "as_cut", 0.003).next == at(0.003), "nobody has tried to repair it"


def test_an_interval_beyond_the_limit_is_said() -> None:
    scan = toy()
    kept = tuple(kept_within(scan, at(0.003)).items())
    for far, said in ((0.0, False), (0.01, True)):
        joint = Joint(kept=kept, not_repaired="a toy", **vars(seen(1, far=far)))
        found = replace(scan, joints=(joint,))
        text = tightened_words(found, tighten(found, "as_cut", 0.003))
        assert "at most 0.3 points on these 1,000 select images" in text
        assert ("the interval reaches further" in text) is said


def test_where_there_are_several_curves_it_is_said_by_which() -> None:
    scan = drawn(2, figures=3)
    joint = Joint(kept=tuple(kept_within(scan, at(0.01)).items()), not_repaired="a toy", **vars(seen(1)))
    said = {figure: verdict_words(scan, joint, at(0.01, figure=figure), 0.01) for figure in scan.figures}
    assert said["repaired"].startswith("With a limit of 1 point for each group, by its repaired curve, together they")
    assert said["as_cut"].startswith("With a limit of 1 point for each group, by its curve as cut, together they")


def test_one_miss_where_another_ladder_begins_is_forgiven() -> None:
    """Shares lose much from the start; tighter limits lose little, but for one cut that few images misjudge."""
    scan = toy()
    scan = replace(scan, curves=(replace(scan.curves[0], points=scan.curves[0].points[-1:]), *scan.curves[1:]))

    def loss(kept: Mapping[str, int]) -> int:
        others = 20 - kept["t1"] - kept["t2"]
        return 50 if kept["t0"] < 10 or others == 2 else others // 2

    search, _, count = searched(scan, 0.009, loss)
    assert search.found is not None and count <= MOST
    assert search.found.limits.share == 1 and dict(search.found.joint.kept) == {"t0": 10, "t1": 2, "t2": 2}
