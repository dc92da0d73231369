"""Run folders: whole or absent, readable by anyone, and honest about their state."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.data.readers import open_data
from pruning.planning.plan import LayerPlan
from pruning.runs import Run, create_run, delete_run, execute, list_runs, read_run, request_cancel
from pruning.runs.recipe import Recipe
from pruning.runs.start import start_run
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate

QUICK = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=3, prune=PruneSpec(sparsity=0.5))
LONG = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=1_000_000, prune=PruneSpec(sparsity=0.5))


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


def wait_for(path: Path, states: set[str], seconds: float = 90) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = read_run(path).state
        if state in states:
            return state
        time.sleep(0.1)
    raise AssertionError(f"still {read_run(path).state} after {seconds} s: {printed(path)}")


def printed(path: Path) -> str:
    """What the processes of a run printed."""
    return "".join(log.read_text() for log in sorted(path.glob("attempts/*/log")))


def test_a_run_is_listed_and_its_model_opens_with_the_identical_count():
    path = create_run(QUICK)
    assert read_run(path).state == "queued"
    result = execute(path)
    run = read_run(path)
    assert (run.state, run.recipe) == ("done", QUICK)
    assert run.result == result
    assert [listed.path for listed in list_runs()] == [path]
    subject = open_subject(f"run:{path}")
    assert evaluate(subject.model, open_data("mnist5k"), "test").correct == result.pruned.test.correct
    assert not list(path.glob("*.part"))
    assert len(run.events().training) == 3


def test_what_was_asked_for_counts_layers_not_the_recipes_base(tmp_path, make_result):
    layers = {"fc1": 0.9, "fc2": 0.5, "fc3": 0.7}
    run = Run(
        path=tmp_path, state="queued", created=datetime.now(UTC), result=None, message=None,
        recipe=Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(layers=tuple(layers.items()))),
    )  # fmt: skip
    assert run.asked == (0.0, 0.9), "before it ran nobody has counted the layers"
    done = [
        LayerPlan(name=name, group=None, requested=share, achieved=share, kept=1, total=2)
        for name, share in layers.items()
    ]
    assert replace(run, result=make_result(layers=tuple(done))).asked == (0.5, 0.9), (
        "every layer has a share of its own"
    )


@pytest.mark.slow
def test_a_weight_run_can_be_trained_on_and_keeps_its_zeros():
    first = create_run(
        Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(granularity="weight", sparsity=0.9))
    )
    execute(first)
    second = create_run(Recipe(model=f"run:{first}", data="mnist5k", finetune_steps=5, prune=PruneSpec(sparsity=0.0)))
    result = execute(second)
    zeros = load_file(first / "model.safetensors")["fc1.weight"] == 0
    weight = load_file(second / "model.safetensors")["fc1.weight"]
    assert int(zeros.sum()) == 235_200 * 9 // 10
    assert bool((weight[zeros] == 0).all())
    assert result.dense.nonzero == 266_610, "dense is the sample network, not the run before"


def test_a_channel_run_can_be_pruned_again():
    first = create_run(QUICK)
    execute(first)
    second = create_run(Recipe(model=f"run:{first}", data="mnist5k", prune=PruneSpec(sparsity=0.5)))
    result = execute(second)
    assert result.pruned.params == 784 * 75 + 75 + 75 * 25 + 25 + 25 * 10 + 10
    subject = open_subject(f"run:{second}")
    assert evaluate(subject.model, open_data("mnist5k"), "test").correct == result.pruned.test.correct


def test_a_worker_process_carries_a_run_out():
    path = create_run(QUICK)
    start_run(path)
    assert wait_for(path, {"done", "failed", "cancelled"}) == "done"


def test_a_worker_is_cancelled_from_outside():
    path = create_run(LONG)
    start_run(path)
    until = time.monotonic() + 60
    while not read_run(path).events().training and time.monotonic() < until:
        time.sleep(0.1)
    assert read_run(path).state == "running"
    with pytest.raises(InputError, match="cancel it first"):
        delete_run(path)
    request_cancel(path)
    assert wait_for(path, {"cancelled"}) == "cancelled"
    assert not (path / "result.json").exists() and not (path / "model.safetensors").exists()
    delete_run(path)
    assert list_runs() == []


def test_a_killed_worker_counts_as_failed():
    path = create_run(LONG)
    process = subprocess.Popen([sys.executable, "-m", "pruning", "worker", str(path)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not read_run(path).events().training and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = read_run(path)
    assert run.state == "failed" and "without a word" in str(run.message)


def test_failures_are_noted_in_one_sentence():
    path = create_run(Recipe(model="sample:lenet300", data="mnist", prune=PruneSpec(sparsity=0.5)))
    with pytest.raises(Exception, match="not on this machine"):
        execute(path)
    assert read_run(path).state == "failed" and "make data" in str(read_run(path).message)


def test_a_cancel_before_the_start():
    path = create_run(QUICK)
    request_cancel(path)
    assert read_run(path).state == "cancelled"
    with pytest.raises(Cancelled):
        execute(path)


def test_a_folder_in_use_is_not_overwritten(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    with pytest.raises(InputError, match="already holds something"):
        create_run(QUICK, path=tmp_path / "taken")
    assert (tmp_path / "taken" / "file").read_text() == "mine"


def test_what_is_not_a_run_is_passed_over(tmp_path):
    runs = tmp_path / "runs"
    (runs / "stray").mkdir(parents=True)
    (runs / "broken").mkdir()
    (runs / "broken" / "recipe.yaml").write_text("version: [")
    (runs / "file").write_text("")
    assert list_runs() == []


@pytest.mark.parametrize("name", ["nowhere", "\0", "a\ud800", "x" * 1000])
def test_where_no_run_can_be_none_is_found(name, tmp_path):
    with pytest.raises(StorageError, match="no readable run"):
        read_run(tmp_path / name)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = create_run(QUICK, path=tmp_path_factory.mktemp("finished") / "run")
    execute(path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"\x00" * 100),
        ("model.json", b"{"),
        ("model.json", b'{"sample": "lenet300", "kept": {"fc1.weight": {"0": [999999]}}, "pads": {}, "held_zero": []}'),
        ("model.json", b'{"sample": "no such", "kept": {}, "pads": {}, "held_zero": []}'),
    ],
    ids=["weights", "no JSON", "too many kept", "no such sample"],
)  # fmt: skip
def test_damaged_models_are_refused_in_words(name, content, finished, tmp_path):
    path = shutil.copytree(finished, tmp_path / "runs" / "copy")
    (path / name).write_bytes(content)
    with pytest.raises(StorageError, match="is damaged"):
        open_subject(f"run:{path}")
    assert read_run(path).state == "done", "its numbers can still be read"


def test_a_full_disk_ends_in_one_sentence(monkeypatch):
    path = create_run(QUICK)
    real = os.replace

    def full(source, target):
        if str(target).endswith("result.json"):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="No space left on device"):
        execute(path)
    assert read_run(path).state == "failed"
