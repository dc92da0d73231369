"""Every format that leaves the explorer: each makes a file from a finished run, with what its record says."""

from __future__ import annotations

import csv
import errno
import io
import mimetypes
import os
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.cli.main import main
from pruning.export.record import NEEDS, Export, Need, Source
from pruning.export.table import EXPORTS, find_export, offered
from pruning.notebook import Result
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run: half of the neurons of a small network, and no fine-tuning."""
    folder = create_run(
        Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)),
        path=tmp_path_factory.mktemp("exports") / "runs" / "half",
    )
    execute(folder)
    return read_run(folder)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_each_makes_a_file_from_a_finished_run(export: Export, run: Run, tmp_path: Path) -> None:
    source = Source.around(run)
    name = export.file_for(source)
    assert Path(name).name == name and "{" not in name and ("half" in name) == ("{name}" in export.file_name)
    written = export.write(source, tmp_path / name)
    content = written.read_bytes()
    assert len(content) > 50 and list(tmp_path.iterdir()) == [written]
    assert export.name in CONTENTS, f"format '{export.name}' needs its check in CONTENTS of {Path(__file__).name}"
    CONTENTS[export.name](content, run)


def _recipe(content: bytes, run: Run) -> None:
    assert Recipe.from_yaml(content.decode()) == run.recipe


def _weights(content: bytes, run: Run) -> None:
    assert run.result is not None
    assert load(content)["fc1.weight"].shape == (150, 784)


def _report(content: bytes, run: Run) -> None:
    assert content.startswith(b"<!doctype html>") and b"LeNet" in content


def _runs(content: bytes, run: Run) -> None:
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert row["name"] == "half" and float(row["sparsity"]) == 0.5
    assert run.result is not None and int(row["pruned_params"]) == run.result.pruned.params < int(row["dense_params"])


def _layers(content: bytes, run: Run) -> None:
    rows = {row["layer"]: row for row in csv.DictReader(io.StringIO(content.decode()))}
    assert float(rows["fc1"]["channels before"]) == 300 and float(rows["fc1"]["channels after"]) == 150
    assert sum(float(row["share of MACs"]) for row in rows.values()) == pytest.approx(100)


def _bundle(content: bytes, run: Run) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None and {"half-bundle/load.py", "half-bundle/README.md"} <= set(file.namelist())


CONTENTS = {
    "bundle": _bundle,
    "recipe": _recipe,
    "weights": _weights,
    "report": _report,
    "runs": _runs,
    "layers": _layers,
}


def test_every_format_has_its_check() -> None:
    assert EXPORTS.keys() == CONTENTS.keys(), "a format needs its check of what is in the file: CONTENTS, above"


def test_records_say_what_they_are() -> None:
    for name, export in EXPORTS.items():
        assert export.name == name and export.title and export.explanation.endswith(".")
        guessed = mimetypes.guess_type(export.file_name)[0]
        assert guessed in (None, export.media_type), f"{export.file_name} is {guessed}"
    assert {export.needs for export in EXPORTS.values()} == set(NEEDS), "nothing is asked for that no format needs"


def test_only_what_can_be_made_is_offered(run: Run, tmp_path: Path) -> None:
    waiting = read_run(create_run(run.recipe, path=tmp_path / "waiting"))
    assert offered(Source.of(waiting)) == that_need("recipe")
    assert offered(Source.of(run)) == that_need("recipe", "run")
    assert offered(Source(runs=())) == that_need("runs")
    assert offered(Source()) == ()
    with pytest.raises(InputError, match=r"waiting\.safetensors is made from a finished run, and there is none here"):
        EXPORTS["weights"].content(Source.of(waiting))


def that_need(*needs: Need) -> tuple[Export, ...]:
    """The formats that are made from one of these, in the table's order."""
    found = tuple(export for export in EXPORTS.values() if export.needs in needs)
    assert {export.needs for export in found} == set(needs)
    return found


def test_a_table_of_runs_holds_those_that_did_not_end_well(run: Run, tmp_path: Path) -> None:
    waiting = read_run(create_run(run.recipe, path=tmp_path / "waiting"))
    rows = list(
        csv.DictReader(
            io.StringIO(EXPORTS["runs"].content(Source(runs=lambda: [run.summary, waiting.summary])).decode())
        )
    )
    assert [row["state"] for row in rows] == ["done", "queued"] and rows[1]["pruned_params"] == ""


def test_the_shell_and_notebooks_take_them_from_the_table(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run.path), "weights"]) == 0
    assert (tmp_path / "half.safetensors").read_bytes() == run.weights()
    assert "half.safetensors" in capsys.readouterr().out
    assert Result(run=run).export("recipe", tmp_path / "again.yaml").read_text() == run.recipe.to_yaml()
    assert main(["export", str(run.path), "docx"]) == 2
    assert "There is no format 'docx'. Choose one of: bundle, recipe, " in capsys.readouterr().err
    assert main(["export", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(export.name in shown and export.explanation in shown for export in EXPORTS.values())


def test_a_file_is_there_whole_or_not_at_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("absent/a.yaml", "long" * 100, "."):
        with pytest.raises(InputError, match="name a file in a folder that is there"):
            find_export("recipe").write(Source.of(run), tmp_path / name)
    monkeypatch.setattr(os, "replace", no_room)
    with pytest.raises(StorageError, match=r"cannot be written to .*half.yaml \(No space left on device\)"):
        find_export("recipe").write(Source.of(run), tmp_path / "half.yaml")
    assert not list(tmp_path.iterdir())


def test_a_report_that_is_asked_to_stop_is_not_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        find_export("report").write(Source.of(run), tmp_path / "report.html", cancel=lambda: True)
    assert not (tmp_path / "report.html").exists()


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_weights_of_a_damaged_run_are_one_sentence(run: Run, tmp_path: Path) -> None:
    bare = read_run(create_run(run.recipe, path=tmp_path / "bare"))
    with pytest.raises(StorageError, match=r"model\.safetensors of bare cannot be read"):
        bare.weights()


@pytest.mark.parametrize(
    "changes", [{"name": "two words"}, {"file_name": "a/b.txt"}, {"media_type": "text"}, {"needs": "luck"}]
)
def test_a_record_that_cannot_be_is_refused(changes: dict[str, str]) -> None:
    values = {"name": "some", "title": "Some", "explanation": "Some.", "file_name": "{name}.txt",
              "media_type": "text/plain", "needs": "recipe", **changes}  # fmt: skip
    with pytest.raises(AssertionError):
        Export(**values, make=lambda recipe: b"")  # type: ignore[arg-type]
