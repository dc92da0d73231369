"""The pool: processes that do what stands in line, are replaced when they are killed, and go on where one was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pruning.base.safe_json import read_object
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.worker import MOST_DEATHS
from pruning.jobs.status import Status
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import wishes

ROOT = Path(__file__).parents[3]
WORKER = """
import sys, time
from pathlib import Path
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.worker import serve
from pruning.settings.tables import Queue

def carry_out(arguments, work):
    '''count FILE N: count to N in a file, a step each 50 ms, however often it is interrupted. stuck: never look up.'''
    kind, *rest = arguments
    if kind == "stuck":
        work.tell({"step": 1})
        work.flush()
        while True:
            time.sleep(1)
    if kind == "doomed":
        import os
        os.kill(os.getpid(), 9)
    if kind == "break":
        1 / 0
    if kind == "say":
        print("said by", work.attempt)
    if kind == "count":
        path = Path(rest[0])
        stop = work.cancel_or(None)
        for step in range(len(path.read_text()) if path.exists() else 0, int(rest[1])):
            if stop():
                from pruning.base.errors import Cancelled
                raise Cancelled("Cancelled while counting.")
            time.sleep(0.05)
            with path.open("a") as file:
                file.write(".")
            work.tell({"step": step})
            work.note_progress()

serve(local_line(), carry_out, Queue(idle_seconds=60))
"""


@pytest.fixture(autouse=True)
def own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pool, "ensure", lambda line: 0)


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of this test's pool."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT)


def submit(job: Job, *arguments: str, visitor: str = "") -> bool:
    return LocalExecutor().submit(arguments, job, kind="test", visitor=visitor)


def job_at(path: Path) -> Job:
    return Job.in_folder(path)


def wait_for(job: Job, *states: str, seconds: float = 30) -> Status:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = job.status()
        if now is not None and now.state in states:
            return now
        time.sleep(0.02)
    raise AssertionError(f"still {job.status()}")


def line_is_empty() -> None:
    """Soon: a job's last word comes before its ticket goes."""
    until = time.monotonic() + 5
    while local_line().tickets():
        assert time.monotonic() < until
        time.sleep(0.01)


def worker_of(job: Job) -> int:
    """Number of the process that works on the last attempt."""
    last = job.last()
    assert last is not None and isinstance(job.store, LocalStore)
    until = time.monotonic() + 5
    while (values := read_object(job.store.path(f"{last.folder}/worker.json"))) is None:
        assert time.monotonic() < until
    return int(values["process"]["pid"])


