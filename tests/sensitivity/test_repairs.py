"""Repaired figures of a scan: measured with the engine, kept beside the others, and only where they are missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.cli.main import main
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.planning.plan import Plan, make_plan
from pruning.sensitivity import SPARSITIES, Limits, Sensitivity, cache, limits_plan, outline
from pruning.sensitivity.form import changes, replay
from pruning.sensitivity.repairs import repaired_figure, why_not_repaired
from pruning.sensitivity.together import Together, meter_of
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.whatif import Measured, WhatIf

IMAGES = 100


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and two sparsities instead of nine."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(SPARSITIES, "channel", (0.5, 0.8))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:lenet5")


@pytest.fixture(scope="module")
def data() -> Data:
    return open_data("mnist5k")


@pytest.fixture
def wanted(subject: Subject, data: Data) -> Sensitivity:
    return outline(subject.digest, subject.graph, data, PruneSpec(), images=IMAGES)


class Counting(WhatIf):
    """Remembers how often it was asked for what."""

    measured = 0
    refitted = 0

    def measure(self, plan: Plan, *, keep: bool = True, cancel: object = None) -> Measured:
        self.measured += 1
        return super().measure(plan, keep=keep)

    def follow_repaired(self, plan: Plan, *, cancel: object = None) -> Iterator[Measured]:
        self.refitted += 1
        return super().follow_repaired(plan)


def counting(subject: Subject) -> Counting:
    return Counting(subject.model, subject.graph, subject.data, images=IMAGES, precision="fp32")


def test_asking_for_repaired_later_measures_only_what_is_missing(subject: Subject, wanted: Sensitivity) -> None:
    plain = cache.measure(subject, wanted, lambda: counting(subject))
    assert plain.complete and plain.repaired == 0 and plain.figures == ("as_cut",) and plain.repair_seconds == 0
    again = counting(subject)
    told: list[int] = []
    found = cache.measure(
        subject, wanted, lambda: again, repaired=True, progress=lambda now, text: told.append(now.repaired)
    )
    assert found.has_repaired and found.figures == ("as_cut", "repaired") and found.furthest("repaired") == "repaired"
    assert again.refitted == found.measured == 6 and again.measured == 2, "dense, and dense again to hold against"
    assert told[-1] == 6 and found.repair_seconds > 0 and found.seconds == pytest.approx(plain.seconds, abs=5)
    bare = [replace(c, points=tuple(replace(p, repaired=None) for p in c.points)) for c in found.curves]
    assert tuple(bare) == plain.curves, "the other figures stay as they were"
    assert cache.read(wanted) == found, "and all of it is on disk"

    def nothing() -> WhatIf:
        pytest.fail("all of it is on disk")

    assert cache.measure(subject, wanted, nothing, repaired=True) == found
    assert cache.measure(subject, wanted, nothing) == found, "who asks for less has more"


def test_repaired_is_held_against_dense_and_wins_much_back(subject: Subject, wanted: Sensitivity) -> None:
    found = cache.measure(subject, wanted, lambda: counting(subject), repaired=True)
    worst = min((p for c in found.curves for p in c.points), key=lambda p: p.as_cut.value)
    assert worst.repaired is not None and worst.repaired.value > worst.as_cut.value
    assert found.start("repaired") == found.dense.as_cut if found.dense else False
    name = next(c.name for c in found.curves if worst in c.points)
    plan = make_plan(subject.model, subject.graph, PruneSpec(layers=((name, worst.sparsity),)))
    *_, last = counting(subject).follow_repaired(plan)
    assert last.repaired is not None and worst.repaired.value == max(last.repaired.value, worst.as_cut.value)
    dense = counting(subject).measure(make_plan(subject.model, subject.graph, PruneSpec())).as_cut
    assert dense is not None and worst.repaired.change == pytest.approx(worst.repaired.value - dense.value)
    assert all(p.repaired and p.repaired.value >= p.as_cut.value for c in found.curves for p in c.points)


def test_a_refit_that_does_worse_than_other_repairs_is_not_taken(data: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    meter = WhatIf(subject.model, subject.graph, data, images=IMAGES, precision="fp32")
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    dense = meter.measure(make_plan(subject.model, subject.graph, PruneSpec())).as_cut
    seen = meter.measure(plan)
    assert dense and seen.as_cut and seen.recalibrated

    class Poor:
        """Refits badly."""

        repairs, whole_because, figures, precision = True, None, meter.figures, meter.precision
        measure = meter.measure

        def follow_repaired(self, plan: Plan, *, cancel: object = None) -> Iterator[Measured]:
            yield Measured(as_cut=None, recalibrated=None, complete=True, repaired=seen.as_cut)

    from pruning.sensitivity.figures import Figures, figure

    known = Figures(as_cut=figure(seen.as_cut, dense), recalibrated=figure(seen.recalibrated, dense))
    assert seen.recalibrated.value > seen.as_cut.value
    taken = repaired_figure(Poor(), plan, dense, known)  # type: ignore[arg-type]
    assert taken == figure(seen.recalibrated, dense), "against dense as it is"
    *_, last = meter.follow_repaired(plan)
    assert last.repaired and last.repaired.value > seen.recalibrated.value
    assert repaired_figure(meter, plan, dense, known) == figure(last.repaired, dense)


def test_old_scans_are_read_and_their_joint_cuts_measured_anew(subject: Subject, wanted: Sensitivity) -> None:
    found = cache.measure(subject, wanted, lambda: counting(subject), together=lambda now: joint_plan(subject, now))
    assert found.joints[0].repaired is not None and found.joints[0].is_complete
    old = [strip(event) for event in changes(wanted, found)]
    again = replay(wanted, old)
    assert again.complete and not again.has_repaired and not again.joints[0].is_complete
    assert again.joints[0].furthest == "as_cut" and again == replace(
        found, joints=(replace(found.joints[0], repaired=None),)
    )


def strip(event: dict[str, object]) -> dict[str, object]:
    """An event as it was told before there were repaired figures."""
    return {name: value for name, value in event.items() if name not in ("repaired", "repair_seconds", "not_repaired")}


def joint_plan(subject: Subject, found: Sensitivity) -> Plan:
    return limits_plan(subject.model, subject.graph, found, Limits(figure="as_cut", lose=0.05))


def test_a_network_that_cannot_be_refitted_says_why(subject: Subject, wanted: Sensitivity) -> None:
    assert why_not_repaired(subject.model, subject.graph) is None
    meter = counting(subject)
    meter._network, meter.whole_because = object(), "it branches"  # type: ignore[assignment]
    with pytest.raises(InputError, match="cannot be repaired point by point, since it branches"):
        cache.measure(subject, wanted, lambda: meter, repaired=True)


def test_a_search_keeps_each_joint_cut_and_goes_on_after_a_cancel(subject: Subject, wanted: Sensitivity) -> None:
    from pruning.base.errors import Cancelled

    found = cache.measure(subject, wanted, lambda: counting(subject))
    tool = Together(subject, found, meter_of(subject, found))
    stops = iter((False, True))
    with pytest.raises(Cancelled):
        tool.tighten("as_cut", 0.0, cancel=lambda: next(stops, True))
    search = Together(subject, found).tighten("as_cut", 0.3)
    assert search.is_over and len(search.tried) >= 1
    kept = cache.read(wanted).joints
    assert {trial.joint for trial in search.tried} <= set(kept), "whoever comes next has them"


def test_the_command_repairs_and_tightens(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sensitivity", "sample:lenet5", "--images", "100", "--lose", "20", "--repaired", "--tighten", "2"]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["joint"]["figure"] == "repaired" and result["joint"]["repaired"] == result["joint"]["measured"]
    assert all(point["repaired"]["images"] == 100 for curve in result["curves"] for point in curve["points"])
    tightened = result["tightened"]
    assert (tightened["lose"], tightened["figure"]) == (0.02, "repaired") and tightened["tried"]
    assert -tightened["joint"]["repaired"]["change"] <= 0.02 + 1e-9 and tightened["limit"] <= 0.02
    assert 0 < tightened["share"] <= 1 and tightened["figure"] in ("repaired", "as_cut")
    assert {name: tightened[name] for name in ("figure", "limit", "share", "joint")} in tightened["tried"]
    assert main(command) == 0
    out = capsys.readouterr()
    assert out.err == "" and "tightened" in out.out and "together they" in out.out, "all of it was on disk"
    assert main([*command[:-1], "-1"]) == 2
    assert "--tighten is a number of points of accuracy from 0 to 100" in capsys.readouterr().err


@pytest.mark.parametrize("repaired", [False, True])
def test_the_job_is_asked_for_repaired_figures(
    subject: Subject, wanted: Sensitivity, monkeypatch: pytest.MonkeyPatch, repaired: bool
) -> None:
    from pruning.sensitivity import start as job

    launched: list[list[str]] = []
    monkeypatch.setattr(job.LocalExecutor, "submit", lambda self, arguments, to, **how: launched.append(arguments))
    job.start(subject, wanted, lose=1.0, repaired=repaired)
    assert ("--repaired" in launched[0]) is repaired


@pytest.mark.slow
def test_weights_are_repaired_as_well(subject: Subject, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPARSITIES, "weight", (0.98,))
    spec = PruneSpec(granularity="weight")
    asked = outline(subject.digest, subject.graph, data, spec, images=IMAGES)
    found = cache.measure(subject, asked, lambda: counting(subject), repaired=True)
    points = [point for curve in found.curves for point in curve.points]
    assert found.has_repaired and all(point.repaired.value >= point.as_cut.value for point in points)  # type: ignore[union-attr]
    assert any(point.repaired.value > point.as_cut.value for point in points)  # type: ignore[union-attr]
