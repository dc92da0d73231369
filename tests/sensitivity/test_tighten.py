"""The search for a limit at which all targets together lose little enough: toys whose answers are known by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruning.sensitivity import Curve, Figures, Joint, Point, Sensitivity, Trial, kept_within, tighten
from pruning.sensitivity.tighten import MOST, Tightened
from pruning.sensitivity.words import joint_words, tightened_words
from pruning.spec import PruneSpec
from pruning.tasks.classification import ACCURACY
from tests.scans import counted

IMAGES = 1000


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


def searched(scan: Sensitivity, lose: float, together: float, offset: int = 0) -> tuple[Tightened, Sensitivity, int]:
    """A search in which all targets lose `together` answers for each unit that goes. Also the scan with what was
    measured, and how often that was."""
    count = 0
    while (search := tighten(scan, "as_cut", lose)).next is not None:
        kept = kept_within(scan, "as_cut", search.next)
        lost = round(together * sum(10 - left for left in kept.values())) + offset
        joint = Joint(kept=tuple(kept.items()), not_repaired="a toy", **vars(seen(lost)))
        assert joint.kept not in [other.kept for other in scan.joints], "nothing is measured twice"
        scan, count = replace(scan, joints=(*scan.joints, joint)), count + 1
    return search, scan, count


def test_the_loosest_limit_is_found_whose_joint_cut_is_within() -> None:
    """Three targets; a unit of each costs six answers together. Nine answers may go: one unit each."""
    search, scan, count = searched(toy(), 0.009, together=2)
    assert search.found is not None and search.found.limit == pytest.approx(0.001)
    assert dict(search.found.joint.kept) == {"t0": 9, "t1": 9, "t2": 9}
    assert count == len(search.tried) <= 4, "nine steps: the loosest, and three to tell among eight"
    looser = kept_within(scan, "as_cut", 0.002)
    assert any(dict(trial.joint.kept) == looser for trial in search.tried), "the next one was seen to lose more"
    assert tighten(scan, "as_cut", 0.009) == search, "who asks again has it at once"


def test_where_the_limit_itself_is_kept_nothing_is_tightened() -> None:
    search, _, count = searched(toy(), 0.004, together=0.1)
    assert count == 1 and search.found == search.tried[0] and search.found.limit == 0.004


def test_where_even_the_tightest_limit_loses_more_it_is_said_and_was_measured() -> None:
    search, scan, _ = searched(toy(), 0.009, together=2, offset=50)
    assert search.failed and search.found is None
    tightest = min(search.tried, key=lambda trial: trial.limit)
    assert dict(tightest.joint.kept) == {"t0": 9, "t1": 9, "t2": 9}, "one unit each: less is nothing"
    text = tightened_words(scan, search)
    assert text.startswith("Even with the tightest limit, 0.1 points for each group, together they lose 5.6 points")
    assert text.endswith(
        "as cut ●: more than 0.9 points on these 1,000 select images. Allow more, or cut fewer of them."
    )


def test_a_search_ends_after_so_many_measurements_and_looks_at_the_tightest() -> None:
    base = toy(1)
    points = tuple(Point(sparsity=n / 1000, kept=1000 - n, achieved=n / 1000, **vars(seen(n))) for n in range(1, 900))
    scan = replace(base, curves=(replace(base.curves[0], units=1000, points=points),))
    search, _, count = searched(scan, 0.8, together=0, offset=900)
    assert search.failed and count == MOST and search.tried[-1].limit == pytest.approx(0.001)


def test_where_nothing_may_go_nothing_is_measured() -> None:
    search, scan, count = searched(toy(), 0.0005, together=2)
    assert count == 0 and search.failed
    assert tightened_words(scan, search).startswith("Nothing may go within a limit of 0.05 points")


def test_joint_cuts_are_judged_by_the_furthest_figure() -> None:
    """As cut it loses 50 answers, repaired one."""
    scan = toy()
    kept = kept_within(scan, "as_cut", 0.003)
    joint = Joint(kept=tuple(kept.items()), as_cut=seen(50).as_cut, recalibrated=None, repaired=seen(1).as_cut)
    search = tighten(replace(scan, joints=(joint,)), "as_cut", 0.003)
    assert search.found == Trial(limit=0.003, joint=joint) and search.is_over
    assert joint_words(joint) == "together they lose 0.1 points (0.1 to 0.1), repaired ●"
    old = replace(joint, repaired=None)
    assert tighten(replace(scan, joints=(old,)), "as_cut", 0.003).next == 0.003, "nobody has tried to repair it"


def test_an_interval_beyond_the_limit_is_said() -> None:
    scan = toy()
    kept = tuple(kept_within(scan, "as_cut", 0.003).items())
    for far, said in ((0.0, False), (0.01, True)):
        joint = Joint(kept=kept, not_repaired="a toy", **vars(seen(1, far=far)))
        found = replace(scan, joints=(joint,))
        text = tightened_words(found, tighten(found, "as_cut", 0.003))
        assert "at most 0.3 points on these 1,000 select images" in text
        assert ("the interval reaches further" in text) is said
