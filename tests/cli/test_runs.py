"""`runs`: each action says what it is, answers as JSON and as lines, and refuses in a sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pruning.cli.main import main
from pruning.cli.runs import ACTIONS
from pruning.runs import Run

ROOT = Path(__file__).parents[2]
ARGUMENTS = {
    "list": [], "show": ["weight"], "tag": ["weight", "small"], "delete": ["weight"], "undelete": ["weight"],
    "clean": ["--dry-run"], "pack": ["channel", "--out", "FILE"], "unpack": ["FILE"], "reindex": [],
}  # fmt: skip


def out(capsys: pytest.CaptureFixture[str]) -> dict:
    captured = capsys.readouterr().out
    assert captured.count("\n") == 1
    return json.loads(captured)


@pytest.mark.parametrize("name", ACTIONS)
def test_each_says_what_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    action = ACTIONS[name]
    assert action.name == name and action.explanation[0].isupper() and action.explanation.endswith(".")
    assert main(["runs", name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert action.explanation in shown and "--json" in shown
    assert main(["runs", name, "--nonsense"]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


def test_every_action_answers_as_json_and_as_lines(
    stored_runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(ARGUMENTS) == set(ACTIONS)
    for place, before in ((["runs", "--json"], []), (["runs"], ["--json"])):
        for name, arguments in ARGUMENTS.items():
            given = [str(tmp_path / "x.zip") if text == "FILE" else text for text in arguments]
            assert main([*place, name, *given, *before]) == 0, name
            assert out(capsys)["schema_version"] == 1, name
    for name, arguments in ARGUMENTS.items():
        given = [str(tmp_path / "x.zip") if text == "FILE" else text for text in arguments]
        assert main(["runs", name, *given]) == 0
        assert capsys.readouterr().out.strip(), name


def test_list_filters_and_sorts(stored_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def listed(*arguments: str) -> list[str]:
        assert main(["runs", "list", *arguments, "--json"]) == 0
        return [run["run"] for run in out(capsys)["runs"]]

    assert listed() == ["cancelled", "failed", "continued", "iterative", "weight", "channel"]
    assert listed("--state", "failed", "--state", "cancelled") == ["cancelled", "failed"]
    assert listed("l1", "weights") == ["weight"] and listed("--network", "lenet300") == ["cancelled"]
    assert listed("--sort", "value", "--limit", "2") == ["continued", "channel"]
    assert listed("--sort", "name", "--reverse")[0] == "weight"
    main(["runs", "tag", "weight", "Monday", "--name", "a demonstration", "--note", "all of it"])
    capsys.readouterr()
    assert listed("--tag", "Monday") == listed("demonstration") == ["weight"] and listed("--tag", "Tuesday") == []
    assert main(["runs", "tag", "weight", "--remove", "Tuesday"]) == 2
    assert "has no tag 'Tuesday': it has Monday" in capsys.readouterr().err
    main(["runs", "tag", "weight", "--remove", "Monday", "--name", "", "--note", ""])
    capsys.readouterr()
    assert listed("--tag", "Monday") == [] and not (stored_runs / "weight" / "labels" / "owner.json").exists()
    assert main(["runs", "list", "--limit", "2"]) == 0
    assert "2 of 6 runs; --limit 0 lists all" in capsys.readouterr().out
    (stored_runs / "weight" / "recipe.yaml").unlink()
    assert main(["runs", "list", "--unreadable"]) == 0
    assert capsys.readouterr().out.startswith("weight  It holds no run")


def test_the_four_accuracies_of_a_run_are_said(
    stored_runs: Path, repaired_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(repaired_run.path, stored_runs / "refitted")
    assert repaired_run.result is not None and repaired_run.result.stages.repaired is not None
    value = repaired_run.result.stages.repaired.value
    assert main(["runs", "list", "--sort", "repaired", "--json"]) == 0
    first, *others = out(capsys)["runs"]
    assert first["run"] == "refitted" and first["repair"] == "refit"
    assert first["stages"]["repaired"] == value and first["stages"]["finetuned"] is None
    assert first["stages"]["intervals"]["repaired"] == list(repaired_run.result.stages.repaired.interval)
    assert all(other["stages"]["repaired"] is None for other in others)
    assert main(["runs", "show", "refitted"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    low, high = (f"{100 * end:.2f}%" for end in repaired_run.result.stages.repaired.interval)
    assert f"{100 * value:.2f}% ({low} to {high}) repaired (no training) on select images" in said
    assert "refit: after each cut" in said
    assert main(["runs", "show", "channel"]) == 0
    assert "repaired" not in capsys.readouterr().out, "it is from before"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["list", "--sort", "colour"], "choose one of created"),
        (["list", "--state", "gone"], "a state is one of"),
        (["list", "--limit", "-1"], "--limit"),
        (["show", "wieght"], "Did you mean weight?"),
        (["delete", "channel", "wieght"], "Did you mean weight?"),
        (["undelete", "channel"], "No deleted run is called channel"),
        (["pack", "failed"], "is not finished"),
        (["unpack", "none.zip"], "There is no file"),
        (["tag", "weight", "--name", "x" * 100], "up to 80 characters"),
        ([], "ACTION"),
    ],
)
def test_refusals_are_a_sentence_and_change_nothing(
    stored_runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    before = sorted(path.name for path in stored_runs.iterdir())
    assert main(["runs", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1
    assert sorted(path.name for path in stored_runs.iterdir()) == before


def test_help_comes_without_torch_and_sqlalchemy() -> None:
    code = (
        "import sys\nfrom pruning.cli.main import main\n"
        "assert main(['runs', 'list', '--help']) == 0 and main(['runs', 'nothing']) == 2\n"
        "print('loaded:', sorted({'torch', 'numpy', 'sqlalchemy', 'streamlit'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip().endswith("loaded: []"), done.stderr


def test_the_index_is_made_anew_on_demand(stored_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list"]) == 0
    capsys.readouterr()
    assert main(["runs", "reindex", "--json"]) == 0
    found = out(capsys)
    assert (found["runs"], found["unreadable"]) == (6, 0)
    Path(found["index"]).write_bytes(b"nonsense" * 1000)
    for end in ("-wal", "-shm"):
        Path(found["index"] + end).unlink(missing_ok=True)
    code = "import sys\nfrom pruning.cli.main import main\nsys.exit(main(['runs', 'list', '--json']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and json.loads(done.stdout)["total"] == 6
    assert done.stderr.count("The index of runs was damaged, and was made anew") == 1
