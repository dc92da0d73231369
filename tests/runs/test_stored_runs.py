"""Run folders of earlier versions still list, open, compare and report, and their figures keep their meaning."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pruning.cli.main import main
from pruning.compare.sides import Pair, comparable, dense_side, run_side
from pruning.compare.verdict import facts_of, verdict
from pruning.data.readers import open_data
from pruning.export.report import Options, write_report
from pruning.planning.allocation import same_cut
from pruning.runs import Run, list_runs, read_run, read_runs
from pruning.runs.result_json import SCHEMA_VERSION, from_values, to_values
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate

DONE = ("channel", "weight", "iterative", "continued")


def stays(old: Any, new: Any, path: str = "") -> list[str]:
    """Where `new` does not say what `old` said."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for key, value in old.items() for line in stays(value, new.get(key, "absent"), f"{path}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for i, value in enumerate(old) for line in stays(value, new[i], f"{path}.{i}")]
    return [] if old == new else [f"{path}: {old} became {new}"]


def test_they_are_listed_with_their_states(stored_runs: Path) -> None:
    found = read_runs()
    assert found.unreadable == ()
    assert {run.name: run.state for run in found.runs} == {
        **dict.fromkeys(DONE, "done"), "cancelled": "cancelled", "failed": "failed",
    }  # fmt: skip
    assert [run.name for run in found.runs] == [run.name for run in list_runs()]
    assert found.runs[0].created > found.runs[-1].created, "newest first"
    by_name = {run.name: run for run in found.runs}
    assert "No mnist images" in str(by_name["failed"].message) and by_name["failed"].data_dir == "/nowhere"
    assert by_name["continued"].network == "mini_resnet" and by_name["cancelled"].network == "lenet300"
    assert by_name["cancelled"].events().training, "what it had learnt by then"
    assert by_name["iterative"].asked == (0.25, 0.6)


@pytest.mark.parametrize("name", DONE)
def test_every_figure_keeps_its_key_and_meaning(stored_runs: Path, name: str) -> None:
    old = json.loads((stored_runs / name / "result.json").read_text())
    assert old["schema_version"] == 1
    run = read_run(stored_runs / name)
    assert run.result is not None
    new = to_values(run.result)
    assert new["schema_version"] == SCHEMA_VERSION
    assert stays({key: value for key, value in old.items() if key not in ("schema_version", "recipe")}, new) == []
    assert {new[side]["metric"] for side in ("dense", "pruned")} == {"accuracy"}
    assert from_values(json.loads(json.dumps(new)), "it") == run.result


def test_what_came_into_version_1_later_may_be_absent(stored_runs: Path) -> None:
    path = stored_runs / "channel" / "result.json"
    values = json.loads(path.read_text())
    del values["cpu"], values["dense"]["activation_place"]
    older = from_values(values, "it")
    assert (older.cpu, older.dense.activation_place) == ("", "")
    assert dataclasses.replace(older, cpu=read_run(path.parent).result.cpu).threads == older.threads  # type: ignore[union-attr]


@pytest.mark.parametrize("name", DONE)
def test_their_models_open_and_answer_as_they_did(stored_runs: Path, name: str) -> None:
    run = read_run(stored_runs / name)
    assert run.result is not None and run.result.pruned.test is not None
    subject = open_subject(run.ref)
    assert sum(parameter.numel() for parameter in subject.model.parameters()) == run.result.pruned.params
    found = evaluate(subject.model, open_data("mnist5k"), "test")
    assert found.correct == run.result.pruned.test.correct
    answers = run.answers()
    assert answers["pruned"].correct == found.correct
    assert open_subject(run.dense_ref()).ref == "sample:mini_resnet"


def test_the_command_line_opens_them(stored_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", f"run:{stored_runs / 'weight'}", "--role", "test", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["correct"] == json.loads((stored_runs / "weight" / "result.json").read_text())["pruned"]["correct"]
    assert main(["doctor", "--json"]) in (0, 1)
    said = json.loads(capsys.readouterr().out)
    assert (said["run_count"], said["unreadable_runs"]) == (6, {})


def sides(first: Run, second: Run) -> Pair:
    return Pair(
        before=run_side(first, open_subject(first.ref), "first"),
        after=run_side(second, open_subject(second.ref), "second"),
    )


def test_they_compare_with_each_other_and_with_dense(stored_runs: Path) -> None:
    runs = {name: read_run(stored_runs / name) for name in DONE}
    assert comparable(runs["channel"], runs["continued"])
    pair = sides(runs["channel"], runs["continued"])
    assert pair.same_network and pair.batches == (1, 32) and pair.speedup() is not None
    said = verdict(facts_of(pair))
    assert said.answers.startswith("of 1,000 digits")
    weight = runs["weight"]
    dense = dataclasses.replace(pair, before=dense_side(weight, open_subject(weight.dense_ref())))
    assert dense.before.figures.nonzero > runs["weight"].result.pruned.nonzero  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iterative", "continued"])
def test_they_have_a_report(stored_runs: Path, tmp_path: Path, name: str) -> None:
    written = write_report(stored_runs / name, tmp_path / "report.html", Options(), sparsities=(0.0, 0.5))
    text = written.read_text()
    assert "Accuracy against cost" in text and str(stored_runs) not in text


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("channel", PruneSpec(sparsity=0.5, seed=9)),
        ("weight", PruneSpec(granularity="weight", criterion="l1", sparsity=0.8)),
        ("iterative", PruneSpec(sparsity=0.6, layers=(("conv1", 0.25),))),
    ],
)
def test_their_cuts_are_found_equal_to_what_is_asked_today(stored_runs: Path, name: str, spec: PruneSpec) -> None:
    """So that a page shows the result of a run of this very cut."""
    recipe, graph = read_run(stored_runs / name).recipe, open_subject("sample:mini_resnet").graph
    assert same_cut(graph, recipe.prune, spec) and recipe.prune.replace(seed=spec.seed, head_rounding="down") == spec
    assert not same_cut(graph, recipe.prune, spec.replace(sparsity=0.9))
