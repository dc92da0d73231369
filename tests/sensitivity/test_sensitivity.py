"""Sensitivity: single cuts equal those of `make_plan`, curves are measured, kept, resumed, and foretell joint cuts."""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pruning.base.clone import clone
from pruning.base.errors import Cancelled, InputError
from pruning.cli.main import main
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.granularity import Granularity
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import pruned_model
from pruning.render.preview import target_macs
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.sensitivity import (
    SPARSITIES,
    Curve,
    Figure,
    Figures,
    Joint,
    Limits,
    Meter,
    Point,
    Sensitivity,
    cache,
    interaction_gap,
    kept_of,
    largest_within,
    limits_plan,
    measure_joint,
    outline,
    predict_joint,
    scan,
)
from pruning.sensitivity.form import changes, replay
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.tasks.classification import ACCURACY
from pruning.tasks.shares import paired_difference
from pruning.training.evaluate import Evaluation, evaluate
from pruning.whatif import Measured, Precision, WhatIf
from tests.scans import counted

IMAGES = 100


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def lenet() -> Subject:
    return open_subject("sample:lenet5")


@pytest.fixture(scope="module")
def resnet() -> Subject:
    return open_subject("sample:mini_resnet")


@pytest.fixture(scope="module")
def data() -> Data:
    return open_data("mnist5k")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three sparsities instead of nine."""
    monkeypatch.setitem(SPARSITIES, "channel", (0.5, 0.2, 0.8))
    return


class PlainMeter:
    """Measures each plan on the real pruned model, in float32; remembers what it was asked."""

    precision = Precision(name="fp32", agreement=None, images=0)
    repairs = False
    whole_because: str | None = "it is a meter that repairs nothing"

    def __init__(self, subject: Subject, data: Data, images: int = IMAGES) -> None:
        self.subject, self.data, self.images = subject, data, images
        self.figures = ("as_cut", "recalibrated") if has_batch_norm(subject.model) else ("as_cut",)
        self.asked: list[tuple[Plan, bool]] = []

    def follow_repaired(self, plan: Plan, *, cancel: object = None) -> Iterator[Measured]:
        raise InputError("This meter repairs nothing.")

    def measure(self, plan: Plan, *, keep: bool = True, cancel: object = None) -> Measured:
        self.asked.append((plan, keep))
        model = pruned_model(self.subject.model, self.subject.graph, plan)
        as_cut = evaluate(model, self.data, "select", limit=self.images)
        again = None
        if len(self.figures) == 2 and not plan.removes_nothing:
            recalibrate(model, self.data)
            again = evaluate(model, self.data, "select", limit=self.images)
        return Measured(as_cut=as_cut, recalibrated=again, complete=True)


class BlankMeter(PlainMeter):
    """Measures nothing: every answer is right."""

    def measure(self, plan: Plan, *, keep: bool = True, cancel: object = None) -> Measured:
        self.asked.append((plan, keep))
        right = Evaluation(metric=ACCURACY, role="select", scores=torch.ones(self.images, dtype=torch.bool), loss=0.0)
        again = right if len(self.figures) == 2 and not plan.removes_nothing else None
        return Measured(as_cut=right, recalibrated=again, complete=True)


def start(subject: Subject, data: Data, granularity: Granularity = "channel", **ranks: Any) -> Sensitivity:
    spec = PruneSpec(granularity=granularity, **ranks)
    return outline(subject.digest, subject.graph, data, spec, images=IMAGES)


def scanned(subject: Subject, data: Data, meter: Meter, begin: Sensitivity) -> list[Sensitivity]:
    return list(scan(subject.model, subject.graph, data, meter, begin))


@pytest.mark.parametrize("granularity", ["channel", "weight"])
@pytest.mark.parametrize("criterion", ["l2", "random"])
def test_single_cuts_equal_those_of_make_plan(lenet: Subject, data: Data, granularity: str, criterion: str) -> None:
    meter = BlankMeter(lenet, data)
    scanned(lenet, data, meter, start(lenet, data, granularity, criterion=criterion, seed=3))
    (dense, kept), *rest = meter.asked
    assert dense.removes_nothing and kept
    assert rest and not any(kept for _, kept in rest), "what the engine keeps stays that of the dense network"
    for plan, _ in rest:
        (row,) = {(row.group or row.name, row.requested) for row in plan.layers if row.kept < row.total}
        wanted = make_plan(
            lenet.model,
            lenet.graph,
            PruneSpec(granularity=granularity, criterion=criterion, layers=(row,), seed=3),
        )
        assert plan.kept == wanted.kept
        assert plan.masks.keys() == wanted.masks.keys()
        assert all(torch.equal(plan.masks[name], wanted.masks[name]) for name in wanted.masks)
        assert [replace(row, note=None) for row in wanted.layers] == list(plan.layers)


def test_every_curve_takes_shape_early(resnet: Subject, data: Data) -> None:
    meter = BlankMeter(resnet, data)
    steps = scanned(resnet, data, meter, start(resnet, data))
    last = steps[-1]
    free = [curve for curve in last.curves if curve.locked is None]
    assert last.complete and last.measured == last.wanted == 9 * len(free)
    assert all([point.sparsity for point in curve.points] == [n / 10 for n in range(1, 10)] for curve in free)
    assert {curve.name for curve in last.curves if curve.locked} == {"fc"}
    assert last.curve("fc").points == () and "outputs" in (last.curve("fc").locked or "")
    early = steps[len(free)]
    assert all([point.sparsity for point in curve.points] == [0.5] for curve in early.curves if curve.locked is None)
    assert len(steps) == 1 + last.wanted, "each step is told at once"


def test_points_are_measured_on_the_pruned_model(resnet: Subject, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPARSITIES, "channel", (0.8,))
    last = scanned(resnet, data, PlainMeter(resnet, data), start(resnet, data))[-1]
    model = pruned_model(
        resnet.model, resnet.graph, make_plan(resnet.model, resnet.graph, PruneSpec(layers=(("layer2.0.conv1", 0.8),)))
    )
    again = clone(resnet.model)
    recalibrate(again, data)
    (point,) = last.curve("layer2.0.conv1").points
    assert (point.kept, point.achieved) == (4, 0.8)
    assert last.dense is not None and last.dense.recalibrated is not None and point.recalibrated is not None
    for one, dense, found, start_at in (
        (model, resnet.model, point.as_cut, last.dense.as_cut),
        (None, again, point.recalibrated, last.dense.recalibrated),
    ):
        if one is None:
            recalibrate(model, data)
        before, after = (evaluate(net, data, "select", limit=IMAGES).scores for net in (dense, model))
        wanted = paired_difference(before, after)
        assert (start_at.correct, found.correct) == (int(before.sum()), int(after.sum()))
        assert found.change == pytest.approx(wanted.value) and wanted.value < 0
        assert (found.change_low, found.change_high) == wanted.interval
        assert (found.newly_wrong, found.newly_right) == (wanted.newly_wrong, wanted.newly_right)


def test_equal_widths_are_measured_once(resnet: Subject, data: Data) -> None:
    """8 units: 10 % removes none of them, 50 % and 60 % equally many."""
    meter = BlankMeter(resnet, data)
    last = scanned(resnet, data, meter, start(resnet, data))[-1]
    small = last.curve("layer3.0.conv2/own")
    assert [point.kept for point in small.points] == [8, 7, 6, 5, 4, 4, 3, 2, 1]
    assert last.dense is not None and small.points[0].as_cut == last.dense.as_cut
    widths = sum(len({p.kept for p in curve.points} - {curve.units}) for curve in last.curves)
    assert len(meter.asked) == 1 + widths < 1 + last.wanted


def test_weights_go_on_to_99_percent(lenet: Subject, data: Data) -> None:
    last = scanned(lenet, data, BlankMeter(lenet, data), start(lenet, data, "weight"))[-1]
    assert [point.sparsity for point in last.curves[0].points] == sorted(SPARSITIES["weight"])
    assert sorted(SPARSITIES["weight"])[-4:] == [0.9, 0.95, 0.98, 0.99]
    assert last.complete and not last.has_recalibrated and last.curves[0].points[0].recalibrated is None
    first = last.curves[0]
    assert (first.name, first.layers, first.units, first.params) == ("conv1.weight", ("conv1",), 500, 500)
    assert first.points[-1].kept == 5


def test_costs_beside_curves_equal_hand_counts(lenet: Subject, data: Data) -> None:
    found = start(lenet, data)
    macs = target_macs(lenet.graph, "channel", lenet.graph.shapes)
    assert {curve.name: curve.macs for curve in found.curves if not curve.locked} == macs
    params = {"conv1": 20 * 25 + 20, "conv2": 50 * 20 * 25 + 50, "fc1": 500 * 800 + 500, "fc2": 10 * 500 + 10}
    assert {curve.name: curve.params for curve in found.curves} == {
        "conv1": params["conv1"] + params["conv2"],
        "conv2": params["conv2"] + params["fc1"],
        "fc1": params["fc1"] + params["fc2"],
        "fc2": params["fc2"],
    }


def test_the_engine_agrees_with_the_real_models(resnet: Subject, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPARSITIES, "channel", (0.5,))
    begin = start(resnet, data)
    plain = scanned(resnet, data, PlainMeter(resnet, data), begin)[-1]
    meter = WhatIf(resnet.model, resnet.graph, data, images=IMAGES, precision="fp32")
    ours = scanned(resnet, data, meter, begin)[-1]
    for one, other in zip(plain.curves, ours.curves, strict=True):
        for mine, theirs in zip(one.points, other.points, strict=True):
            for name in ("as_cut", "recalibrated"):
                assert abs(mine.figure(name).correct - theirs.figure(name).correct) <= 2, (one.name, mine.sparsity)


def made_up(accuracies: list[float], dense: float = 0.9, images: int = 1000, units: int = 10) -> Sensitivity:
    """Two equal curves of 10 units with these accuracies at 10 %, 20 %, …; 10 classes."""

    def seen(accuracy: float) -> Figure:
        lost = round((dense - accuracy) * images)
        low, high = accuracy - dense - 0.01, accuracy - dense + 0.01
        return counted(round(accuracy * images), images, -lost, low, high)

    points = tuple(
        Point(sparsity=n / 10, kept=units - n, achieved=n / 10, as_cut=seen(accuracy), recalibrated=None)
        for n, accuracy in enumerate(accuracies, 1)
    )
    curves = tuple(
        Curve(name=name, layers=(name,), units=units, params=1, macs=1, locked=None, points=points) for name in "ab"
    )
    return Sensitivity(
        model_digest="m", graph_digest="g", data="d", data_digest="x", classes=10, metric=ACCURACY, guess=0.1,
        spec=PruneSpec(),
        images=images, curves=curves, precision="fp32", dense=Figures(as_cut=seen(dense), recalibrated=None),
    )  # fmt: skip


def test_the_largest_sparsity_within_a_limit_stands_before_what_surely_loses_more() -> None:
    """Dense has 0.9; intervals reach 0.01 to either side."""
    curve = made_up([0.895, 0.88, 0.895, 0.5, 0.9]).curves[0]
    for lose, sparsity in ((0.004, None), (0.005, 0.1), (0.012, 0.3), (0.02, 0.3), (0.3, 0.3), (0.5, 0.5)):
        best = largest_within(curve, "as_cut", lose)
        assert (best.sparsity if best else None) == sparsity, lose


def test_a_joint_cut_is_foretold_as_the_product_of_what_is_left() -> None:
    found = made_up([0.8, 0.5])
    assert predict_joint(found, {}).value == pytest.approx(0.9)
    alone = predict_joint(found, {"a": 0.1, "b": 0.0})
    assert alone.value == pytest.approx(0.8), "a single cut is what its curve says"
    assert (alone.low, alone.high) == (pytest.approx(0.79), pytest.approx(0.81))
    both = predict_joint(found, {"a": 0.1, "b": 0.2})
    assert both.value == pytest.approx(0.1 + 0.8 * (0.7 / 0.8) * (0.4 / 0.8)), "by hand: above chance, 0.1"
    spread = math.hypot(math.log(0.7 / 0.69), math.log(0.4 / 0.39))
    assert both.low == pytest.approx(0.1 + 0.35 * math.exp(-spread))
    between = predict_joint(found, {"a": 0.15})
    assert between.value == pytest.approx(0.65)
    with pytest.raises(InputError, match="only up to 20"):
        predict_joint(found, {"a": 0.3})
    with pytest.raises(InputError, match="no curve for 'c'"):
        predict_joint(found, {"c": 0.1})
    with pytest.raises(InputError, match="measure sensitivity first"):
        predict_joint(replace(found, dense=None), {"a": 0.1})


def test_below_chance_nothing_is_left_to_lose() -> None:
    found = made_up([0.05])
    both = predict_joint(found, {"a": 0.1, "b": 0.1})
    assert both.value == pytest.approx(0.1) and both.low <= both.value <= both.high


def test_interaction_gap_is_measured_minus_foretold() -> None:
    found = made_up([0.8, 0.5])
    prediction = predict_joint(found, {"a": 0.1, "b": 0.1})
    measured = made_up([0.6]).curves[0].points[0].as_cut
    gap = interaction_gap(prediction, measured)
    assert gap.gap == pytest.approx(0.6 - (0.1 + 0.7 * 0.7 / 0.8))
    assert gap.low < gap.gap < gap.high < 0


def test_the_cut_at_all_limits_is_planned_and_measured(lenet: Subject, data: Data) -> None:
    meter = PlainMeter(lenet, data)
    found = scanned(lenet, data, meter, start(lenet, data))[-1]
    plan = limits_plan(lenet.model, lenet.graph, found, Limits(figure="as_cut", lose=0.02))
    best = {c.name: largest_within(c, "as_cut", 0.02) for c in found.curves if c.locked is None}
    assert dict(kept_of(plan)) == {name: point.kept for name, point in best.items() if point}
    assert plan.shares == pytest.approx({name: point.achieved for name, point in best.items() if point})
    joint = measure_joint(lenet.model, lenet.graph, data, meter, plan, found)
    assert joint.as_cut.correct == int(
        evaluate(pruned_model(lenet.model, lenet.graph, plan), data, "select", limit=IMAGES).scores.sum()
    )


def test_a_scan_stops_when_told_and_goes_on_where_it_stopped(lenet: Subject, data: Data) -> None:
    begin = start(lenet, data)
    meter = PlainMeter(lenet, data)
    with pytest.raises(Cancelled):
        cache.measure(lenet, begin, lambda: meter, cancel=lambda: len(meter.asked) >= 8)
    half = cache.read(begin)
    assert 0 < half.measured < half.wanted and half.seconds > 0
    assert state(begin) == "cancelled"
    again = PlainMeter(lenet, data)
    told: list[int] = []
    whole = cache.measure(lenet, begin, lambda: again, progress=lambda found, text: told.append(found.measured))
    assert whole.complete and cache.read(begin) == whole
    assert len(again.asked) == 1 + whole.wanted - half.measured, "dense, and what was missing"
    assert told[-1] == whole.wanted and state(begin) == "done"


def test_a_joint_cut_is_measured_before_the_scan_counts_as_ended(lenet: Subject, data: Data, quick: None) -> None:
    begin = start(lenet, data)
    meter = PlainMeter(lenet, data)
    seen: list[tuple[str, str | None]] = []

    def limits(found: Sensitivity) -> Plan:
        assert found.complete
        return limits_plan(lenet.model, lenet.graph, found, Limits(figure="as_cut", lose=0.02))

    def progress(found: Sensitivity, text: str) -> None:
        seen.append((text, state(begin)))

    found = cache.measure(lenet, begin, lambda: meter, together=limits, progress=progress)
    assert seen[-1] == ("Measuring all of them cut together", "running")
    (joint,) = found.joints
    plan = limits(found)
    assert joint.kept == kept_of(plan)
    right = evaluate(pruned_model(lenet.model, lenet.graph, plan), data, "select", limit=IMAGES).scores
    assert joint.as_cut.correct == int(right.sum())
    assert cache.read(begin) == found

    def nothing() -> Meter:
        pytest.fail("all of it is on disk")

    assert cache.measure(lenet, begin, nothing, together=limits) == found


def test_a_request_on_disk_cancels(lenet: Subject, data: Data) -> None:
    begin = start(lenet, data)
    meter = PlainMeter(lenet, data)
    seen: list[str | None] = []

    def progress(found: Sensitivity, text: str) -> None:
        seen.append(state(begin))
        if found.measured == 3:
            cache.job_of(begin).request_cancel()
            now = cache.job_of(begin).status()
            assert now is not None and now.is_cancelling

    with pytest.raises(Cancelled):
        cache.measure(lenet, begin, lambda: meter, progress=progress)
    assert set(seen) == {"running"} and cache.read(begin).measured == 3
    assert cache.measure(lenet, begin, lambda: meter).complete, "the next one is not cancelled by it"


def test_what_a_scan_depends_on_names_its_file(lenet: Subject, resnet: Subject, data: Data) -> None:
    base = start(lenet, data)
    others = [
        start(resnet, data),
        start(lenet, replace(data, digest="other")),
        start(lenet, data, "weight"),
        start(lenet, data, criterion="l1"),
        start(lenet, data, criterion="random", seed=1),
        start(lenet, data, criterion="random", seed=2),
        replace(base, images=50),
    ]
    assert len({cache.job_of(one) for one in [base, *others]}) == 8
    assert cache.job_of(start(lenet, data, seed=7)) == cache.job_of(base), "only chance depends on the seed"


@pytest.mark.parametrize("damage", ["empty", "not json", "half", "wrong", "list"])
def test_a_damaged_file_is_measured_anew(lenet: Subject, data: Data, damage: str) -> None:
    begin = start(lenet, data)
    found = cache.measure(lenet, begin, lambda: PlainMeter(lenet, data))
    assert cache.read(begin) == found
    path = place(begin) / "all-events.jsonl"
    text = path.read_text()
    wrong = re.sub(r'"correct": (\d+)', '"correct": 1', text)
    path.write_text(
        {"empty": "", "not json": "{", "half": text[: len(text) // 2], "list": "[]", "wrong": wrong}[damage]
    )
    assert cache.read(begin) == begin, "it is not what was written, so none of it counts"
    meter = PlainMeter(lenet, data)
    assert cache.measure(lenet, begin, lambda: meter).curves == found.curves
    assert len(meter.asked) > 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda event: event.pop("kind"),
        lambda event: event.update(kind="exploded"),
        lambda event: event.update(target="conv9"),
        lambda event: event.update(target="fc2"),
        lambda event: event.update(kept=10**6),
        lambda event: event.update(sparsity=None),
        lambda event: event.update(achieved=1.5),
        lambda event: event.update(seconds="1"),
        lambda event: event.update(as_cut=None),
        lambda event: event["as_cut"].update(correct=10**6),
        lambda event: event["as_cut"].update(images=IMAGES + 1),
        lambda event: event["as_cut"].update(change_low=math.nan),
        lambda event: event.update(recalibrated=[]),
    ],
)
def test_a_damaged_event_is_one_point_less(
    lenet: Subject, data: Data, damage: Callable[[dict[str, Any]], None]
) -> None:
    begin = start(lenet, data)
    told = list(changes(begin, scanned(lenet, data, PlainMeter(lenet, data), begin)[-1]))
    assert replay(begin, told).measured == begin.wanted == len(told) - 1
    damage(told[-1])
    assert replay(begin, told).measured == begin.wanted - 1


def test_other_arithmetic_is_not_mixed_in(lenet: Subject, data: Data) -> None:
    begin = start(lenet, data)
    meter = PlainMeter(lenet, data)
    with pytest.raises(Cancelled):
        cache.measure(lenet, begin, lambda: meter, cancel=lambda: len(meter.asked) >= 5)
    other = PlainMeter(lenet, data)
    other.precision = Precision(name="bf16", agreement=1.0, images=1)  # type: ignore[misc]
    whole = cache.measure(lenet, begin, lambda: other)
    assert whole.precision == "bf16" and len(other.asked) == 1 + whole.wanted


def test_one_process_at_a_time_measures_a_scan(lenet: Subject, data: Data) -> None:
    begin = start(lenet, data)
    with cache.job_of(begin).working():
        assert state(begin) == "running"
        with pytest.raises(InputError, match="Another process"):
            cache.measure(lenet, begin, lambda: PlainMeter(lenet, data))
        with pytest.raises(InputError, match="Another process"):
            cache.remember(begin, Joint(kept=(("conv1", 1),), as_cut=figure_of(IMAGES), recalibrated=None))
    assert state(begin) == "done"


def test_a_joint_cut_measured_elsewhere_is_kept(lenet: Subject, data: Data) -> None:
    begin = start(lenet, data)
    found = cache.measure(lenet, begin, lambda: PlainMeter(lenet, data))
    joints = [Joint(kept=(("conv1", n),), as_cut=figure_of(IMAGES), recalibrated=None) for n in (1, 2)]
    for joint in (*joints, joints[0]):
        cache.remember(begin, joint)
    assert cache.read(begin) == replace(found, joints=tuple(joints))


def figure_of(images: int) -> Figure:
    return counted(1, images, 0, -0.1, 0.1)


def state(scan: Sensitivity) -> str | None:
    now = cache.job_of(scan).status()
    return None if now is None else now.state


def place(scan: Sensitivity) -> Path:
    """Where the last attempt at a scan lies."""
    job = cache.job_of(scan)
    last = job.last()
    assert last is not None and isinstance(job.store, LocalStore)
    return job.store.path(last.folder)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["sensitivity", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_command(capsys: pytest.CaptureFixture[str], quick: None) -> None:
    status, out, err = call(capsys, "sample:lenet5", "--images", "100", "--json")
    result = json.loads(out)
    assert status == 0 and "9 of 9 points" in err
    assert (result["schema_version"], result["images"], result["complete"]) == (1, 100, True)
    assert [curve["name"] for curve in result["curves"]] == ["conv1", "conv2", "fc1", "fc2"]
    assert result["curves"][3]["locked"] and result["curves"][3]["points"] == []
    point = result["curves"][0]["points"][1]
    assert {"sparsity", "achieved", "kept", "as_cut", "recalibrated", "repaired"} == set(point)
    assert (point["sparsity"], point["kept"], point["recalibrated"], point["repaired"]) == (0.5, 10, None, None)
    assert point["as_cut"]["low"] < point["as_cut"]["accuracy"] <= point["as_cut"]["high"]
    joint = result["joint"]
    assert joint["interaction_gap"]["gap"] == pytest.approx(
        joint["measured"]["accuracy"] - joint["predicted"]["accuracy"]
    )
    status, out, err = call(capsys, "sample:lenet5", "--images", "100", "--lose", "1")
    assert status == 0 and err == "", "all of it was on disk"
    assert "locked: the network's outputs stay" in out and "estimated from the single curves" in out


def test_a_network_that_only_guesses_is_scanned_and_nothing_is_estimated(
    capsys: pytest.CaptureFixture[str], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.cli import sensitivity

    opening = sensitivity.open_with_images

    def guessing(*asked: Any) -> Any:
        subject = opening(*asked)
        torch.nn.init.zeros_(subject.model.fc2.weight)  # it says the same for every image
        return subject

    monkeypatch.setattr(sensitivity, "open_with_images", guessing)
    status, out, _ = call(capsys, "sample:lenet5", "--images", "100", "--lose", "100", "--json")
    joint = json.loads(out)["joint"]
    assert status == 0 and joint["predicted"] is None and joint["interaction_gap"] is None
    assert "no better than guessing" in joint["why_not"] and joint["measured"]["accuracy"] < 0.2
    status, out, _ = call(capsys, "sample:lenet5", "--images", "100", "--lose", "100")
    assert status == 0 and "no better than guessing" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample:lenet5", "--granularity", "filter"], "'channel' or 'weight'"),
        (["sample:lenet5", "--criterion", "l0"], "Choose one of"),
        (["sample:lenet5", "--images", "0"], "at least one image"),
        (["sample:lenet5", "--lose", "-1"], "from 0 to 100"),
        (["sample:lenet5", "--data", "cifar"], "neither a data set nor a file or folder 'cifar'"),
        (["torchvision:resnet18"], "comes without images"),
        (["lenet5"], "Did you mean"),
    ],
)
def test_errors_of_the_command_are_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "") and words in err
    assert err.startswith("Error: ") and len(err.strip().splitlines()) == 1


def test_the_job_asks_for_exactly_this_scan(
    lenet: Subject, data: Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quick: None
) -> None:
    from pruning.sensitivity import start as job

    launched: list[list[str]] = []
    asked: list[Job] = []
    monkeypatch.setattr(
        job.LocalExecutor, "submit", lambda self, arguments, to, **how: launched.append(arguments) or asked.append(to)
    )
    begin = start(lenet, data)
    job.start(lenet, begin, lose=2.5)
    assert asked == [cache.job_of(begin)]
    attempt = asked[0].ask()
    assert attempt is not None and state(begin) == "queued"
    ((command, *arguments),) = launched
    assert command == "sensitivity"
    assert main(["--job", str(attempt.store.path(attempt.folder)), command, *arguments]) == 0
    found = cache.read(begin)
    assert found.complete and len(found.joints) == 1 and state(begin) == "done" and len(asked[0].attempts()) == 1
