"""Disks that are full, folders that may not be written, clocks that are set, two servers on one folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pruning.base.errors import StorageError
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.process import Process
from pruning.jobs.queue import pool
from pruning.jobs.queue.line import Line
from pruning.jobs.queue.local import local_line
from pruning.jobs.status import Status
from pruning.runs import create_run, execute, read_run, read_runs
from pruning.runs.recipe import Recipe
from pruning.runs.start import start_run
from pruning.spec import PruneSpec

QUICK = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.3), finetune_steps=3)


@pytest.fixture(autouse=True)
def own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pool, "ensure", lambda line: 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("A disk of one's own can be mounted only by root.")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Take all room that is left."""
    filler = place / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    return filler


def test_a_disk_that_fills_up_is_a_failure_in_a_sentence(small_disk: Path) -> None:
    job = Job.in_folder(small_disk / "job")
    with pytest.raises(StorageError, match="No space left on device"), job.working() as work:
        work.tell({"step": 1})
        work.flush()
        fill(small_disk)
        while True:
            work.tell({"text": "x" * 1000})
            work.flush()
    now = job.status()
    assert now is not None and now.state == "failed" and "No space left on device" in now.text
    assert not [path for path in small_disk.rglob(".*.part")], "nothing half-written is left"


def test_a_run_on_a_full_disk_fails_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    path = create_run(QUICK, path=small_disk / "run")
    filler = fill(small_disk)
    with pytest.raises(StorageError, match="No space left on device"):
        execute(path)
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert execute(path).pruned.test is not None
    assert read_run(path).state == "done"


def test_a_full_disk_takes_no_ticket(small_disk: Path) -> None:
    line = Line(small_disk / "queue", slots=1)
    fill(small_disk)
    with pytest.raises(StorageError, match="make room there"):
        line.add(kind="run")
    assert line.tickets() == []


def test_a_run_whose_folder_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    """As root may write everywhere, a file stands where a folder should be."""
    path = create_run(QUICK, path=tmp_path / "run")
    (path / "attempts").write_text("no folder")
    with pytest.raises(StorageError, match="could not be written"):
        start_run(path)
    assert local_line().tickets() == [], "nothing waits for what cannot be"


def test_images_that_vanished_are_a_failure_in_a_sentence(tmp_path: Path) -> None:
    path = create_run(QUICK.replace(data="mnist"), path=tmp_path / "run", data_dir=str(tmp_path / "gone"))
    start_run(path)
    claim = local_line().take()
    assert claim is not None
    code = (
        "import sys\nfrom pruning.cli.pool import _carry_out\nfrom pruning.jobs.queue.local import local_line\n"
        "from pruning.jobs.queue.worker import serve\nfrom pruning.settings.tables import Queue\n"
        "serve(local_line(), _carry_out, Queue(jobs_per_worker=1))\n"
    )
    for file in claim.files:
        file.close()
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], timeout=120, check=True)
    run = read_run(path)
    assert run.state == "failed" and run.message is not None and "gone" in run.message
    assert len(run.message) < 400 and "Traceback" not in run.message


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_a_clock_that_is_set_changes_nothing(tmp_path: Path, jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what waits nor what works is lost, and nobody is told anything else."""
    job, waiting = Job.in_folder(tmp_path / "job"), Job.in_folder(tmp_path / "waiting")
    LocalExecutor().submit(["x"], waiting, kind="test")
    with job.working() as work:
        work.tell({"step": 1})
        work.flush()
        before = (job.status(), waiting.status())
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        for path in (*tmp_path.rglob("*.json"), *tmp_path.rglob("*.lock")):
            os.utime(path, (max(0.0, real() + jump),) * 2)
        assert (job.status(), waiting.status()) == before
        work.say("Going on")
    assert job.status() == Status(state="done")
    claim = local_line().take()
    assert claim is not None and claim.ticket.job == str(tmp_path / "waiting")


def test_two_servers_with_caches_of_their_own_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run in one folder: while it waits in the other server's line, and once it is cancelled from here."""
    path = create_run(QUICK, path=tmp_path / "runs" / "one")
    start_run(path, visitor="a")
    here = read_run(path).status()
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "other"))
    assert local_line().tickets() == []
    there = read_run(path).status()
    assert here.state == there.state == "queued"
    start_run(path, visitor="b")
    assert local_line().tickets() == [], "it waits in the other line already"
    (run,) = read_runs(tmp_path / "runs").runs
    assert run.state == "queued"
    Job.in_folder(path).request_cancel()
    assert read_run(path).state == "cancelled"
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    assert read_run(path).state == "cancelled" and local_line().tickets() == []


def test_work_that_ended_without_a_word_in_a_process_that_lives_is_told_so(job_without_word: Job) -> None:
    now = job_without_word.status()
    assert now is not None and now.state == "failed" and "without a word" in now.text


@pytest.fixture
def job_without_word(tmp_path: Path) -> Iterator[Job]:
    """Its process lives and does something else by now."""
    job = Job.in_folder(tmp_path / "job")
    with job.working():
        pass
    attempt = tmp_path / "job" / "attempts" / "0001"
    (attempt / "manifest.json").unlink()
    with subprocess.Popen(["sleep", "60"]) as other:
        text = (attempt / "worker.json").read_text()
        import json

        values = json.loads(text)
        values["process"] = Process.of(other.pid).to_json()
        (attempt / "worker.json").write_text(json.dumps(values))
        yield job
        other.kill()
