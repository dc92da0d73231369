"""Deleting with undo: whole folders move, a shared run leaves only the one who deletes it, names are never taken."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import wish, wishes
from pruning.runs import delete_run, list_runs, read_run
from pruning.runs.labels import Label, read_labels, write_label
from pruning.runs.quota import purge_old
from pruning.runs.trash import references_in_trash, trashed, undelete, undo

ANN, BEN = "a" * 32, "b" * 32


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_deleted_run_comes_back_as_it_was(stored_runs: Path) -> None:
    path = stored_runs / "channel"
    before = contents(path)
    deleted = delete_run(path)
    assert not path.exists() and "channel" not in {run.name for run in list_runs(stored_runs)}
    assert [one.name for one in trashed(stored_runs)] == ["channel"]
    assert "sample:mini_resnet" in references_in_trash(stored_runs)
    assert undo(deleted, stored_runs) == path and contents(path) == before
    assert read_run(path).result is not None and trashed(stored_runs) == []
    with pytest.raises(InputError, match="gone for good"):
        undo(deleted, stored_runs)


def test_of_several_of_one_name_the_last_comes_back_and_nothing_is_written_over(stored_runs: Path) -> None:
    path = stored_runs / "channel"
    delete_run(path)
    shutil.copytree(stored_runs / "weight", path)
    delete_run(path)
    assert undelete("channel", stored_runs) == path and read_run(path).recipe.prune.granularity == "weight"
    with pytest.raises(InputError, match="Another run is called channel now"):
        undelete("channel", stored_runs)
    with pytest.raises(InputError, match="Did you mean channel"):
        undelete("chanel", stored_runs)


def test_a_visitor_takes_back_their_own_wish_alone(stored_runs: Path) -> None:
    path = stored_runs / "channel"
    store = LocalStore.at(path)
    wish(store, ANN)
    wish(store, BEN)
    write_label(store, Label(title="Ann's"), ANN)
    write_label(store, Label(title="Ben's"), BEN)
    deleted = delete_run(path, ANN)
    assert deleted.entry is None and [one.visitor for one in wishes(store)] == [BEN]
    assert read_labels(store) == {BEN: Label(title="Ben's")} and read_run(path).result is not None
    with pytest.raises(InputError, match="somebody else's run"):
        delete_run(path, ANN)
    undo(deleted, stored_runs)
    assert {one.visitor for one in wishes(store)} == {ANN, BEN} and read_labels(store)[ANN].title == "Ann's"
    delete_run(path, ANN)
    assert delete_run(path, BEN).entry is not None and not path.exists()


def test_a_visitor_deletes_nothing_of_the_owners(stored_runs: Path) -> None:
    with pytest.raises(InputError, match="somebody else's run"):
        delete_run(stored_runs / "channel", ANN)
    assert (stored_runs / "channel").is_dir()


def test_what_is_no_run_is_not_deleted(stored_runs: Path) -> None:
    (stored_runs / "foreign").mkdir()
    with pytest.raises(StorageError, match="holds no readable run"):
        delete_run(stored_runs / "foreign")
    assert (stored_runs / "foreign").is_dir()


def test_a_link_goes_and_what_it_leads_to_stays(stored_runs: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    shutil.move(stored_runs / "channel", real)
    os.symlink(real, stored_runs / "channel")
    delete_run(stored_runs / "channel")
    purge_old(stored_runs, datetime.now(UTC) + timedelta(days=30))
    assert trashed(stored_runs) == [] and read_run(real).result is not None


def test_only_what_was_kept_for_long_enough_goes_for_good(stored_runs: Path) -> None:
    delete_run(stored_runs / "channel")
    foreign = stored_runs / ".trash" / "notes of mine"
    foreign.mkdir()
    assert purge_old(stored_runs) == []
    assert [one.name for one in purge_old(stored_runs, datetime.now(UTC) + timedelta(days=8))] == ["channel"]
    assert trashed(stored_runs) == [] and foreign.is_dir()
