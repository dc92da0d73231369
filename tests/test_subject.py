"""A subject says what it is, what it lacks, and what can be done with it. And the proof that images, a task and a
network of another kind are rows: a data set that is read as it is asked for, whose images are answered with a number
and not with a class, goes through a whole run, a scan, what-if, a race, Compare's data and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import pruning
from pruning.base.errors import InputError
from pruning.catalog.openers import check_visitor
from pruning.cli.main import main
from pruning.compare.casualties import casualties, changes, rescued
from pruning.compare.classes import per_class
from pruning.compare.knockout import knock_out, knockout_engine
from pruning.compare.knockout import verdict as said_of_knockout
from pruning.compare.sides import Pair, comparable, dense_side, run_side
from pruning.compare.verdict import facts_of, facts_of_result, verdict
from pruning.contest import Terms, judge, race
from pruning.data import readers
from pruning.data.info import Role
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data
from pruning.data.readers import describe_data, open_data
from pruning.export.report import Options, write_report
from pruning.export.runs_table import run_rows
from pruning.export.table import EXPORTS
from pruning.images import Images
from pruning.planning.plan import make_plan
from pruning.removal.apply import pruned_model
from pruning.render.run_table import select_title, table_rows
from pruning.runs import Run, create_run, execute, pipeline, read_run
from pruning.runs.files import ANSWERS
from pruning.runs.recipe import Recipe
from pruning.runs.saved_model import read_origin
from pruning.sensitivity import Limits, cache, limits_plan, outline, predict_joint
from pruning.sensitivity.form import to_json
from pruning.spec import PruneSpec
from pruning.subject import Subject, live_subject, open_subject
from pruning.tasks.table import task_of
from pruning.training.answers import read_answers
from pruning.training.evaluate import evaluate, outputs
from pruning.whatif import WhatIf
from tests.toys import BLOBS, ERROR, RECIPE, SIZES, TASK, added, brightness, distance, draw_blobs, learnt_in


@pytest.fixture(scope="module")
def rows() -> Iterator[pytest.MonkeyPatch]:
    """The two rows that this test adds; nothing else knows of them."""
    with added() as patch:
        yield patch


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder of this test."""

    folder: Path
    ref: str
    """Of the trained network in it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, rows: pytest.MonkeyPatch) -> Place:
    """A network that has learnt the task, with its file of weights."""
    folder = tmp_path_factory.mktemp("toy")
    for name in ("PRUNING_CACHE", "PRUNING_RUNS"):
        rows.setenv(name, str(folder / name.lower()))
    return Place(folder=folder, ref=learnt_in(folder))


@pytest.fixture(scope="module")
def subject(place: Place) -> Subject:
    return open_subject(place.ref, "toy:12")


@pytest.fixture(scope="module")
def run(place: Place) -> Run:
    """A whole run, and what it told."""
    folder = create_run(Recipe.from_values({"model": place.ref, **RECIPE}))
    execute(folder)
    return read_run(folder)


def error_by_hand(model: nn.Module, data: Data, role: Role) -> float:
    """The metric without any of the code that it is tested by."""
    index = torch.arange(SIZES[role])
    images = draw_blobs(role, index)
    with torch.no_grad():
        said = model((images.float() / 255 - 0.2) / 0.3)
    return float((said[:, 0] - images.float().mean((1, 2, 3)) / 255).abs().double().mean())


def test_the_toy_network_learnt_and_its_subject_says_what_it_is(subject: Subject) -> None:
    assert subject.task is TASK and subject.data_name == "toy:12" and subject.info.things == "blobs"
    assert subject.lacks == () and all(subject.why_not(use) is None for use in ("measure", "scan", "run"))
    found = evaluate(subject.model, subject.data, "select")
    assert found.metric is ERROR and found.correct is None
    by_hand = error_by_hand(subject.model, subject.data, "select")
    assert found.value == pytest.approx(by_hand, rel=1e-5) and by_hand < 0.08
    assert found.interval[0] < found.value < found.interval[1]


def test_a_whole_run(run: Run, subject: Subject) -> None:
    result = run.result
    assert result is not None and result.check.status == "exact" and result.pruned.params < 0.5 * result.dense.params
    assert [each.steps for each in result.rounds] == [12, 12] and result.data is not None
    for side, model in ((result.dense, subject.model), (result.pruned, open_subject(run.ref).model)):
        assert side.test is not None and (side.test.metric, side.test.correct, side.test.images) == (
            "mean_error",
            None,
            60,
        )
        assert side.test.value == pytest.approx(error_by_hand(model, subject.data, "test"), rel=1e-5)
    for part in result.rounds:
        stages = part.stages
        assert stages.as_cut and stages.recalibrated and stages.finetuned
        assert stages.finetuned.value < stages.as_cut.value, "lower is better"
    assert result.difference is not None and result.dense.test and result.pruned.test
    assert result.difference.value == pytest.approx(result.pruned.test.value - result.dense.test.value, abs=1e-9)


def test_the_metric_stands_under_its_own_name(run: Run) -> None:
    written = json.loads((run.path / "result.json").read_text())
    for part in (written["dense"], written["pruned"], written["difference"], written["stages"]["as_cut"]):
        assert part["metric"] == "mean_error" and isinstance(part["mean_error"], float) and "accuracy" not in part
    events = run.events()
    assert [event["stage"] for event in events.stages] == ["as_cut", "recalibrated", "finetuned"] * 2
    assert all(event["metric"] == "mean_error" and event["mean_error"] > 0 for event in events.stages)
    assert any(event["mean_error"] is not None for event in events.training)
    assert len(events.training) == 24


def test_the_folder_is_a_network_again_and_can_go_on(run: Run, place: Place, subject: Subject) -> None:
    assert read_origin(run.path) == run.origin == run.dense_ref() == place.ref
    again = open_subject(run.ref)
    assert again.data_name == "toy:12" and again.task is TASK and again.why_not("run") is None
    more = {"sparsity": 0.0, "iterations": 1, "schedule": "oneshot", "finetune_steps": 8}
    folder = create_run(Recipe.from_values({"model": run.ref, **RECIPE, **more}))
    execute(folder)
    longer = read_run(folder)
    assert longer.result is not None and run.result is not None and longer.origin == place.ref
    assert longer.result.dense.test == run.result.dense.test, "held against the network it all began with"
    assert longer.result.pruned.params == run.result.pruned.params
    with pytest.raises(InputError, match="Python file cannot be opened in the browser"):
        check_visitor(run.ref)


def test_weights_can_go_as_well(place: Place) -> None:
    other = {"granularity": "weight", "criterion": "taylor", "parameters": {"batches": 2}}
    folder = create_run(Recipe.from_values({"model": place.ref, **RECIPE, **other}))
    execute(folder)
    result = read_run(folder).result
    assert result is not None and result.pruned.nonzero < 0.6 * result.dense.nonzero
    assert result.pruned.params == result.dense.params


def test_its_answers_are_kept_image_by_image(run: Run, subject: Subject) -> None:
    kept = read_answers(run.path / ANSWERS)
    assert kept.keys() == {"dense", "pruned"} and kept["dense"].metric is ERROR and kept["dense"].choices is None
    said = torch.cat([found for found, _ in outputs(subject.model, subject.data, "test")])
    right = brightness(subject.data, "test", torch.arange(60))
    assert torch.allclose(kept["dense"].scores, distance(said, right), atol=1e-6)


def test_what_if_gives_what_evaluation_gives(subject: Subject) -> None:
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    engine = WhatIf(subject.model, subject.graph, subject.data, images=90, figures=("as_cut",), precision="fp32")
    found = engine.measure(plan)
    apart = evaluate(pruned_model(subject.model, subject.graph, plan), subject.data, "select")
    assert found.as_cut is not None and found.as_cut.metric is ERROR
    assert found.as_cut.value == pytest.approx(apart.value, rel=1e-3)


def test_a_scan_and_its_limits(subject: Subject) -> None:
    wanted = outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=60)
    found = cache.measure(
        subject, wanted, lambda: WhatIf(subject.model, subject.graph, subject.data, images=wanted.images)
    )
    assert found.complete and found.metric is ERROR and found.guess == 0.25
    assert cache.read(wanted) == found, "as its job told it"
    ends = [curve.points[-1].figure("recalibrated") for curve in found.curves if curve.points]
    assert any(end.change > 0 for end in ends), "the error grows"
    plan = limits_plan(subject.model, subject.graph, found, Limits(figure="recalibrated", lose=0.01))
    loose = Limits(figure="recalibrated", lose=10.0)
    assert limits_plan(subject.model, subject.graph, found, loose).removes_nothing is False
    assert predict_joint(found, plan.shares).value >= 0
    written = to_json(found)
    assert written["metric"] == "mean_error" and "accuracy" not in json.dumps(written)


def test_a_race(subject: Subject, place: Place) -> None:
    terms = Terms(model=place.ref, data="toy:12", prune=PruneSpec(sparsity=0.5), rounds=2, steps=8, seeds=(0, 1))
    assert terms.metric is ERROR
    end = list(race(terms, subject))[-1]
    assert end.done and all(lane.finish is not None and lane.finish.value > 0 for lane in end.lanes)
    assert judge([end]).winner in ("oneshot", "iterative", None)


def test_compare(run: Run, place: Place) -> None:
    pair = Pair(
        before=dense_side(run, open_subject(run.dense_ref(), run.recipe.data)),
        after=run_side(run, open_subject(run.ref, run.recipe.data), "pruned"),
    )
    assert pair.metric is ERROR and pair.missing is None and pair.same_network and comparable(run, run)
    assert pair.difference is not None and pair.difference.newly_wrong is None
    before, after = pair.before.answers, pair.after.answers
    assert before is not None and after is not None
    assert changes(before, after) is None and casualties(before, after) == rescued(before, after) == []
    assert per_class(before, after, pair.data().info.classes) == []
    said = verdict(facts_of(pair))
    assert run.result is not None and said == verdict(facts_of_result(run.result, run.answers()))
    assert said.answers == "" and said.meaning.startswith("mean error is worse by ") and said.tone == "worse"
    assert "levels" in said.text and "accuracy" not in said.text and "points" not in said.text
    engine = knockout_engine(pair.before.subject)
    found = knock_out(engine, pair.before.subject, "0", 3)
    assert found.classes == () and "accuracy" not in said_of_knockout(found).lower()


def test_the_report(run: Run, tmp_path: Path) -> None:
    text = write_report(run.path, tmp_path / "report.html", Options(photos=True)).read_text()
    body = text[text.index("<main") : text.index("</main>")]
    assert "Mean error against cost" in body and "tested on 60 images of Blobs of light" in body
    assert run.result is not None and run.result.pruned.test is not None
    assert ERROR.words(run.result.pruned.test.value) in body
    assert "accuracy" not in body.lower()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if export.takes_long else [])
        for name, export in EXPORTS.items()
        if name != "report"
    ],
)
def test_every_export(name: str, run: Run, tmp_path: Path) -> None:
    from pruning.export.record import Source

    export, source = EXPORTS[name], Source.around(run)
    written = export.write(source, tmp_path / export.file_for(source))
    assert written.stat().st_size


def test_the_table_of_runs(run: Run) -> None:
    row = run_rows([run.summary])[0]
    assert row["select_metric"] == row["test_metric"] == "mean_error" and row["test_pruned"] > 0
    assert row["select_pruned_low"] <= row["select_pruned"] <= row["select_pruned_high"]
    (shown,) = table_rows([run.summary])
    assert shown["select"].endswith(("●", "◆")) and select_title([run.summary]) == "Mean error, select images"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main([*arguments, "--json"])
    out = capsys.readouterr().out
    return status, json.loads(out) if out else None


def test_the_command_line(place: Place, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = call(capsys, "evaluate", place.ref, "--data", "toy:12")
    assert status == 0 and found["metric"] == "mean_error" and found["mean_error"] < 0.08 and "accuracy" not in found
    asked = ["prune", place.ref, "--data", "toy:12", "--sparsity", "0.25", "--out"]
    status, found = call(capsys, *asked, str(tmp_path / "a"), "--require", "mean_error<=0.5")
    assert status == 0 and found["pruned"]["metric"] == "mean_error"
    status, _ = call(capsys, *asked, str(tmp_path / "b"), "--require", "pruned.mean_error<=0")
    assert status == 1
    status, found = call(capsys, "sensitivity", place.ref, "--data", "toy:12", "--images", "60", "--lose", "2")
    assert status == 0 and found["metric"] == "mean_error"
    for command, more in (("evaluate", []), ("sensitivity", ["--images", "60"])):
        assert main([command, place.ref, "--data", "toy:12", *more]) == 0
        said = capsys.readouterr().out
        assert "levels" in said and "accuracy" not in said.lower()


def test_the_notebook(place: Place) -> None:
    network = pruning.open(place.ref, data="toy:12")
    cut = network.cut(0.5)
    assert cut.accuracy().metric is ERROR and "levels" in repr(cut.accuracy())
    live = pruning.open(network.subject.model, (3, 12, 12), data="toy:12")
    assert live.cut(0.5).accuracy().value == cut.accuracy().value


def test_images_in_memory_give_the_same_run(run: Run, place: Place, rows: pytest.MonkeyPatch) -> None:
    with rows.context() as other:
        other.setattr(readers, "IN_MEMORY", 2**30)
        assert isinstance(open_data("toy:12"), MemoryData)
        again = pipeline.run(run.recipe).result
    first = run.result
    assert first is not None and again.rounds == first.rounds and again.difference == first.difference
    assert (again.dense.test, again.pruned.test) == (first.dense.test, first.pruned.test)


# What a subject lacks.


def test_what_is_lacking_is_said_with_what_would_add_it(rows: pytest.MonkeyPatch, place: Place) -> None:
    bare = open_subject(place.ref)
    assert [lack.part for lack in bare.lacks] == ["images"]
    drawn = open_subject(place.ref.partition("?")[0])  # without its file of weights they are random
    assert [lack.part for lack in drawn.lacks] == ["images", "training"]
    assert drawn.lacks[1].remedy == "add weights=FILE to its reference"
    library = open_subject("torchvision:squeezenet1_1?size=64")
    assert [lack.part for lack in library.lacks] == ["images", "training"] and "weights=default" in library.lacks[
        1
    ].remedy
    assert bare.missing == "this network comes without images here" and not bare.has_images
    with pytest.raises(
        InputError, match=r"cannot be pruned and fine-tuned: this network comes without images here\. .*name images"
    ):
        bare.check("run")
    with pytest.raises(InputError, match="cannot be measured"):
        _ = bare.data
    live = live_subject(nn.Linear(4, 2), (4,))
    assert [lack.part for lack in live.lacks] == ["images", "reference"] and live.task.name == "classification"
    named = bare.with_images(Images.named("toy:12"))
    assert named.lacks == () and named.missing is None
    unlabelled = bare.with_images(Images(info=replace(BLOBS, labelled=False), open=lambda: open_data("toy:12")))
    lack = unlabelled.why_not("scan")
    assert lack is not None and lack.part == "labels" and "sorted into classes" in lack.remedy
    away = bare.with_images(replace(Images.named("toy:12"), here=False))
    assert away.missing == "the images are not on this machine"


def test_images_that_do_not_fit_are_refused(place: Place) -> None:
    with pytest.raises(InputError, match="takes images of 3×12×12, and these are 1×28×28"):
        open_subject(place.ref, "mnist5k")
    with pytest.raises(InputError, match=r"cannot be used with toy:12: its images or classes are other ones"):
        open_subject("sample:lenet5", "toy:12")
    wrong = live_subject(nn.Sequential(nn.Flatten(), nn.Linear(432, 7)), (3, 12, 12))
    with pytest.raises(InputError, match="it does not say one number"):
        wrong.with_images(Images.named("toy:12"))


def test_a_recipe_is_checked_by_the_readers_table(rows: pytest.MonkeyPatch, place: Place) -> None:
    assert Recipe.from_values({"model": place.ref, **RECIPE}).data == "toy:12"
    with pytest.raises(InputError, match=r"no data set 'tox:12'.*toy:PIXELS"):
        Recipe.from_values({"model": place.ref, **RECIPE, "data": "tox:12"})
    assert task_of(describe_data("toy:12")) is TASK


def test_samples_are_what_they_were() -> None:
    subject = open_subject("sample:lenet300")
    assert subject.data_name == "mnist5k" or subject.data_name in subject.network.data
    assert subject.why_not("run") is None or subject.why_not("run") == subject.lacks[0]
    assert live_subject(subject.model, (1, 28, 28)).model is not subject.model


def test_what_a_network_is_counts_what_it_computes_and_not_its_weights_alone() -> None:
    small, large = (open_subject(f"torchvision:squeezenet1_1?size={size}") for size in (64, 96))
    assert small.digest == large.digest and small.identity != large.identity
    again = open_subject("torchvision:squeezenet1_1?size=64")
    assert again is not small and again.identity == small.identity

    def of(stride: int) -> Subject:
        model = nn.Sequential(nn.Conv2d(1, 2, 1, stride=stride), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(0.5)
        return live_subject(model, torch.zeros(2, 1, 8, 8))

    assert of(1).digest == of(2).digest and of(1).identity != of(2).identity and of(1).identity == of(1).identity
