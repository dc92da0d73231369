"""A damaged, foreign or future folder among the runs is one sentence, and harms no other."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pruning.base.errors import PruningError, StorageError
from pruning.cli.main import main
from pruning.export.report import Options, write_report
from pruning.runs import execute, list_runs, read_run, read_runs
from pruning.runs.recipe import Recipe
from pruning.subject import open_subject
from pruning.training.answers import save_answers
from tests.runs.damage import FAULTS, Fault


@pytest.fixture
def damaged(stored_runs: Path, request: pytest.FixtureRequest) -> Path:
    """A run with the fault that the test is about, beside sound ones."""
    folder = shutil.copytree(stored_runs / "channel", stored_runs / "damaged")
    request.param.inflict(folder)
    return folder


@pytest.mark.parametrize(
    ("damaged", "fault"), [pytest.param(fault, fault, id=fault.name) for fault in FAULTS], indirect=["damaged"]
)
def test_each_fault_is_one_sentence_and_the_other_runs_stay(
    damaged: Path, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    found = read_runs()
    sound = {"channel", "weight", "iterative", "continued", "cancelled", "failed"}
    if fault.reason is None:
        assert found.unreadable == ()
        assert {run.name for run in found.runs} == sound | {"damaged"} == {run.name for run in list_runs()}
        assert read_run(damaged).state in ("done", "failed"), "a clock that is wrong keeps nothing queued for ever"
        return
    assert {run.name for run in found.runs} == sound == {run.name for run in list_runs()}
    (unreadable,) = found.unreadable
    assert unreadable.name == "damaged" and fault.reason in unreadable.reason and len(unreadable.reason) < 400
    with pytest.raises(StorageError) as caught:
        read_run(damaged)
    assert fault.reason in str(caught.value) and "damaged holds no readable run" in str(caught.value)
    assert main(["report", str(damaged)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and "Traceback" not in said
    main(["doctor"])
    assert "run damaged cannot be read: " in capsys.readouterr().out


def test_a_folder_without_a_word_of_who_asked_has_the_age_of_its_recipe(stored_runs: Path) -> None:
    (stored_runs / "channel" / "job.json").unlink()
    os.utime(stored_runs / "channel" / "recipe.yaml", (1e9, 1e9))
    run = read_run(stored_runs / "channel")
    assert run.created.timestamp() == 1e9 and run.data_dir is None


def test_files_and_hidden_folders_are_passed_over(stored_runs: Path) -> None:
    (stored_runs / "notes.txt").touch()
    (stored_runs / ".cache").mkdir()
    found = read_runs()
    assert len(found.runs) == 6 and found.unreadable == ()
    assert read_runs(stored_runs / "nowhere") == read_runs(stored_runs / "notes.txt")


def test_a_name_of_two_lines_stands_in_one(stored_runs: Path) -> None:
    (stored_runs / "two\nlines").mkdir()
    (found,) = read_runs().unreadable
    assert found.name == "two?lines"
    with pytest.raises(StorageError, match=r"^two.lines holds no readable run") as caught:
        read_run(found.path)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_no_text_is_refused(stored_runs: Path) -> None:
    try:
        os.rename(os.fsencode(stored_runs / "weight"), os.fsencode(stored_runs) + b"/we\xffght")
    except OSError:
        pytest.skip("this file system has no such names")
    (unreadable,) = read_runs().unreadable
    assert unreadable.name == "we?ght" and "rename it" in unreadable.reason


def test_weights_that_are_no_numbers_are_refused_in_one_sentence(stored_runs: Path) -> None:
    path = stored_runs / "channel" / "model.safetensors"
    tensors = load_file(path)
    tensors["fc.weight"][0, 0] = torch.nan
    save_file(tensors, path)
    with pytest.raises(StorageError, match=r"is damaged \(fc\.weight holds NaN or infinity\)\. Run its recipe again"):
        open_subject(f"run:{stored_runs / 'channel'}")
    assert read_run(stored_runs / "channel").state == "done", "its numbers can still be read"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 7}, "later version of the explorer"),
        ({"sample": "nosuch"}, "nosuch"),
        ({"sample": 3}, "not a text"),
        ({"root": "sample:" + "a" * 5000}, "There is no model"),
        ({"root": "run:" + "a" * 5000}, "it came from run:aaa"),
        ({"held_zero": [1]}, "not a list of texts"),
        ({"kept": {"conv1.weight": {"0": [0.5]}}}, "0.5 stands where a whole number should"),
        ({"kept": {"conv1.weight": {"9": [0]}}}, "damaged"),
        ({"kept": []}, "names and values"),
        ({"pads": {"conv1": [1, 1, 1]}}, "damaged"),
        ({"sizes": [["conv1", "out_channels", None, -4, 0]]}, "damaged"),
        ({"sizes": 5}, "damaged"),
    ],
)
def test_structures_that_are_none_are_refused_in_one_sentence(
    stored_runs: Path, change: dict[str, object], words: str
) -> None:
    path = stored_runs / "channel" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StorageError) as caught:
        open_subject(f"run:{stored_runs / 'channel'}")
    assert words in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("recipe.yaml", lambda folder: Recipe.from_file(folder / "recipe.yaml")),
        ("recipe.yaml", execute),
        ("model.safetensors", lambda folder: read_run(folder).weights()),
        ("model.safetensors", lambda folder: open_subject(f"run:{folder}")),
        ("answers.safetensors", lambda folder: read_run(folder).answers()),
    ],
)
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(
    stored_runs: Path, name: str, read: Callable[[Path], object]
) -> None:
    folder = stored_runs / "channel"
    (folder / name).unlink()
    os.mkfifo(folder / name)
    # Whoever opens it to write lets a reader that waits go on, so that this test ends even where it fails.
    waits = threading.Timer(20, lambda: os.close(os.open(folder / name, os.O_RDWR)))
    waits.start()
    try:
        with pytest.raises(PruningError):
            read(folder)
        assert waits.is_alive(), "it waited"
    finally:
        waits.cancel()


def test_answers_that_are_none_are_refused_in_one_sentence(stored_runs: Path, tmp_path: Path) -> None:
    path = stored_runs / "channel" / "answers.safetensors"
    sound = path.read_bytes()
    for content in (b"", b"\0" * 200, sound[: len(sound) // 2]):
        path.write_bytes(content)
        with pytest.raises(PruningError, match="cannot be read"):
            read_run(path.parent).answers()
        with pytest.raises(PruningError, match="cannot be read"):
            write_report(path.parent, tmp_path / "report.html", Options(), sparsities=(0.0,))
    path.write_bytes(sound)
    answers = read_run(path.parent).answers()
    answers["pruned"].classes.labels[3] = 10  # of ten digits
    save_answers(path, answers)
    with pytest.raises(PruningError, match="other classes than mnist5k has"):
        read_run(path.parent).answers()
    path.unlink()
    path.mkdir()
    with pytest.raises(PruningError, match="cannot be read"):
        read_run(path.parent).answers()


def test_a_change_of_a_file_is_seen_at_once(stored_runs: Path) -> None:
    path = stored_runs / "channel" / "result.json"
    sound = path.read_text()
    assert len(read_runs().runs) == 6
    for _ in range(3):  # also within one tick of the file system's clock, and with as many bytes
        path.write_text(sound.replace('"schema_version": 1', '"schema_version": 9'))
        assert [one.name for one in read_runs().unreadable] == ["channel"]
        path.write_text(sound)
        assert read_runs().unreadable == ()


def test_many_threads_may_list_at_once(stored_runs: Path) -> None:
    for number in range(20):
        shutil.copytree(stored_runs / "channel", stored_runs / f"copy{number}")
    (stored_runs / "copy7" / "result.json").write_text("{}")
    counts: list[tuple[int, int]] = []

    def look() -> None:
        for _ in range(5):
            found = read_runs()
            counts.append((len(found.runs), len(found.unreadable)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [(25, 1)] * 40