def test_one_process_does_job_after_job(tmp_path: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    jobs = [job_at(tmp_path / f"{number}") for number in range(5)]
    for job in jobs:
        assert submit(job, "say")
    assert [job.status() and job.status().place.number for job in jobs] == [1, 2, 3, 4, 5]  # type: ignore[union-attr]
    workers.append(start())
    for job in jobs:
        assert wait_for(job, "done", "failed").state == "done"
    assert len({worker_of(job) for job in jobs}) == 1
    assert isinstance(jobs[0].store, LocalStore)
    assert jobs[0].store.path("attempts/0001/log").read_text() == "said by 1\n"
    line_is_empty()


def test_a_job_that_breaks_does_not_stop_the_next(tmp_path: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    broken, fine = job_at(tmp_path / "broken"), job_at(tmp_path / "fine")
    submit(broken, "break")
    submit(fine, "say")
    workers.append(start())
    assert wait_for(fine, "done", "failed").state == "done"
    now = broken.status()
    assert now is not None and now.state == "failed" and "division by zero" in now.text
    assert isinstance(broken.store, LocalStore)
    assert "Traceback" in broken.store.path("attempts/0001/log").read_text()


def test_a_killed_process_loses_nothing(tmp_path: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    """More often than a job may be killed that gets no further, and never a false word meanwhile."""
    job, count = job_at(tmp_path / "job"), tmp_path / "count"
    submit(job, "count", str(count), "40")
    seen: list[str] = []
    for kills in range(MOST_DEATHS + 2):
        workers.append(start())
        wait_for(job, "running")
        steps = kills * 4 + 3
        while len(count.read_text() if count.exists() else "") < steps:
            time.sleep(0.01)
        os.kill(worker_of(job), signal.SIGKILL)
        workers[-1].wait()
        now = job.status()
        assert now is not None
        seen.append(now.state)
        assert "goes on by itself" in now.text
    assert set(seen) == {"queued"}
    workers.append(start())
    assert wait_for(job, "done", "failed", "cancelled").state == "done"
    assert count.read_text() == "." * 40
    assert len(job.attempts()) == MOST_DEATHS + 3
    steps_told = [event["step"] for event in Follower(job).events()]
    assert {0, 39} <= set(steps_told) <= set(range(40)), "what each of them had written is there"


def test_a_job_that_kills_its_process_again_and_again_is_given_up(
    tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    job = job_at(tmp_path / "job")
    submit(job, "doomed")
    for _ in range(MOST_DEATHS):
        workers.append(start())
        workers[-1].wait()
    workers.append(start())
    now = wait_for(job, "failed")
    assert now.text.startswith(f"Its process was killed {MOST_DEATHS} times before it got any further")
    line_is_empty()
    assert submit(job, "say"), "it may be asked for again"
    assert wait_for(job, "done", "failed").state == "done"


def test_equal_requests_are_one_job_and_one_cancel_takes_back_one_wish(
    tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    job, count = job_at(tmp_path / "job"), tmp_path / "count"
    assert submit(job, "count", str(count), "1000", visitor="a")
    assert not submit(job, "count", str(count), "1000", visitor="b")
    assert not submit(job, "count", str(count), "1000", visitor="c")
    (ticket,) = local_line().tickets()
    assert ticket.visitors == ("a", "b", "c") == tuple(wish.visitor for wish in wishes(job.store))
    workers.append(start())
    wait_for(job, "running")
    job.request_cancel("a")
    job.request_cancel("b")
    time.sleep(0.5)
    now = job.status()
    assert now is not None and now.state == "running" and not now.is_cancelling
    assert [wish.visitor for wish in wishes(job.store)] == ["c"]
    (ticket,) = local_line().tickets()
    assert ticket.visitors == ("c",)
    asked = time.monotonic()
    job.request_cancel("c")
    assert wait_for(job, "cancelled", "done", "failed").text == "Cancelled while counting."
    assert time.monotonic() - asked < 2.0
    assert workers[0].poll() is None, "it stopped by itself, and does the next"


def test_what_waits_is_cancelled_at_once_by_the_last_who_wants_it(tmp_path: Path) -> None:
    job = job_at(tmp_path / "job")
    submit(job, "say", visitor="a")
    submit(job, "say", visitor="b")
    job.request_cancel("a")
    assert job.is_working
    job.request_cancel("b")
    assert job.status() == Status(state="cancelled", text="Cancelled before it began.")
    assert local_line().tickets() == []
    assert submit(job, "say", visitor="a"), "it may be asked for again"
    job.request_cancel()
    assert job.status() == Status(state="cancelled", text="Cancelled before it began.")


def test_a_job_that_does_not_look_up_is_stopped_within_two_seconds(
    tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    job, following = job_at(tmp_path / "job"), job_at(tmp_path / "next")
    submit(job, "stuck")
    submit(following, "say")
    workers.append(start())
    wait_for(job, "running")
    while not Follower(job).events():
        time.sleep(0.02)
    job.request_cancel()
    assert wait_for(job, "cancelled", seconds=2.0).text == "Cancelled."
    assert [event["step"] for event in Follower(job).events()] == [1], "what it told is kept"
    assert workers[0].wait(10) == 1
    workers.append(start())
    assert wait_for(following, "done", "failed").state == "done"


def test_one_that_was_killed_while_it_was_cancelled_does_not_go_on(
    tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    job, count = job_at(tmp_path / "job"), tmp_path / "count"
    submit(job, "count", str(count), "1000")
    workers.append(start())
    wait_for(job, "running")
    os.kill(worker_of(job), signal.SIGSTOP)
    job.request_cancel()
    os.kill(worker_of(job), signal.SIGKILL)
    workers[0].wait()
    workers.append(start())
    assert wait_for(job, "cancelled", "done", "failed").state == "cancelled"
    line_is_empty()


def test_a_job_whose_folder_is_gone_leaves_the_line(tmp_path: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    import shutil

    lost, fine = job_at(tmp_path / "lost"), job_at(tmp_path / "fine")
    submit(lost, "say")
    submit(fine, "say")
    shutil.rmtree(tmp_path / "lost")
    workers.append(start())
    assert wait_for(fine, "done", "failed").state == "done"
    line_is_empty()
    assert not (tmp_path / "lost").exists()
