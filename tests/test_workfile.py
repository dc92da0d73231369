"""What a page sees of a process that works on a file: from the start over its death to a refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.jobs.workfile import START_SECONDS, WorkFile


@pytest.fixture
def file(tmp_path: Path) -> WorkFile:
    return WorkFile(tmp_path / "deep" / "work.json")


def test_it_is_read_back_whole_or_not_at_all(file: WorkFile) -> None:
    assert file.read() is None
    file.write({"a": [1]})
    assert file.read() == {"a": [1]}
    file.path.write_text('{"a": [1')
    assert file.read() is None
    assert not list(file.path.parent.glob("*.part"))


def test_states_follow_the_work(file: WorkFile) -> None:
    assert file.status().state == "idle"
    log = file.note_start()
    assert (file.status().state, file.status().is_working) == ("starting", True)
    with file.working():
        file.say("Half way")
        assert (file.status().state, file.status().text) == ("running", "Half way")
        with pytest.raises(InputError, match="Another process"), file.working():
            pass
        assert file.status().state == "running", "who was refused did not spoil it"
        file.request_cancel()
        assert file.is_cancelling
    assert file.status().state == "idle" and not file.is_cancelling
    assert log.parent == file.path.parent


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (Cancelled("Stopped."), "cancelled", "Stopped."),
        (StorageError("The disk is full."), "failed", "The disk is full."),
        (ZeroDivisionError("oh"), "failed", "ZeroDivisionError: oh"),
    ],
)
def test_how_it_ended_is_told(file: WorkFile, error: Exception, state: str, text: str) -> None:
    with pytest.raises(type(error)), file.working():
        raise error
    assert file.status().state == state and text in file.status().text


def test_a_process_that_never_came_or_died_has_failed(file: WorkFile) -> None:
    file.note_start()
    state = file.path.with_suffix(".state")
    said = json.loads(state.read_text())
    state.write_text(json.dumps(said | {"time": said["time"] - START_SECONDS - 1}))
    assert file.status().state == "failed" and "without a word" in file.status().text
    file.say("Working")  # and nobody holds the lock
    assert file.status().state == "failed"


def test_a_refusal_is_quoted(file: WorkFile) -> None:
    file.note_start().write_text("a warning\nError: The images of mnist are not here.\n")
    assert file.status().text == "The images of mnist are not here."


def test_a_damaged_state_reads_as_nothing(file: WorkFile) -> None:
    file.write({})
    file.path.with_suffix(".state").write_text('{"state": "exploded", "text": "", "time": 0}')
    assert file.status().state == "idle"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file, not a folder")
    with pytest.raises(StorageError, match="PRUNING_CACHE"):
        WorkFile(tmp_path / "full" / "work.json").write({})
