"""What everybody sees of work in another process: from the first word to the last, and when there is no last word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.jobs.attempt import Attempt
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.process import Process
from pruning.jobs.status import NEVER_STARTED, SILENT, STARTING, Status
from pruning.jobs.store import LocalStore

ROOT = Path(__file__).parents[2]
AGES_AGO = 10**9.0


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    return Job.in_folder(tmp_path / "deep" / "job")


def asked(job: Job) -> Attempt:
    """A new attempt, which there must be."""
    attempt = job.ask()
    assert attempt is not None
    return attempt


def state(job: Job) -> str | None:
    now = job.status()
    return None if now is None else now.state


def folder(job: Job, number: int = 1) -> Path:
    assert isinstance(job.store, LocalStore)
    return job.store.path(f"attempts/{number:04d}")


def note(job: Job, name: str, process: Process, number: int = 1) -> None:
    """Write which process it was as the one that wrote it would."""
    (folder(job, number) / name).write_text(json.dumps({"process": process.to_json(), "at": "2026-01-01T00:00:00Z"}))


def dead() -> Process:
    """A process that has ended, and was taken note of."""
    with subprocess.Popen(["true"]) as ended:
        found = Process.of(ended.pid)
    return found


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process of this project."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(job: Job, *states: str, seconds: float = 60) -> Status:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = job.status()
        if now is not None and now.state in states:
            return now
        time.sleep(0.02)
    raise AssertionError(f"still {job.status()}")


def test_from_nothing_to_done(job: Job) -> None:
    assert job.status() is None and not job.is_working
    attempt = asked(job)
    assert job.status() == Status(state="queued", text=STARTING)
    assert job.ask() is None, "one is under way"
    with attempt.working() as work:
        assert job.status() == Status(state="running", text="Starting")
        work.say("Half way", 0.5)
        work.tell({"step": 1})
        assert job.status() == Status(state="running", text="Half way", share=0.5)
        assert job.ask() is None
        work.publish("result.json", b"{}")
        assert job.read("result.json") is None, "it counts once the work is done"
    assert job.status() == Status(state="done")
    assert job.read("result.json") == b"{}"
    assert [event["step"] for event in attempt.log.read()] == [1]
    assert sorted(path.name for path in folder(job).iterdir()) == [
        "all-events.jsonl", "asked.json", "lock", "manifest.json", "now.json", "result.json", "worker.json",
    ]  # fmt: skip
    manifest = attempt.manifest
    assert manifest is not None and set(manifest.files) == {"all-events.jsonl", "result.json"}
    length, digest = job.store.measure("attempts/0001/all-events.jsonl")
    assert (manifest.files["all-events.jsonl"].length, manifest.files["all-events.jsonl"].sha256) == (length, digest)


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (Cancelled("Stopped."), "cancelled", "Stopped."),
        (StorageError("The disk is full."), "failed", "The disk is full."),
        (OSError(28, "No space left on device", "x.json"), "failed", "No space left on device (x.json)."),
        (ZeroDivisionError("oh\n  dear"), "failed", "An error of the explorer itself: ZeroDivisionError: oh."),
        (KeyboardInterrupt(), "cancelled", "Cancelled."),
        (GeneratorExit(), "cancelled", "Cancelled."),
    ],
)
def test_how_it_ended_is_told(job: Job, error: BaseException, state: str, text: str) -> None:
    with pytest.raises(type(error)), job.working() as work:
        work.tell({"step": 1})
        raise error
    assert job.status() == Status(state=state, text=text)  # type: ignore[arg-type]
    last = job.last()
    assert last is not None and len(last.log.read()) == 1, "what was told is kept"
    with job.working():
        pass
    assert state != "done" and [attempt.number for attempt in job.attempts()] == [1, 2], "it may be tried again"
    assert job.status() == Status(state="done")


def test_a_living_process_is_never_called_failed_however_long_it_starts(job: Job) -> None:
    """Nor by any clock: all files are from long ago."""
    asked(job)
    with subprocess.Popen(["sleep", "60"]) as starting:
        note(job, "started.json", Process.of(starting.pid))
        note(job, "asked.json", dead())
        for path in folder(job).iterdir():
            os.utime(path, (AGES_AGO, AGES_AGO))
        assert state(job) == "queued"
        starting.kill()
        starting.wait()
    assert job.status() == Status(state="failed", text=NEVER_STARTED)


def test_a_process_that_nobody_took_note_of_yet_is_dead(job: Job) -> None:
    """A zombie still has its number."""
    asked(job)
    starting = subprocess.Popen(["true"])
    note(job, "started.json", Process.of(starting.pid))
    assert wait_for(job, "failed").text == NEVER_STARTED
    starting.wait()


def test_a_number_that_went_on_to_another_process_is_told_apart(job: Job) -> None:
    asked(job)
    own = Process.own()
    assert own.started is not None and own.is_own and not own.is_gone
    earlier = Process(**{**own.to_json(), "started": own.started - 1})
    note(job, "started.json", earlier)
    assert job.status() == Status(state="failed", text=NEVER_STARTED)
    note(job, "worker.json", earlier)
    assert job.status() == Status(state="failed", text=SILENT)
    note(job, "worker.json", Process(**{**own.to_json(), "boot": "another", "started": own.started}))
    assert job.status() == Status(state="failed", text=SILENT), "the machine was started anew"


def test_who_asked_and_died_before_starting_it_has_failed(job: Job) -> None:
    asked(job)
    note(job, "asked.json", dead())
    assert job.status() == Status(state="failed", text=NEVER_STARTED)
    assert asked(job).number == 2


WORKER = """
import sys, time
from pruning.jobs.attempt import Attempt
with Attempt.at(sys.argv[1]).working() as work:
    work.tell({"step": 1})
    print("working", flush=True)
    WHAT
