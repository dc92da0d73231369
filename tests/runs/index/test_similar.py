"""Similar runs from the index are those that are found by working out what each run keeps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pruning.runs import list_runs
from pruning.runs.index.index import Index
from pruning.runs.index.similar import values_of_similar
from pruning.runs.similar_runs import similar_runs
from pruning.spec import PruneSpec
from pruning.subject import open_subject

MODEL, DATA = "sample:mini_resnet", "mnist5k"


@pytest.fixture
def index(stored_runs: Path) -> Index:
    for number in range(3):  # with other figures, so that they can be told apart
        copy = shutil.copytree(stored_runs / "channel", stored_runs / f"copy{number}")
        values = json.loads((copy / "result.json").read_text())
        values["stages"]["finetuned"]["accuracy"] = 0.90 + number / 100
        values["stages"]["finetuned"]["accuracy_interval"] = [0.8, 0.99]
        (copy / "result.json").write_text(json.dumps(values))
    made = Index(stored_runs)
    made.look()
    return made


@pytest.mark.parametrize(
    "spec",
    [
        PruneSpec(sparsity=0.5),
        PruneSpec(sparsity=0.48),
        PruneSpec(sparsity=0.9),
        PruneSpec(),
        PruneSpec(sparsity=0.5, granularity="weight"),
        PruneSpec(sparsity=0.8, granularity="weight"),
        PruneSpec(layers=(("layer2.0.conv1", 0.6), ("layer3.0.conv1", 0.25))),
    ],
    ids=str,
)
@pytest.mark.parametrize("within", [0.05, 0.3, 2.0])
def test_they_are_the_same_as_those_worked_out(index: Index, spec: PruneSpec, within: float) -> None:
    graph = open_subject(MODEL).graph
    runs = similar_runs(list_runs(index.runs), graph, spec, model=MODEL, data=DATA, within=within)
    expected = [run.result.stages.finetuned.value for run in runs]  # type: ignore[union-attr]
    found = values_of_similar(index, graph, spec, model=MODEL, data=DATA, within=within)
    assert sorted(found) == sorted(expected)
    if spec == PruneSpec(sparsity=0.5):
        assert len(found) >= 4


def test_others_are_passed_over(index: Index) -> None:
    graph, half = open_subject(MODEL).graph, PruneSpec(sparsity=0.5)
    assert values_of_similar(index, graph, half, model=MODEL, data="mnist") == []
    assert values_of_similar(index, graph, half, model="sample:lenet5", data=DATA) == []
    lenet = open_subject("sample:lenet5").graph
    assert values_of_similar(index, lenet, half, model=MODEL, data=DATA) == [], "of a network that has changed since"
