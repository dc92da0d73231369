"""Damaged jobs: whatever stands in a folder, looking at it ends in a state with one sentence, never in a traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from pruning.base.errors import PruningError
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job

OBJECTS = (
    "asked.json", "started.json", "worker.json", "now.json", "cancel", "lock", "log", "events/000001.jsonl",
    "all-events.jsonl", "result.json", "manifest.json",
)  # fmt: skip
DAMAGE = {
    "empty": b"",
    "truncated": b'{"version": 1, "state": "do',
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "null": b"null",
    "list": b"[]",
    "empty object": b"{}",
    "wrong types": b'{"version": [], "process": 3, "state": {}, "text": 1, "files": [], "beat": "x", "ended": 1}',
    "no zone": b'{"version": 1, "state": "done", "text": "", "ended": "2026-01-01T00:00:00", "files": {}}',
    "no such state": b'{"version": 1, "state": "exploded", "text": "", "ended": "2026-01-01T00:00:00+00:00"}',
    "later": b'{"version": 2, "state": "done", "text": "", "ended": "2026-01-01T00:00:00+00:00", "files": {}}',
    "outside": b'{"version": 1, "state": "done", "text": "", "ended": "2026-01-01T00:00:00+00:00", "files": '
    b'{"result.json": {"name": "../../../etc/passwd", "length": 1, "sha256": ""}}}',
    "huge numbers": b'{"version": 1' + b"0" * 5000 + b', "process": {"pid": 1e999}, "beat": 1' + b"0" * 30 + b"}",
    "deep": b'{"process": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "NaN": b'{"version": NaN, "share": NaN, "beat": NaN}',
    "pid 0": b'{"process": {"host": "", "boot": "", "space": "", "pid": 0, "started": null}}',
    "huge pid": b'{"process": {"host": "", "boot": "", "space": "", "pid": 2147483648, "started": null}}',
    "zeros": bytes(200),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job that was done."""
    folder = tmp_path_factory.mktemp("whole") / "job"
    with Job.in_folder(folder).working() as work:
        work.say("Half way", 0.5)
        work.tell({"step": 1, "text": "ü"})
        work.publish("result.json", b'{"a": 1}')
    return folder


@pytest.fixture
def job(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "job")


def look(folder: Path) -> str | None:
    """Look at a job in every way there is; its state."""
    job = Job.in_folder(folder)
    follower = Follower(job)
    now = job.status()
    if now is not None:
        assert now.text.count("\n") == 0 and len(now.text) < 400
        assert now.state != "failed" or now.text.endswith("."), "one sentence"
        assert now.share is None or 0 <= now.share <= 1
    for list_ in (follower.events(), follower.last_events()):
        assert all(isinstance(event, dict) for event in list_)
    follower.status()
    for reader in (lambda: job.read("result.json"), job.request_cancel, job.attempts):
        try:
            reader()
        except PruningError as error:
            assert "\n" not in str(error)
    return None if now is None else now.state


def put(folder: Path, name: str, kind: str) -> None:
    """Damage one object of a job."""
    path = folder / "attempts" / "0001" / name
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.unlink(missing_ok=True)
        path.mkdir()
    elif kind == "pipe":
        path.unlink(missing_ok=True)
        os.mkfifo(path)
    elif kind == "circle":
        path.unlink(missing_ok=True)
        path.symlink_to(path)
    else:
        path.write_bytes(DAMAGE[kind])


@pytest.mark.parametrize("kind", [*DAMAGE, "folder", "pipe", "circle"])
@pytest.mark.parametrize("name", OBJECTS)
def test_one_damaged_object(job: Path, name: str, kind: str) -> None:
    put(job, name, kind)
    state = look(job)
    if name == "manifest.json":
        assert state == "failed"
    else:
        assert state == "done", "what has ended has ended"
        (job / "attempts" / "0001" / "manifest.json").unlink()
        # Without a lock nobody knows whether this process, which lives, goes on with it.
        unknown = name == "lock" and kind in ("folder", "circle")
        assert look(job) in (("running",) if unknown else ("failed", "cancelled"))


@pytest.mark.parametrize("kind", [*DAMAGE, "folder"])
@pytest.mark.parametrize("name", ["now.json", "cancel", "started.json", "events/000009.jsonl"])
def test_damage_does_not_end_work_that_lives(tmp_path: Path, name: str, kind: str) -> None:
    job = Job.in_folder(tmp_path / "job")
    with job.working():
        put(tmp_path / "job", name, kind)
        now = job.status()
        assert now is not None and now.state == "running"
        look(tmp_path / "job")


def test_what_is_no_attempt_is_none(tmp_path: Path) -> None:
    for name in ("0001", "9" * 200, "x", "0000", "-1", "³"):
        (tmp_path / "job" / "attempts" / name).mkdir(parents=True)
    (tmp_path / "job" / "attempts" / "0002").write_text("a file")
    assert look(tmp_path / "job") is None
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "attempts").write_text("a file")
    assert look(tmp_path / "other") is None
    for root in ("no\0name", "a\ud800", "x" * 300):
        assert look(tmp_path / root) in (None, "failed")


def test_random_mutations(job: Path) -> None:
    """Of every object of a job, and with its processes' life in it: 500 of them."""
    chance = random.Random(0)
    folder = job / "attempts" / "0001"
    names = ["asked.json", "worker.json", "now.json", "all-events.jsonl", "manifest.json"]
    whole = {name: (folder / name).read_bytes() for name in names}
    for number in range(500):
        name = names[number % len(names)]
        text = bytearray(whole[name])
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(text) + 1)
            kind = chance.randrange(5)
            if kind == 0:
                text[place : place + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del text[place : place + chance.randint(1, 9)]
            elif kind == 2:
                text[place:place] = chance.choice(
                    [b"null", b"NaN", b"{", b"[", b'"', b"9" * 400, b"-1", b"\\ud800", b"1e999", b"true", b",", b"\n"]
                )
            elif kind == 3:
                text = text[:place]
            else:
                values = json.loads(whole["manifest.json"])
                values[chance.choice(list(values))] = chance.choice([None, [], {}, -1, 1.5, "x", True])
                text = bytearray(json.dumps(values).encode())
        (folder / name).write_bytes(bytes(text))
        if chance.random() < 0.5 and name != "manifest.json":
            (folder / "manifest.json").unlink(missing_ok=True)
        look(job)
        for other in names:
            (folder / other).write_bytes(whole[other])
