"""Damaged folders come about as they are named, and what must not happen on pages and in commands is noticed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from benchmarks import damaged_commands, damaged_folders, damaged_pages
from pruning.base.errors import InputError
from pruning.runs import Listing, read_runs
from pruning.runs.store import Unreadable

COUNT = 500
"""Enough for every kind of damage to every file of the stored runs."""
SOUND = ("channel", "weight", "iterative", "continued", "cancelled", "failed")


@pytest.fixture
def damaged(stored_runs: Path, monkeypatch: pytest.MonkeyPatch) -> list[damaged_folders.Damaged]:
    monkeypatch.setattr(damaged_folders, "SOUND", SOUND)
    return damaged_folders.damage(stored_runs, COUNT, random.Random(0))


def test_half_of_the_folders_have_one_mutated_file_and_sound_runs_stay(
    damaged: list[damaged_folders.Damaged], stored_runs: Path
) -> None:
    assert sum(one.way == "mutated" for one in damaged) == COUNT // 2
    ways = {*damaged_folders.WAYS_OF_FILES, *damaged_folders.WAYS_OF_FOLDERS, "mutated"}
    assert {one.way for one in damaged} == ways
    found = read_runs(stored_runs)
    names = {run.name for run in found.runs} | {one.path.name for one in found.unreadable}
    assert set(SOUND) <= {run.name for run in found.runs} and names == {*SOUND, *(one.name for one in damaged)}
    assert len(found.unreadable) > COUNT // 4


def test_a_folder_with_two_rows_or_a_long_one_is_noticed(tmp_path: Path) -> None:
    found = Listing(unreadable=(Unreadable(path=tmp_path / "a", reason="It is empty."),))
    rows = damaged_pages._odd_rows
    assert rows([("a", "It is empty.")], found) == []
    assert any("2 rows" in text for text in rows([("a", "It is empty.")] * 2, found))
    assert rows([("b", "It is empty.")], found) == ["b has a row, though it can be read"]
    assert any("no short sentence" in text for text in rows([("a", "x" * 600)], found))


@pytest.mark.parametrize(
    ("says", "status", "complaint"),
    [
        ("Error: no.", 2, ""),
        ("Opening\nError: no.", 1, ""),
        ("Error: no.\nand no", 2, "without one sentence"),
        ("Error: no.\nError: no.", 2, "without one sentence"),
        ("", 2, "without one sentence"),
        (f"Error: {'x' * 600}", 2, "without one sentence"),
        ("Traceback (most recent call last):\nError: no.", 2, "a traceback"),
        ("Error: no.", 0, "done, and yet"),
        ("Error: no.", 130, "status 130"),
    ],
)
def test_an_odd_end_of_a_command_is_noticed(
    says: str, status: int, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(arguments: list[str]) -> int:
        import sys

        print(says, file=sys.stderr)
        print(json.dumps({}))
        return status

    monkeypatch.setattr(damaged_commands, "main", main)
    found, wrong = damaged_commands.call(("inspect", "run:x"), 60)
    assert found == status and (complaint in wrong[0] if complaint else wrong == [])


def test_a_command_that_raises_or_goes_on_for_ever_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: list[str]) -> int:
        raise KeyError("speed")

    monkeypatch.setattr(damaged_commands, "main", broken)
    assert damaged_commands.call(("inspect", "run:x"), 60) == (-1, ["KeyError: 'speed'"])

    def endless(arguments: list[str]) -> int:
        for _ in range(2):
            try:
                time.sleep(30)
            except KeyboardInterrupt:
                continue
        return 130

    monkeypatch.setattr(damaged_commands, "PATIENCE", 0.2)
    monkeypatch.setattr(damaged_commands, "main", endless)
    assert damaged_commands.call(("inspect", "run:x"), 0.2) == (130, ["it did not stop when it was asked to"])


def test_a_page_with_an_exception_is_noticed(
    damaged: list[damaged_folders.Damaged], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.runs import unreadable

    visit = damaged_pages.Visit(page="tradeoff", session={"tradeoff_models": "all networks"})
    assert visit.complaints(read_runs()) == []

    def broken(folders: object) -> None:
        raise InputError("no rows")

    monkeypatch.setattr(unreadable, "show", broken)
    assert any("an exception: " in text for text in visit.complaints(read_runs()))
