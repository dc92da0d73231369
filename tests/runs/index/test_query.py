"""What is asked of the index: filters and orders against the same done by hand on the runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.runs import Run, list_runs
from pruning.runs.index.index import Index
from pruning.runs.index.query import LONGEST_TEXT, SORTS, Query
from pruning.runs.summary import Summary
from pruning.runs.words import describe


@pytest.fixture
def index(stored_runs: Path) -> Index:
    made = Index(stored_runs)
    made.look()
    return made


def names(index: Index, **wanted: object) -> list[str]:
    return [run.name for run in index.find(Query(**wanted)).runs]  # type: ignore[arg-type]


def _of(sort: str, run: Summary) -> object:
    dense, pruned = run.dense, run.pruned
    ratios = {"params": "params", "nonzero": "nonzero", "macs": "macs"}
    if sort in ratios and dense is not None and pruned is not None:
        return getattr(dense, sort) / max(1, getattr(pruned, sort))
    return {
        "created": run.created, "name": run.name, "state": run.state, "network": run.network, "images": run.images,
        "criterion": run.criterion, "sparsity": run.most, "value": None if pruned is None else pruned.value,
        "select": next((span[1] for span in reversed(run.stages.values()) if span is not None), None),
        "repaired": run.repaired and run.repaired[1], "difference": run.difference and run.difference[1],
        "speedup": run.speedup and run.speedup[1],
        "bytes": sum(path.stat().st_size for path in run.path.rglob("*")),
    }.get(sort)  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("reverse", [False, True])
def test_each_order_is_that_of_the_figures_and_what_has_none_comes_last(index: Index, sort: str, reverse: bool) -> None:
    values = [_of(sort, run) for run in index.find(Query(sort=sort, reverse=reverse)).runs]
    assert len(values) == 6
    there = [value for value in values if value is not None]
    assert values[: len(there)] == there, "those without a figure come last"
    assert there == sorted(there, reverse=SORTS[sort][1] != reverse)  # type: ignore[type-var]


def test_what_a_repair_gave_is_kept_and_sorted_by(index: Index, repaired_run: Run) -> None:
    shutil.copytree(repaired_run.path, index.runs / "refitted")
    index.look()
    assert names(index, sort="repaired")[0] == "refitted", "others have no such figure"
    found = index.find_one("refitted")
    assert found is not None and repaired_run.result is not None
    stages = repaired_run.result.stages
    assert stages.as_cut is not None and stages.repaired is not None
    assert (found.repair, found.select_metric) == ("refit", "accuracy")
    for kept, measured in ((found.as_cut, stages.as_cut), (found.repaired, stages.repaired)):
        assert kept == (measured.interval[0], measured.value, measured.interval[1]), "with its interval"
    assert found.recalibrated is None and found.finetuned is None
    channel = index.find_one("channel")
    assert channel is not None and channel.repair == "recalibrate" and channel.repaired is None


def test_filters(index: Index) -> None:
    runs = [run.summary for run in list_runs(index.runs)]
    for wanted, fits in (
        ({"states": ("failed", "cancelled")}, lambda run: run.state in ("failed", "cancelled")),
        ({"finished": True}, lambda run: run.is_done),
        ({"network": "lenet300"}, lambda run: run.network == "lenet300"),
        ({"images": "mnist5k"}, lambda run: run.images == "mnist5k"),
        ({"origin": "sample:mini_resnet"}, lambda run: run.origin == "sample:mini_resnet"),
        ({"data": "mnist"}, lambda run: run.data == "mnist"),
        ({"text": "L2 NORM"}, lambda run: "L2 norm" in describe(run)),
        ({"text": "weights mini"}, lambda run: run.granularity == "weight"),
        ({"metric": "accuracy", "finished": True}, lambda run: run.is_done),
        ({"metric": "agreement", "finished": True}, lambda run: False),
    ):  # fmt: skip
        assert set(names(index, **wanted)) == {run.name for run in runs if fits(run)}, wanted


def test_a_part_of_it_says_how_many_there_are(index: Index) -> None:
    whole = names(index)
    found = index.find(Query(limit=2, offset=1))
    assert [run.name for run in found.runs] == whole[1:3] and found.total == 6
    assert index.find(Query(limit=10)).total == 6 and index.find(Query(limit=0)).total == 6
    assert index.find(Query(limit=10, offset=5)).total == 6


@pytest.mark.parametrize("text", ["%", "_", "'", '";DROP', "\\", "\x00", "💥", "NORM", "mini_res", "50 %"])
def test_what_is_looked_for_is_text_and_no_pattern(index: Index, text: str) -> None:
    def holds(run: Summary) -> bool:
        places = (run.name, describe(run), run.network, run.images, run.criterion, run.message or "")
        return all(any(word in place.lower() for place in places) for word in text.lower().split())

    assert set(names(index, text=text)) == {run.name for run in index.find(Query()).runs if holds(run)}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [({"sort": "colour"}, "choose one of created"), ({"states": ("gone",)}, "a state is one of"),
     ({"text": "x" * (LONGEST_TEXT + 1)}, "at most 200")],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_sentence(wanted: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Query(**wanted)  # type: ignore[arg-type]
