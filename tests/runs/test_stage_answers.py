"""Answers to select images that a run which repairs keeps from stage to stage, also when it is interrupted or sent."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pruning.base.errors import Cancelled, PruningError, StorageError
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.files import CHECKPOINT, STAGES
from pruning.runs.pack import pack
from pruning.runs.recipe import Recipe
from pruning.runs.result import Measurement
from pruning.runs.unpack import unpack
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.training.answers import read_answers, save_answers
from pruning.training.evaluate import evaluate

TUNED = Recipe(
    model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.7), repair="refit", finetune_steps=6,
    schedule="iterative", iterations=2,
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


def check_figures(run: Run, stages: set[str]) -> None:
    """The answers are those that the figures of the last round were measured of."""
    found = run.stage_answers()
    assert set(found) == {"dense", *stages} and run.result is not None
    for name, answers in found.items():
        assert answers.role == "select" and answers.images == 1000
        if name != "dense":
            assert answers.correct == getattr(run.result.stages, name).correct


def test_each_stage_is_kept(repaired_run: Run) -> None:
    check_figures(repaired_run, {"as_cut", "repaired"})
    assert repaired_run.result is not None and repaired_run.result.dense_select is not None
    assert repaired_run.result.dense_select == Measurement.of(repaired_run.stage_answers()["dense"])
    assert (repaired_run.path / STAGES).stat().st_size < 150_000


def test_a_run_that_does_not_repair_keeps_none_but_the_dense_figure(tmp_path: Path) -> None:
    path = create_run(Recipe(model="sample:lenet300", data="mnist5k"), path=tmp_path / "run")
    execute(path)
    run = read_run(path)
    assert not (path / STAGES).exists() and run.stage_answers() == {} and run.result is not None
    subject = open_subject("sample:lenet300")
    assert run.result.dense_select == Measurement.of(evaluate(subject.model, subject.data, "select"))


@pytest.mark.slow
def test_an_interrupted_run_keeps_those_from_before(tmp_path: Path) -> None:
    undisturbed = create_run(TUNED, path=tmp_path / "undisturbed")
    execute(undisturbed)
    path, done = create_run(TUNED, path=tmp_path / "run"), 0

    def look(event: dict[str, Any]) -> None:
        nonlocal done
        done = event["step"] if event["stage"] == "finetune" else done

    with pytest.raises(Cancelled):
        execute(path, progress=look, cancel=lambda: done >= 5)  # in the second round
    assert (path / CHECKPOINT).exists()
    execute(path, again=True)
    check_figures(read_run(path), {"as_cut", "repaired", "finetuned"})
    ours, theirs = (read_run(folder).stage_answers() for folder in (path, undisturbed))
    for name, answers in theirs.items():
        assert torch.equal(ours[name].classes.predicted, answers.classes.predicted)


def test_they_are_sent_along(repaired_run: Run, tmp_path: Path) -> None:
    packed = pack(repaired_run.path, tmp_path / "sent.run.zip")
    (tmp_path / "runs").mkdir()
    check_figures(read_run(unpack(packed, tmp_path / "runs").path), {"as_cut", "repaired"})


def test_damaged_ones_are_an_error_that_harms_nothing_else(repaired_run: Run, tmp_path: Path) -> None:
    path = shutil.copytree(repaired_run.path, tmp_path / "run")
    (path / STAGES).write_bytes(b"no answers")
    run = read_run(path)
    assert run.result is not None and run.answers()
    with pytest.raises(StorageError, match=r"stages\.safetensors cannot be read"):
        run.stage_answers()
    packed = pack(path, tmp_path / "sent.run.zip")
    (tmp_path / "runs").mkdir()
    with pytest.raises(PruningError, match=STAGES):
        unpack(packed, tmp_path / "runs")
    assert not any((tmp_path / "runs").iterdir())


def test_classes_that_are_not_there_are_refused(repaired_run: Run, tmp_path: Path) -> None:
    path = shutil.copytree(repaired_run.path, tmp_path / "run")
    found = read_answers(path / STAGES)
    for answers in found.values():
        answers.classes.predicted[0] = 10
    save_answers(path / STAGES, found)
    with pytest.raises(StorageError, match="images of other classes"):
        read_run(path).stage_answers()
