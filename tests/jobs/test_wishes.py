"""Who asked for a job, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER, disown, has_wish, owners, wish, wishes, withdraw

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.at(tmp_path)


def test_each_takes_back_their_own(store: LocalStore) -> None:
    assert wish(store, ADA) and wish(store, BOB) and not wish(store, ADA)
    assert [one.visitor for one in wishes(store)] == [ADA, BOB] and has_wish(store, ADA)
    assert not withdraw(store, ADA)
    assert [one.visitor for one in wishes(store)] == [BOB] and not has_wish(store, ADA)
    assert withdraw(store, BOB)


def test_it_is_theirs_who_wish_for_it_or_did_last(store: LocalStore) -> None:
    assert owners(store) == {OWNER}, "what nobody asked for is the machine's"
    wish(store, ADA)
    wish(store, BOB)
    withdraw(store, ADA)
    assert owners(store) == {BOB}
    withdraw(store, BOB)
    assert owners(store) == {ADA, BOB}
    wish(store, OWNER)
    assert owners(store) == {OWNER}


def test_what_is_disowned_is_theirs_no_longer(store: LocalStore) -> None:
    for visitor in (ADA, BOB):
        wish(store, visitor)
        withdraw(store, visitor)
    disown(store, ADA)
    assert owners(store) == {BOB}
    wish(store, BOB)
    disown(store, BOB)
    assert owners(store) == {OWNER}


def test_who_never_asked_takes_nothing_back(store: LocalStore) -> None:
    withdraw(store, ADA)
    assert owners(store) == {OWNER}


def test_on_a_full_disk_a_wish_is_taken_back(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bool:
        raise StorageError("no room")

    wish(store, ADA)
    monkeypatch.setattr(LocalStore, "create", full)
    assert withdraw(store, ADA) and wishes(store) == []


@pytest.mark.parametrize("name", ["../x", "A", "", "g" * 32, "a" * 65])
def test_no_visitor(store: LocalStore, name: str) -> None:
    if name != OWNER:
        with pytest.raises(InputError):
            wish(store, name)
        with pytest.raises(InputError):
            has_wish(store, name)
    (store.root / "wishes").mkdir()
    (store.root / "wishes" / "nonsense.json").write_text("")
    assert wishes(store) == [] and owners(store) == {OWNER}
