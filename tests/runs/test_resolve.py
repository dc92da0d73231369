"""A run by its id, its path, or `run:` with either: one function for all commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.catalog import openers
from pruning.cli.main import main
from pruning.runs.resolve import find_run_folder
from pruning.subject import open_subject


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, another one than that of the runs."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_id_path_and_run_with_either_are_one_run(stored_runs: Path, elsewhere: Path) -> None:
    path = stored_runs / "channel"
    relative = os.path.relpath(path, elsewhere)
    for text in ("channel", "run:channel", str(path), f"run:{path}", relative, f"run:{relative}"):
        assert find_run_folder(text).resolve() == path, text
        reference = text if text.startswith("run:") else f"run:{text}"
        assert openers.absolute(reference) == f"run:{path}", text
    assert open_subject("run:channel").title == open_subject(f"run:{path}").title


def test_what_is_absent_is_said_with_what_is_near(stored_runs: Path, elsewhere: Path) -> None:
    for text, near in (
        ("chanel", "channel"),
        ("run:wieght", "weight"),
        ("iter", "iterative"),
        (str(stored_runs / "chanel"), "channel"),
    ):
        with pytest.raises(InputError, match=f"Did you mean {near}") as refused:
            find_run_folder(text)
        assert str(refused.value).count("\n") == 0
    with pytest.raises(InputError, match="no run of that name in") as refused:
        find_run_folder("zzzzzzzz")
    assert "Did you mean" not in str(refused.value)


def test_two_that_are_meant_are_both_named(stored_runs: Path, elsewhere: Path) -> None:
    (elsewhere / "channel").mkdir()
    assert find_run_folder("channel") == stored_runs / "channel", "a folder without a recipe is no run"
    (elsewhere / "channel" / "recipe.yaml").touch()
    with pytest.raises(InputError, match=r"write \./channel") as refused:
        find_run_folder("channel")
    assert str(stored_runs / "channel") in str(refused.value)
    assert find_run_folder("./channel") == Path("channel")


@pytest.mark.parametrize("text", ["", "..", "~nobody/x", "a\0b", "x" * 5000, "run:", "../../etc"])
def test_what_is_no_run_is_a_sentence(stored_runs: Path, elsewhere: Path, text: str) -> None:
    if text == "..":
        assert find_run_folder(text) == Path("..")  # a folder: whoever reads it says that it holds no run
        return
    if text in ("", "run:"):
        assert find_run_folder(text) == Path(".")
        return
    with pytest.raises(InputError):
        find_run_folder(text)


@pytest.mark.parametrize("form", ["weight", "run:weight"])
def test_commands_take_the_id(
    stored_runs: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert main(["export", form, "recipe"]) == 0 and (elsewhere / "weight.yaml").is_file()
    assert main(["runs", "show", form]) == 0
    assert main(["inspect", "run:weight"]) == 0
    assert main(["export", "wieght", "recipe"]) == 2
    assert "Did you mean weight?" in capsys.readouterr().err
