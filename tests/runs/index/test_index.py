"""The index against the folders: it says what they say, whatever befalls them or it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from pruning.base.errors import StorageError
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import wish
from pruning.runs import create_run, read_runs
from pruning.runs.index import database, refresh
from pruning.runs.index.index import Index, index_of
from pruning.runs.index.place import index_path, is_on_network
from pruning.runs.index.query import Query
from pruning.runs.index.tables import identity
from pruning.runs.labels import Label, write_label
from pruning.runs.recipe import Recipe
from tests.runs.damage import FAULTS

ANN = "a" * 32


@pytest.fixture
def index(stored_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("PRUNING_INDEX", str(tmp_path / "index"))
    made = Index(stored_runs)
    made.look()
    return made


def agrees(index: Index) -> None:
    """The index after a look holds just what is in the folders."""
    index.look(everything=True)
    truth = read_runs(index.runs)
    listed = [dataclasses.replace(run, label=Label()) for run in index.find(Query()).runs]
    assert sorted(listed, key=lambda run: run.name) == sorted(
        (run.summary for run in truth.runs), key=lambda run: run.name
    )
    assert index.unreadable() == truth.unreadable
    assert index.counts().runs == len(truth.runs) and index.counts().unreadable == len(truth.unreadable)


def names(index: Index, **wanted: object) -> list[str]:
    return [run.name for run in index.find(Query(**wanted)).runs]  # type: ignore[arg-type]


def test_it_says_what_the_folders_say(index: Index) -> None:
    agrees(index)
    assert [run.name for run in index.find(Query()).runs] == [run.name for run in read_runs(index.runs).runs]


def test_new_changed_and_gone_folders_are_taken_up(index: Index) -> None:
    shutil.copytree(index.runs / "channel", index.runs / "copy")
    assert index.look().read >= 1 and "copy" in names(index)
    values = json.loads((index.runs / "copy" / "result.json").read_text())
    values["pruned"]["macs"] = 7
    (index.runs / "copy" / "result.json").write_text(json.dumps(values))
    index.look()
    found = index.find_one("copy")
    assert found is not None and found.pruned is not None and found.pruned.macs == 7
    shutil.rmtree(index.runs / "copy")
    os.rename(index.runs / "weight", index.runs / "renamed")
    index.look()
    assert "copy" not in names(index) and "weight" not in names(index) and "renamed" in names(index)
    agrees(index)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_damaged_folder_is_a_row_with_its_reason_and_harms_no_other(index: Index, fault) -> None:
    others = set(names(index))
    fault.inflict(shutil.copytree(index.runs / "channel", index.runs / "damaged"))
    index.look()
    assert set(names(index)) - {"damaged"} == others
    found = {one.name: one.reason for one in index.unreadable()}
    assert (fault.reason is None) == ("damaged" in names(index))
    if fault.reason is not None:
        assert fault.reason in found["damaged"]
    agrees(index)


def test_names_that_are_no_text_are_rows_too(index: Index) -> None:
    os.mkdir(os.path.join(os.fsencode(index.runs), b"\xff\xfe"))
    (index.runs / "file").touch()
    (index.runs / ".hidden").mkdir()
    os.symlink(index.runs / "nowhere", index.runs / "link")
    agrees(index)
    assert len(index.unreadable()) == 2
    shutil.rmtree(os.path.join(os.fsencode(index.runs), b"\xff\xfe"))
    agrees(index)


def test_a_run_that_goes_on_is_looked_up_each_time(index: Index) -> None:
    path = create_run(Recipe(model="sample:lenet300", data="mnist5k"), path=index.runs / "mine")
    job = Job.in_folder(path)
    index.look()
    with job.working() as work:
        index.look()
        assert index.find_one("mine").state == "running"  # type: ignore[union-attr]
        work.say("half", 0.5)
        before = index.find(Query())
        index.look()
        assert index.find(Query()) is before, "what it says meanwhile changes no list"
    index.look()
    assert index.find_one("mine").state in ("done", "failed")  # type: ignore[union-attr]
    agrees(index)


def test_of_many_a_slice_is_compared_at_each_look(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "SLICE", 2)
    time.sleep(0.06)
    index.look()
    (index.runs / "channel" / "result.json").write_text("{}")
    looks = 0
    while "channel" in names(index):
        index.look()
        looks += 1
        assert looks <= 3, "six folders, two at a look"
    time.sleep(0.06)
    index.look()
    assert not index.look(everything=True).read, "nothing has changed since"
    (index.runs / "weight" / "result.json").write_text("{}")
    index.reread("weight")
    assert "weight" not in names(index), "at once where it is named"


def test_the_time_of_a_look_is_bounded_and_the_rest_comes_later(index: Index) -> None:
    for number in range(5):
        shutil.copytree(index.runs / "channel", index.runs / f"copy{number}")
    looked = index.look(seconds=0.0)
    assert looked.read == 1 and looked.pending >= 4 and index.counts().pending == looked.pending
    while index.look(seconds=0.0).pending:
        pass
    agrees(index)


def test_two_processes_use_one_database(index: Index) -> None:
    other = Index(index.runs)
    shutil.copytree(index.runs / "channel", index.runs / "copy")
    other.look()
    assert "copy" in names(other) and "copy" in names(index), "what one has read the other need not"
    time.sleep(0.06)
    other.look()
    assert index.look().read == 0
    shutil.rmtree(index.runs / "copy")
    index.look()
    assert "copy" not in names(other)


def test_many_threads_at_once(index: Index) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                shutil.copytree(index.runs / "channel", index.runs / f"copy{number}-{turn}")
                index.look()
                assert f"copy{number}-{turn}" in names(index), "whoever made a run sees it at the next look"
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    agrees(index)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 5000])
def test_a_damaged_database_is_made_anew_and_said_once(index: Index, content: bytes) -> None:
    index.close()
    index.path.write_bytes(content)
    fresh = Index(index.runs)
    fresh.look()
    assert set(names(fresh)) == {run.name for run in read_runs(index.runs).runs}
    assert fresh.take_remarks() == [database.DAMAGED] and fresh.take_remarks() == []
    agrees(index)


def test_a_database_that_is_damaged_while_it_is_used(index: Index) -> None:
    with sqlite3.connect(index.path) as connection:
        connection.execute("DROP TABLE runs")
    assert len(names(index)) == 6 and index.take_remarks() == [database.DAMAGED]
    index.path.unlink()
    index.look()
    assert len(names(index)) == 6
    agrees(index)


def test_one_of_another_version_is_made_anew(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(index.path) as connection:
        connection.execute("UPDATE about SET value = 'tables 0' WHERE name = 'identity'")
    fresh = Index(index.runs)
    fresh.look()
    assert len(names(fresh)) == 6 and fresh.take_remarks() == [database.OTHER]
    with sqlite3.connect(index.path) as connection:
        assert connection.execute("SELECT value FROM about WHERE name = 'identity'").fetchone() == (identity(),)


def test_where_nothing_can_be_written_it_is_kept_in_memory(
    stored_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PRUNING_INDEX", str(tmp_path / "file" / "index"))
    index = Index(stored_runs)
    agrees(index)
    assert len(index.take_remarks()) == 1
    shutil.copytree(stored_runs / "channel", stored_runs / "copy")
    agrees(index)


def test_a_write_ahead_log_is_kept(index: Index) -> None:
    with sqlite3.connect(index.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_never_lies_on_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path}/with\\040space nfs4 rw 0 0\nnone /proc proc rw 0 0\n"
    )
    assert is_on_network(tmp_path / "with space" / "runs", mounts)
    assert not is_on_network(tmp_path / "with", mounts) and not is_on_network(tmp_path, tmp_path / "none")
    monkeypatch.delenv("PRUNING_INDEX")
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    assert index_path(tmp_path).parent == tmp_path / "cache" / "index"
    monkeypatch.setattr("pruning.runs.index.place.is_on_network", lambda _: True)
    assert tmp_path / "cache" not in index_path(tmp_path).parents
    os.symlink(tmp_path, tmp_path.parent / f"{tmp_path.name}-link")
    assert index_path(tmp_path) == index_path(tmp_path.parent / f"{tmp_path.name}-link")


def test_a_folder_of_runs_that_is_not_there_is_empty_and_one_that_cannot_be_read_a_sentence(tmp_path: Path) -> None:
    index = index_of(tmp_path / "none")
    index.look()
    assert names(index) == [] and index is index_of(tmp_path / "none")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "y").symlink_to(tmp_path / "x" / "y")
    with pytest.raises(StorageError, match="cannot be read"):
        index_of(tmp_path / "x" / "y").look()


def test_labels_and_wishes_of_each_visitor(index: Index) -> None:
    store = LocalStore.at(index.runs / "channel")
    write_label(store, Label(title="Mine", tags=("small",)))
    write_label(store, Label(title="Ann's", note="for Monday"), ANN)
    wish(store, ANN)
    index.look()
    assert names(index, text="mine") == ["channel"] and names(index, text="mine", visitor=ANN) == []
    assert names(index, text="monday", visitor=ANN) == ["channel"]
    assert names(index, tags=("small",)) == ["channel"] and index.tags() == ("small",) and index.tags(ANN) == ()
    assert names(index, owner=ANN) == ["channel"] and "channel" not in names(index, owner="")
    assert index.find_one("channel", ANN).label.title == "Ann's"  # type: ignore[union-attr]
    index.label("channel", Label(), ANN)
    assert index.find_one("channel", ANN).label.is_empty  # type: ignore[union-attr]
    (index.runs / "weight" / "recipe.yaml").unlink()
    wish(LocalStore.at(index.runs / "weight"), ANN)
    index.look()
    assert [one.name for one in index.unreadable(ANN)] == ["weight"] and index.unreadable("") == ()
