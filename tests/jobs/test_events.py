"""What work tells: in few files, read once each, whole also while they are gathered; and workers of other machines."""

from __future__ import annotations

import errno
import math
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.jobs import work as work_module
from pruning.jobs.events import decode, encode
from pruning.jobs.follower import MISSED_BEATS, Follower
from pruning.jobs.job import Job
from pruning.jobs.process import Process
from pruning.jobs.status import Status
from pruning.jobs.store import LocalStore
from pruning.jobs.work import BEAT_SECONDS, Work


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "job")


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event is a piece of its own."""
    monkeypatch.setattr(work_module, "SELDOM", 0.0)


def steps(events: list[dict[str, Any]]) -> list[int]:
    return [event["step"] for event in events]


def test_many_events_are_few_files(store: LocalStore) -> None:
    with Job(store).working() as work:
        for step in range(20_000):
            work.tell({"step": step})
        assert len(store.list("attempts/0001/events")) < 20
    assert store.list("attempts/0001/events") == []
    assert steps(Follower(Job(store)).events()) == list(range(20_000))


def test_events_come_without_another_one_behind_them(store: LocalStore) -> None:
    follower = Follower(Job(store))
    with Job(store).working() as work:
        for step in range(3):
            work.tell({"step": step})
        for _ in range(200):
            if len(follower.events()) == 3:
                break
            work_module.time.sleep(0.02)
        assert steps(follower.events()) == [0, 1, 2]


def test_each_piece_is_read_once(store: LocalStore, often: None, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    real = LocalStore.read

    def read(self: LocalStore, name: str, **options: Any) -> bytes | None:
        reads.append(name)
        return real(self, name, **options)

    job = Job(store)
    follower = Follower(job)
    with job.working() as work:
        for step in range(30):
            work.tell({"step": step})
        assert steps(follower.events()) == list(range(30))
        monkeypatch.setattr(LocalStore, "read", read)
        follower.events()
        assert len(reads) <= 5
        work.tell({"step": 30})
        assert steps(follower.events()) == list(range(31))
        assert len([name for name in reads if "/events/" in name]) == 3, "the one that came, and twice none behind it"
    assert steps(follower.events()) == list(range(31))
    reads.clear()
    follower.events()
    assert not [name for name in reads if "events" in name]


def test_a_reader_that_came_while_pieces_were_gathered_misses_nothing(
    store: LocalStore, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, real = Job(store), LocalStore.read

    def read(self: LocalStore, name: str, **options: Any) -> bytes | None:
        if name.endswith("/events/000003.jsonl") and not work._ended.is_set():
            work.finish()
        return real(self, name, **options)

    attempt = job.ask()
    assert attempt is not None
    work = Work(store, attempt.folder)
    for step in range(5):
        work.tell({"step": step})
    monkeypatch.setattr(LocalStore, "read", read)
    assert steps(attempt.log.read()) == [0, 1, 2, 3, 4] and work._ended.is_set()


def test_a_folder_made_anew_is_read_anew(store: LocalStore) -> None:
    job = Job(store)
    follower = Follower(job)
    for step in (1, 2):
        with job.working() as work:
            work.tell({"step": step})
        assert steps(follower.events()) == [step]
        store.delete("")


def test_events_of_all_attempts_and_of_the_last(store: LocalStore) -> None:
    job = Job(store)
    follower = Follower(job)
    assert follower.events() == follower.last_events() == []
    for step in (1, 2):
        with job.working() as work:
            work.tell({"step": step})
    assert steps(follower.events()) == [1, 2] and steps(follower.last_events()) == [2]
    store.path("attempts/0001/all-events.jsonl").write_bytes(b'{"step": 7}\n')
    assert steps(Follower(job).events()) == [2], "what is not as it was written counts for nothing"


def test_lines_that_are_no_events_are_passed_over() -> None:
    assert decode(b'{"a": 1}\nnull\n[1]\n{"b": NaN}\n{"c"\n\xff\n\n{"d": 4}') == [
        {"a": 1}, {"b": pytest.approx(math.nan, nan_ok=True)}, {"d": 4},
    ]  # fmt: skip
    assert decode(encode([{"loss": math.nan}, {"text": "ü\n"}])) == [{"loss": None}, {"text": "ü\n"}]


def test_a_full_disk_is_a_sentence_and_ends_the_work(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = LocalStore.create, False

    def create(self: LocalStore, name: str, content: bytes) -> bool:
        if full and "/events/" in name:
            with self._writing(name):
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, name, content)

    monkeypatch.setattr(LocalStore, "create", create)
    job = Job(store)
    with pytest.raises(StorageError, match="No space left"), job.working() as work:
        work.tell({"step": 1})
        full = True
        for step in range(10_000):  # noticed by the one that writes meanwhile, or at the end
            work.tell({"step": step})
    now = job.status()
    assert now is not None and now.state == "failed" and "No space left" in now.text


def elsewhere(store: LocalStore) -> Work:
    """Work on a machine that is not this one, as its files show it here: without its lock."""
    job = Job(store)
    attempt = job.ask()
    assert attempt is not None
    other = Process(host="other", boot="b", space="s", pid=7, started=1)
    store.create("attempts/0001/worker.json", work_module.dump({"process": other.to_json()}))
    return Work(store, attempt.folder)


def test_a_worker_elsewhere_is_given_up_only_after_being_watched_in_silence(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "_keep_writing", lambda self: None)
    monkeypatch.setattr(work_module, "SELDOM", 0.0)
    clock = [0.0]
    job, work = Job(store), elsewhere(store)
    follower = Follower(job, clock=lambda: clock[0])
    work.say("a")
    for text in "bcdefg":
        assert follower.status() == Status(state="running", text=chr(ord(text) - 1))
        clock[0] += MISSED_BEATS * BEAT_SECONDS - 1
        work.say(text)
    clock[0] += MISSED_BEATS * BEAT_SECONDS - 1
    now = follower.status()
    assert now is not None and now.state == "running", "it had said something meanwhile"
    clock[0] += MISSED_BEATS * BEAT_SECONDS + 1
    assert Follower(job, clock=lambda: clock[0]).status() == now, "whoever has just come knows nothing"
    assert job.status() == now
    given_up = follower.status()
    assert given_up is not None and given_up.state == "failed" and "silent" in given_up.text
    assert job.status() == given_up, "for everybody"
    assert job.ask() is not None
    work.publish("result", b"late")
    with pytest.raises(InputError, match="given up"):
        work.finish()
    assert job.read("result") is None, "a machine that wakes again does not count"


def test_the_counter_moves_while_nothing_is_said(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(work_module, "OFTEN", 0.01)
    with Job(store).working():
        found: set[bytes | None] = set()
        for _ in range(500):
            found.add(store.read("attempts/0001/now.json"))
            if len(found) > 3:
                break
            work_module.time.sleep(0.01)
        assert len(found) > 3
