"""Runs of one's own networks with one's own images: they are opened, continued, held against dense and reported after
the process that made them is gone."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import pruning
from pruning.base.errors import InputError, StorageError
from pruning.cli.main import main
from pruning.export.report import Options, write_report
from pruning.export.report.provenance import facts
from pruning.notebook.result import Result
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.held import changed
from pruning.runs.looks import looks_words, note_look
from pruning.runs.pipeline import check_recipe
from pruning.runs.recipe import Recipe
from pruning.runs.result_json import from_values, to_values
from pruning.runs.suitable import suitable_recipe
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate
from tests import own, own_files
from tests.own import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with own.placed(tmp_path_factory.mktemp("own")) as found:
        yield found


def carried_out(ref: str, data: str, **changes: object) -> Run:
    recipe = suitable_recipe(open_subject(ref, data), PruneSpec(sparsity=0.3), epochs=2)
    folder = create_run(recipe.replace(**changes))
    execute(folder)
    return read_run(folder)


@pytest.fixture(scope="module")
def run(place: Place) -> Run:
    return carried_out(place.ref, "shapes:labelled")


@pytest.fixture(scope="module")
def unlabelled(place: Place) -> Run:
    return carried_out(place.ref, "shapes:plain")


def test_what_suits_own_images_is_mild_and_in_the_recipe(run: Run) -> None:
    recipe = run.recipe
    assert (recipe.optimiser, recipe.lr, recipe.batch_norm, recipe.augment) == ("adamw", 1e-4, "fixed", "flip")
    assert recipe.preprocess == own.DEFAULT and recipe.distillation is None
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe and recipe.to_yaml().startswith("version: 5\n")


def test_fine_tuning_an_unpruned_network_with_the_defaults_loses_nothing(place: Place) -> None:
    before = evaluate(
        open_subject(place.ref, "shapes:labelled").model, own.opened("shapes:labelled", None, False, None), "test"
    )
    found = carried_out(place.ref, "shapes:labelled", sparsity=0.0).result
    assert found is not None and found.pruned.test is not None and found.stages.finetuned is not None
    assert found.pruned.test.value >= before.value - 0.005


def test_further_metrics_stand_beside_the_main_one(run: Run) -> None:
    result = run.result
    assert result is not None and result.pruned.test is not None
    beside = {found.metric: found for found in result.pruned.further}
    assert beside.keys() == {"top5", "mean_per_class", "agreement", "kl_divergence"}
    assert {found.metric for found in result.dense.further} == {"top5", "mean_per_class"}
    answers = run.answers()
    same = answers["dense"].classes.predicted == answers["pruned"].classes.predicted
    assert beside["agreement"].value == pytest.approx(float(same.float().mean()))
    labels, right = answers["pruned"].classes.labels, answers["pruned"].classes.right
    by_class = [float(right[labels == number].float().mean()) for number in range(3)]
    assert beside["mean_per_class"].value == pytest.approx(sum(by_class) / 3, abs=1e-6)
    before = [float(answers["dense"].classes.right[labels == number].float().mean()) for number in range(3)]
    drops = [a - b for a, b in zip(before, by_class, strict=True)]
    assert result.worst_class is not None and result.worst_class.drop == pytest.approx(max(drops), abs=1e-6)
    assert result.worst_class.name == own.CLASSES[drops.index(max(drops))] and result.worst_class.images == 30


def test_the_result_says_it_all_again_from_its_json(run: Run, unlabelled: Run) -> None:
    for result in (run.result, unlabelled.result):
        assert result is not None
        values = to_values(result)
        assert from_values(json.loads(json.dumps(values)), "it") == result
    assert run.result is not None
    values = to_values(run.result)
    assert values["pruned"]["top5"] == 1.0 and len(values["pruned"]["top5_interval"]) == 2
    assert values["difference"]["worst_class_drop"] == run.result.worst_class.drop  # type: ignore[union-attr]
    assert values["data"]["sizes"] == own.SIZES and values["test_looks"] >= 1


def test_images_without_labels_are_learnt_from_the_unpruned_network(unlabelled: Run, place: Place) -> None:
    result = unlabelled.result
    assert result is not None and result.pruned.test is not None and result.dense.test is not None
    assert result.metric_title == "agreement with the unpruned network" and result.dense.test.value == 1.0
    assert [found.metric for found in result.pruned.further] == ["kl_divergence"]
    dense, pruned = open_subject(place.ref).model, open_subject(unlabelled.ref).model
    data = own.opened("shapes:plain", None, False, None)
    images = data.normalise(data.images("test", torch.arange(90)))
    with torch.no_grad():
        same = dense(images).argmax(1) == pruned(images).argmax(1)
    assert result.pruned.test.value == pytest.approx(float(same.float().mean()))
    assert "accuracy" not in (unlabelled.path / "result.json").read_text()
    with pytest.raises(InputError, match="can only learn from the unpruned network"):
        check_recipe(unlabelled.recipe.replace(distillation=0.5))


def test_it_opens_and_goes_on_held_against_the_network_it_all_began_with(unlabelled: Run) -> None:
    again = open_subject(unlabelled.ref)
    assert again.preprocess == own.DEFAULT and again.task.name == "agreement"
    folder = create_run(unlabelled.continued(epochs=1))
    execute(folder)
    longer = read_run(folder)
    assert longer.result is not None and unlabelled.result is not None and longer.origin == unlabelled.origin
    assert longer.result.dense.test == unlabelled.result.dense.test and longer.recipe.preprocess == own.DEFAULT
    assert longer.result.pruned.params == unlabelled.result.pruned.params


def test_labels_help_as_much_as_they_are_asked_to(place: Place) -> None:
    ours = {"distillation": 0.7, "optimiser": "sgd", "lr": 1e-3, "augment": "flip,cutmix"}
    found = carried_out(place.ref, "shapes:labelled", repair="recalibrate", **ours)
    assert found.result is not None and found.recipe.distillation == 0.7


def test_the_report_speaks_of_agreement(unlabelled: Run, tmp_path: Path) -> None:
    text = write_report(unlabelled.path, tmp_path / "report.html", Options(), sparsities=(0.0, 0.5)).read_text()
    body = text[text.index("<main") : text.index("</main>")]
    assert "Agreement with the unpruned network against cost" in body and "Shapes, plain" in body
    assert "accuracy" not in body.lower() and str(unlabelled.path.parent) not in text
    assert "divergence from the unpruned network" in body and "looked at" in body and "RGB, mean 0.485" in body
    assert "newly wrong" not in body and "answered otherwise" in body


def test_pictures_of_images_without_labels_tell_of_agreement(unlabelled: Run, tmp_path: Path) -> None:
    answers = unlabelled.answers()
    dense, pruned = (answers[name].classes for name in ("dense", "pruned"))
    assert dense.labels is None and torch.equal(dense.predicted == pruned.predicted, answers["pruned"].scores)
    report = write_report(unlabelled.path, tmp_path / "report.html", Options(photos=True), sparsities=(0.0, 0.5))
    text = report.read_text()
    body = re.sub(r"<style>.*?</style>", "", text[text.index("<main") : text.index("</main>")], flags=re.S)
    differ = int((dense.predicted != pruned.predicted).sum())
    assert "Both say the same, first where the second became less sure (the first 18 of" in body
    assert body.count("<b>both say class ") == 18 and body.count("<b>they differ</b>") == min(18, differ)
    assert (f"They differ, surest first (all {differ})" in body) == (0 < differ <= 18)
    plain = re.sub(r"<[^>]+>", " ", body).replace("right after the cut", "").replace("further right", "")
    assert not re.findall(r"[^.>]*\b(?:right|wrong|errs)\b[^.<]*", plain, re.I)


def test_images_that_changed_are_said(place: Place, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number, name in enumerate(own.CLASSES * 4):
        (photos / name).mkdir(parents=True, exist_ok=True)
        own_files.png(photos / name / f"{number}.png", seed=number, side=16)
    recipe = suitable_recipe(open_subject(place.ref, f"folder:{photos}"), PruneSpec(sparsity=0.3), epochs=0)
    folder = create_run(recipe)
    assert changed(folder) == ()
    one = photos / "dot" / "1.png"
    kept = one.read_bytes()
    os.utime(one, (1, 1))
    assert changed(folder) == (), "the same content, written anew"
    own_files.png(one, seed=99, side=16)
    (said,) = changed(folder)
    assert said.startswith("The images in photos are not what they were when this run was made")
    onward = create_run(recipe.replace(model=f"run:{folder}"))
    assert len(changed(onward)) == 0, "they are what they were when that one began"
    one.write_bytes(kept)
    assert changed(folder) == ()
    save = place.folder / "net.safetensors"
    weights = load_file(save)
    try:
        save_file({name: value + 1 for name, value in weights.items()}, save)
        assert len(changed(folder)) == len(changed(onward)) - 1 == 1, "a run that goes on began with these files, too"
    finally:
        save_file(weights, save)
    shutil.rmtree(photos)
    assert "The images in photos are gone" in changed(folder)[-1]


def test_a_change_is_said_wherever_the_run_is_opened(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    for number, name in enumerate(own.CLASSES * 5):
        (photos / name).mkdir(parents=True, exist_ok=True)
        own_files.png(photos / name / f"{number}.png", seed=number, side=16)
    found = carried_out(place.ref, f"folder:{photos}", repair="recalibrate", finetune_steps=0)
    own_files.png(photos / "bar" / "0.png", seed=99, side=16)
    (said,) = changed(found.path)
    for command in ("evaluate {} --role select", "inspect {}", "verify {} --sparsity 0.2", "export {} recipe --out"):
        more = [str(tmp_path / "out.yaml")] if "--out" in command else []
        assert main([*command.format(found.ref).split(), *more]) == 0, command
        assert capsys.readouterr().err.count(f"Note: {said}") == 1, command
    network = pruning.open(found.ref)
    assert said in network.remarks and said in repr(network) and said in network._repr_html_()
    result = Result(run=found)
    assert result.remarks == (said,) and said in repr(result)
    assert said in dict(facts(found, network="it"))["Changed since"]
    report = write_report(found.path, tmp_path / "report.html", Options(photos=True), sparsities=(0.0,)).read_text()
    assert "no longer those that the run was tested on" in report and said in report


def test_files_that_changed_are_said_and_the_run_still_opens(place: Place) -> None:
    found = carried_out(place.ref, "shapes:labelled", repair="recalibrate", finetune_steps=0)
    assert changed(found.path) == () and open_subject(found.ref).network.remarks == ()
    weights, code = place.folder / "net.safetensors", place.folder / "net.py"
    kept, text = load_file(weights), code.read_text()
    try:
        save_file({name: value + 1 for name, value in kept.items()}, weights)
        (said,) = changed(found.path)
        assert "net.safetensors is not what it was" in said
        assert open_subject(found.ref).network.remarks == (said,)
        code.write_text(
            text.replace("nn.Conv2d(12, 16", "nn.Conv2d(12, 10").replace("nn.BatchNorm2d(16)", "nn.BatchNorm2d(10)", 1)
        )
        with pytest.raises(StorageError, match=r"cannot be built any more: The .*net\.\w+ is not what it was"):
            open_subject(found.ref)
        weights.unlink()
        assert any("is gone" in line for line in changed(found.path))
    finally:
        save_file(kept, weights)
        code.write_text(text)
    assert not any("gone" in line for line in changed(found.path))


def test_looks_are_counted_for_each_network_and_data_set(place: Place) -> None:
    assert [note_look("a", "b", "it") for _ in range(3)] == [1, 2, 3]
    assert note_look("a", "c", "it") == 1 and looks_words(1).endswith("once for this network")
    assert "4 times" in looks_words(note_look("a", "b", "it") or 0)
    (place.folder / "pruning_cache" / "looks").rename(place.folder / "moved")
    (place.folder / "pruning_cache" / "looks").write_text("in the way")
    assert note_look("a", "b", "it") is None, "what cannot be noted stops nothing"
