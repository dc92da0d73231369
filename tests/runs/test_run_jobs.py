"""How a run stands: from its job and without a clock, in older folders from their own files; damage is a sentence."""

from __future__ import annotations

import fcntl
import json
import math
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled, InputError
from pruning.jobs.job import Job
from pruning.jobs.process import Process
from pruning.jobs.status import NEVER_STARTED, SILENT
from pruning.runs import create_run, execute, list_runs, read_run, read_runs, request_cancel
from pruning.runs.events import Condensed
from pruning.runs.recipe import Recipe
from pruning.runs.start import start_run

QUICK = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=3)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = create_run(QUICK, path=tmp_path_factory.mktemp("executed") / "run")
    execute(path)
    return path


@pytest.fixture
def done(executed: Path, tmp_path: Path) -> Path:
    """A run that was carried out."""
    return shutil.copytree(executed, tmp_path / "runs" / "done")


def of(path: Path) -> tuple[str, str | None]:
    run = read_run(path)
    return run.state, run.message


def test_it_is_queued_as_long_as_whoever_made_it_lives() -> None:
    path = create_run(QUICK)
    order = json.loads((path / "job.json").read_text())
    for year in (1999, 9990):
        (path / "job.json").write_text(json.dumps({**order, "created": f"{year}-01-01T00:00:00+00:00"}))
        assert of(path) == ("queued", None), "whatever any clock says"
    with subprocess.Popen(["true"]) as other:
        creator = Process.of(other.pid)
    (path / "job.json").write_text(json.dumps({**order, "creator": creator.to_json()}))
    assert of(path) == ("failed", NEVER_STARTED)
    (path / "job.json").write_text(json.dumps({**order, "creator": {"pid": "x"}}))
    (unreadable,) = read_runs().unreadable
    assert unreadable.reason == "creator of job.json is damaged: it holds no host."


def test_what_was_carried_out_says_which_files_are_there(done: Path) -> None:
    last = Job.in_folder(done).last()
    assert last is not None and last.manifest is not None
    assert set(last.manifest.files) == {
        "model.safetensors", "model.json", "answers.safetensors", "result.json", "all-events.jsonl",
    }  # fmt: skip
    for file in last.manifest.files.values():
        assert file.read(last.store)
    events = read_run(done).events()
    assert [event["step"] for event in events.training] == [1, 2, 3]
    assert [event["stage"] for event in events.stages] == ["as_cut", "finetuned"]
    assert events.last["stage"] == "done"


def test_it_is_carried_out_once(done: Path) -> None:
    with pytest.raises(InputError, match="carried out already"):
        execute(done)
    path = create_run(QUICK)
    with Job.in_folder(path).working():
        assert of(path) == ("running", None)
        with pytest.raises(InputError, match="Another process"):
            execute(path)
    path = create_run(QUICK)
    request_cancel(path)
    assert of(path) == ("cancelled", "Cancelled before it began.")
    with pytest.raises(Cancelled):
        execute(path)


@pytest.mark.slow
def test_a_process_that_cannot_begin_says_why() -> None:
    path = create_run(Recipe(model="sample:lenet300", data="mnist"), data_dir="/nowhere")
    start_run(path)
    until = time.monotonic() + 90
    while read_run(path).state in ("queued", "running") and time.monotonic() < until:
        time.sleep(0.1)
    state, message = of(path)
    assert state == "failed" and "/nowhere" in str(message) and "Traceback" not in str(message)
    (log,) = path.glob("attempts/*/log")
    assert str(message) in log.read_text()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda folder: (folder / "result.json").unlink(), "Its result.json is gone."),
        (lambda folder: (folder / "attempts/0001/manifest.json").write_text("{"), "manifest.json is damaged"),
        (lambda folder: (folder / "attempts/0001/manifest.json").unlink(), SILENT),
    ],
)
def test_damage_to_its_job_is_a_failure_with_a_sentence(done: Path, change, sentence: str) -> None:  # type: ignore[no-untyped-def]
    (done / "attempts/0001/lock").unlink()
    worker = json.loads((done / "attempts/0001/worker.json").read_text())
    worker["process"]["started"] = 1  # it was this very process
    (done / "attempts/0001/worker.json").write_text(json.dumps(worker))
    assert of(done) == ("done", None)
    change(done)
    state, message = of(done)
    assert state == "failed" and str(message).startswith(sentence)
    assert [run.name for run in list_runs()] == ["done"]


def test_damaged_events_are_none(done: Path) -> None:
    (done / "attempts/0001/all-events.jsonl").write_bytes(b'{"stage": "finetune"}\n')
    events = read_run(done).events()
    assert (events.last, events.training, events.stages) == ({}, [], [])
    shutil.rmtree(done / "attempts")
    assert of(done) == ("done", None), "as one of an older version"


def test_events_are_condensed_as_they_come() -> None:
    step = {"stage": "finetune", "round": 1, "step": 1, "steps": 9, "loss": 0.5, "seconds": 1.0}
    told = [
        {"stage": "open"}, step, {**step, "step": 2, "loss": None}, {**step, "loss": "x"}, {**step, "step": 10},
        {"stage": 3}, {"stage": "as_cut", "round": 1, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6]},
        {"stage": "as_cut", "round": 1, "accuracy": 1.5, "accuracy_interval": [0.4, 0.6]},
    ]  # fmt: skip
    condensed = Condensed()
    for count in range(len(told) + 1):
        found = condensed.add(told[:count])
    assert [event["step"] for event in found.training] == [1, 2]
    assert math.isnan(found.training[1]["loss"]), "a training that diverged"
    assert len(found.stages) == 1 and found.last is told[6]
    assert condensed.add([told[1]]).training == [step], "another attempt"
    assert condensed.add([]).last == {}


def test_a_process_of_an_older_version_may_still_work(tmp_path: Path) -> None:
    path = create_run(QUICK)
    (path / "events.jsonl").write_text('{"stage": "open"}\n')
    with (path / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert of(path) == ("running", None) and not read_run(path).status().is_cancelling
        request_cancel(path)
        assert (path / "cancel").exists() and read_run(path).status().is_cancelling
    assert of(path) == ("cancelled", "Cancelled before it began.")