"""


def test_a_killed_process_has_failed_and_what_it_told_is_there(job: Job) -> None:
    attempt = asked(job)
    with python(WORKER.replace("WHAT", "time.sleep(60)"), str(folder(job))) as process:
        assert process.stdout is not None and process.stdout.readline() == "working\n"
        assert state(job) == "running"
        with pytest.raises(InputError, match="Another process"), attempt.working():
            pass
        with pytest.raises(InputError, match="Another process"), job.working():
            pass
        assert state(job) == "running", "who was refused did not spoil it"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert job.status() == Status(state="failed", text=SILENT)
    assert [event["step"] for event in attempt.log.read()] == [1]


def test_a_process_that_breaks_says_so_in_a_sentence(job: Job) -> None:
    asked(job)
    with python(WORKER.replace("WHAT", "1 / 0"), str(folder(job))) as process:
        _, printed = process.communicate()
    assert "Traceback" in printed, "for the log"
    assert job.status() == Status(
        state="failed", text="An error of the explorer itself: ZeroDivisionError: division by zero."
    )


def test_a_refused_start_is_quoted(job: Job) -> None:
    """By a whole process; no torch is imported for it."""
    assert LocalExecutor().submit(["no-such-command"], job, kind="none")
    assert not LocalExecutor().submit(["no-such-command"], job, kind="none"), "it is under way"
    now = wait_for(job, "failed", "done")
    assert now.state == "failed" and now.text.startswith("argument COMMAND: invalid choice: 'no-such-command'")
    assert (folder(job) / "log").read_text().startswith("Error: argument COMMAND")


def test_a_process_that_cannot_be_started_has_failed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(StorageError, match="cannot be started"):
        LocalExecutor().submit(["doctor"], job, kind="doctor")
    now = job.status()
    assert now is not None and now.state == "failed" and "No such file" in now.text


def test_jobs_need_no_torch() -> None:
    code = (
        "import sys, pruning.cli.main, pruning.jobs.executor, pruning.jobs.follower\n"
        "print([name for name in ('torch', 'numpy', 'streamlit') if name in sys.modules])"
    )
    with python(code) as process:
        printed, errors = process.communicate()
    assert printed == "[]\n", errors


def test_a_cancel_before_it_begins(job: Job) -> None:
    attempt = asked(job)
    job.request_cancel()
    assert job.status() == Status(state="queued", text=STARTING, is_cancelling=True)
    with pytest.raises(Cancelled), attempt.working():
        pytest.fail("it was cancelled")
    assert job.status() == Status(state="cancelled", text="Cancelled before it began.")
    job.request_cancel()
    assert not (folder(job) / "cancel").stat().st_size and job.status() == Status(
        state="cancelled", text="Cancelled before it began."
    )


def test_a_cancel_that_the_process_did_not_live_to_see(job: Job) -> None:
    asked(job)
    job.request_cancel()
    note(job, "asked.json", dead())
    assert job.status() == Status(state="cancelled", text="Cancelled.")


def test_a_cancel_while_it_works(job: Job) -> None:
    asked_elsewhere = False
    with job.working() as work:
        stop = work.cancel_or(lambda: asked_elsewhere)
        assert not stop()
        asked_elsewhere = True
        assert stop()
        asked_elsewhere = False
        job.request_cancel()
        job.request_cancel()
        assert stop() and work.is_cancelled
        now = job.status()
        assert now is not None and now.is_cancelling and now.state == "running"
    assert job.status() == Status(state="done"), "it had come too late"
    with job.working() as work:
        assert not work.is_cancelled, "the next one is not cancelled by it"


def test_of_two_processes_that_ask_for_the_same_one_works(job: Job) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pruning.jobs.job import Job\n"
        "job = Job.in_folder(Path(sys.argv[1]))\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        "print(job.ask() is not None, flush=True)\nsys.stdin.readline()\n"
    )
    assert isinstance(job.store, LocalStore)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(job.store.root)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = sorted(process.stdout.readline() for process in processes if process.stdout is not None)
        assert said == ["False\n", "True\n"] and state(job) == "queued"
    finally:
        for process in processes:
            process.communicate("\n")
    assert state(job) == "failed" and len(job.attempts()) == 1


def test_thirty_threads_at_once(tmp_path: Path) -> None:
    """All ask for the same and look at it, and each works on something of its own: no false word, no lost event."""
    shared, begin = Job.in_folder(tmp_path / "shared"), threading.Barrier(30)
    got: list[Attempt] = []
    seen: set[str | None] = set()
    troubles: list[BaseException] = []

    def visit(number: int) -> None:
        try:
            begin.wait()
            attempt = shared.ask()
            if attempt is not None:
                got.append(attempt)
                with attempt.working() as work:
                    for step in range(200):
                        work.tell({"step": step})
                        work.say(f"Step {step}", step / 200)
                        seen.add(state(shared))
            with Job.in_folder(tmp_path / f"own{number}").working() as work:
                for step in range(50):
                    work.say(f"{step}")
                    work.tell({"step": step})
                    seen.add(state(shared))
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == [] and len(got) == 1
    assert seen <= {"queued", "running", "done"}
    assert [event["step"] for event in got[0].log.read()] == list(range(200))
    for number in range(30):
        last = Job.in_folder(tmp_path / f"own{number}").last()
        assert last is not None and last.status().state == "done" and len(last.log.read()) == 50


def test_a_later_attempt_ends_an_earlier_one(job: Job) -> None:
    first = asked(job)
    note(job, "asked.json", dead())
    second = asked(job)
    with pytest.raises(InputError, match="given up"), first.working():
        pass
    with second.working() as work:
        work.publish("a", b"2")
    assert job.read("a") == b"2"


def test_what_is_superseded_goes_once_there_is_better(job: Job) -> None:
    for text in (b"1", b"2"):
        with job.working() as work:
            work.publish("report.html", text)
    with pytest.raises(StorageError, match="full"), job.working() as work:
        work.supersedes = True
        raise StorageError("The disk is full.")
    assert job.read("report.html") == b"2" and len(job.attempts()) == 3
    with job.working() as work:
        work.supersedes = True
        work.publish("report.html", b"4")
        assert job.read("report.html") == b"2"
    assert job.read("report.html") == b"4" and [attempt.number for attempt in job.attempts()] == [4]
    with job.working():
        pass
    assert [attempt.number for attempt in job.attempts()] == [4, 5], "numbers are not used again"


def test_files_that_stand_in_the_jobs_own_folder(job: Job) -> None:
    assert isinstance(job.store, LocalStore)
    with job.working() as work:
        job.store.path("model.bin").write_bytes(b"weights")
        work.keep("model.bin")
    assert job.read("model.bin") == b"weights"
    job.store.path("model.bin").write_bytes(b"Weights")
    with pytest.raises(StorageError, match="not what was written"):
        job.read("model.bin")
    job.store.path("model.bin").unlink()
    with pytest.raises(StorageError, match="gone"):
        job.read("model.bin")


def test_an_attempt_is_found_by_its_place_or_refused(job: Job, tmp_path: Path) -> None:
    attempt = asked(job)
    assert Attempt.at(str(folder(job))) == attempt
    for place in ("", "/", "attempts/0001", str(folder(job, 2)), str(folder(job).parent), str(tmp_path / "none")):
        with pytest.raises(InputError, match="no attempt"):
            Attempt.at(place)


def test_hands_of_another_job_are_refused(job: Job, tmp_path: Path) -> None:
    with (
        Job.in_folder(tmp_path / "other").working() as work,
        pytest.raises(InputError, match="has changed since"),
        job.working(work),
    ):
        pass
    with job.working() as work, job.working(work) as same:
        assert same is work


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file, not a folder")
    job = Job.in_folder(tmp_path / "full" / "job")
    assert job.status() is None
    with pytest.raises(StorageError, match="PRUNING_CACHE"):
        job.ask()
