"""A result says what was measured and what was not, and is one thing in memory and on disk."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.compare.verdict import facts_of_result, verdict
from pruning.latency.clock import Timing
from pruning.render.markup import result as markup
from pruning.runs.ledger import ledger_of_result
from pruning.runs.result import Change, Measurement, Result, Speedup, Stages
from pruning.runs.result_json import SCHEMA_VERSION, UPGRADES, from_values, to_values
from pruning.tasks.classification import CLASSIFICATION
from pruning.tasks.means import mean_difference, mean_interval
from pruning.tasks.metric import Metric
from pruning.tasks.table import TASKS

Make = Callable[..., Result]


def again(result: Result) -> Result:
    """The same, written and read."""
    return from_values(json.loads(json.dumps(to_values(result), allow_nan=False)), "result.json")


def bare(make_result: Make) -> Result:
    """Without images, labels and clock."""
    full = make_result()
    return make_result(
        data=None,
        dense=replace(full.dense, test=None, latency={}),
        pruned=replace(full.pruned, test=None, latency={}),
        speedups=(),
        difference=None,
        stages=Stages(),
        rounds=(replace(full.rounds[0], stages=Stages()),),
    )


def test_it_reads_what_it_writes(make_result: Make) -> None:
    assert again(make_result()) == make_result()
    assert again(bare(make_result)) == bare(make_result)


def on_select(right: int = 4, images: int = 4) -> Measurement:
    return Measurement(value=right / images, interval=(0.1, 1.0), correct=right, images=images, role="select")


def test_the_dense_network_on_select_images_is_kept_since_version_3(make_result: Make) -> None:
    result = make_result(dense_select=on_select())
    values = to_values(result)
    assert values["dense_select"]["role"] == "select" and values["dense_select"]["accuracy"] == 1.0
    assert again(result) == result
    old = {name: value for name, value in values.items() if name != "dense_select"} | {"schema_version": 2}
    assert from_values(old, "result.json") == make_result()


def test_every_earlier_version_has_its_step() -> None:
    assert sorted(UPGRADES) == list(range(1, SCHEMA_VERSION))


@pytest.fixture
def mean_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task whose metric is less the better it is, and counts nothing."""
    metric = Metric(
        name="mean_error", title="mean error", unit="px", unit_of_change="px", higher_is_better=False,
        score=lambda outputs, targets: outputs, interval=mean_interval, difference=mean_difference,
        guess=lambda info: 1.0,
    )  # fmt: skip
    monkeypatch.setitem(TASKS, "pointing", replace(CLASSIFICATION, name="pointing", metric=metric, choices=None))


def test_another_metric_stands_under_its_own_name(make_result: Make, mean_error: None) -> None:
    error = Measurement(metric="mean_error", value=0.2, interval=(0.1, 0.3), images=4, role="test")
    full = make_result()
    change = Change(metric="mean_error", value=0.05, interval=(-0.1, 0.2))
    result = make_result(
        dense=replace(full.dense, test=error), pruned=replace(full.pruned, test=error), difference=change
    )
    values = to_values(result)
    assert values["pruned"]["metric"] == "mean_error" and "accuracy" not in values["pruned"]
    assert (values["pruned"]["mean_error"], values["pruned"]["mean_error_interval"]) == (0.2, [0.1, 0.3])
    assert values["difference"]["mean_error"] == 0.05
    assert again(result) == result
    facts = facts_of_result(result)
    assert facts.difference is not None and facts.difference.value == 0.05 and facts.changes is None
    assert verdict(facts).rest == "No difference in mean error that 4 images can show."
    worse = replace(facts, difference=replace(facts.difference, interval=(0.01, 0.09)))
    assert verdict(worse).rest == "Mean error is worse by 0.050 px (0.010 to 0.090)." and verdict(worse).tone == "worse"
    better = replace(facts, difference=replace(facts.difference, value=-0.05, interval=(-0.09, -0.01)))
    assert verdict(better).rest == "Mean error is better by 0.050 px (0.010 to 0.090)."
    assert "Mean error on 4 test images" in markup.ledger_html(result) and "0.200 px" in markup.ledger_html(result)


def test_a_metric_that_nobody_knows_is_refused_in_words(make_result: Make) -> None:
    values = to_values(make_result())
    values["dense"] |= {"metric": "f1", "f1": 0.5, "f1_interval": [0.4, 0.6]}
    with pytest.raises(StorageError, match="There is no metric 'f1'; there is accuracy"):
        from_values(values, "result.json")


def test_what_was_not_measured_is_said(make_result: Make) -> None:
    result = bare(make_result)
    assert markup.verdict(result) == "● not measured on test images · parameters ÷ 2.00 · not timed"
    ledger = markup.ledger_html(result)
    assert "the run had no test images" in ledger and "not measured" in ledger
    assert markup.footnote(result).count("No time was taken") == 1
    assert ledger_of_result(result).clocks == ()
    said = verdict(facts_of_result(result))
    assert said.headline == "Half the size" and said.tone == "unknown"
    assert said.rest == "What it answers was not measured, for there were no test images."
    assert result.speedup() is None and not result.tuned


def test_a_clock_without_images_and_images_without_a_clock(make_result: Make) -> None:
    full = make_result()
    timed = make_result(
        dense=replace(full.dense, test=None), pruned=replace(full.pruned, test=None), difference=None, data=None
    )
    assert markup.verdict(timed).endswith("1.60× as fast (1.50–1.70)") and again(timed) == timed
    untimed = make_result(dense=replace(full.dense, latency={}), pruned=replace(full.pruned, latency={}), speedups=())
    assert markup.verdict(untimed).endswith("not timed") and again(untimed) == untimed


@pytest.mark.parametrize(
    "build",
    [
        lambda full: replace(full.dense, params=0, nonzero=0),
        lambda full: replace(full.dense, nonzero=101),
        lambda full: replace(full.dense, macs=-1),
        lambda full: replace(full.dense, latency={1: Timing(low=0.0, median=1.0, high=2.0)}),
        lambda full: replace(full.dense, latency={1: Timing(low=3.0, median=1.0, high=2.0)}),
        lambda full: Measurement(value=1.2, interval=(0.1, 1.3), images=4, role="test"),
        lambda full: Measurement(value=float("nan"), interval=(0.1, 0.3), images=4, role="test"),
        lambda full: Measurement(value=0.5, interval=(0.6, 0.4), images=4, role="test"),
        lambda full: Measurement(value=0.5, interval=(0.4, 0.6), images=4, correct=5, role="test"),
        lambda full: Measurement(metric="a b", value=0.5, interval=(0.4, 0.6), images=4, role="test"),
        lambda full: Speedup(batch=1, low=0.0, middle=1.0, high=2.0),
        lambda full: Speedup(batch=1, low=1.0, middle=1.5, high=float("inf")),
        lambda full: replace(full, threads=0),
        lambda full: replace(full, dense_select=replace(on_select(), role="test")),
        lambda full: replace(full, dense_select=on_select(images=5)),
        lambda full: replace(full, dense_select=on_select(), stages=Stages()),
        lambda full: replace(full, seconds=float("inf")),
        lambda full: replace(full, difference=None),
        lambda full: replace(full, pruned=replace(full.pruned, test=None)),
        lambda full: replace(full, pruned=replace(full.pruned, latency={})),
        lambda full: replace(full, difference=replace(full.difference, newly_wrong=9)),
        lambda full: replace(full, speedups=full.speedups * 2),
    ],
)
def test_values_that_contradict_each_other_are_refused(make_result: Make, build: Callable[[Result], Any]) -> None:
    with pytest.raises(InputError, match="cannot be a run's result"):
        build(make_result())


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a place; `...` removes it."""
    found = copy.deepcopy(values)
    *way, last = path.split(".")
    at: Any = found
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("schema_version", ..., "holds no schema_version"),
        ("schema_version", "2", "schema_version is '2', not a whole number"),
        ("schema_version", 99, "made by a later version of the explorer"),
        ("recipe", [], "a list stands where names"),
        ("recipe.criterion", "nosuch", "nosuch"),
        ("pruned", ..., "holds no pruned"),
        ("pruned.params", "many", "pruned of result.json is damaged: params is 'many', not a whole number"),
        ("pruned.params", 1.5, "params is 1.5, not a whole number"),
        ("pruned.params", True, "params is True, not a whole number"),
        ("pruned.bytes.raw", None, "bytes of pruned of result.json is damaged: it holds no raw"),
        ("pruned.accuracy", ..., "holds no accuracy"),
        ("pruned.accuracy_interval", [0.1], "not a list of 2 numbers"),
        ("pruned.role", "exam", "role is 'exam', not train or select or test"),
        ("pruned.latency_ms", {"one": {}}, "is no batch size"),
        ("pruned.latency_ms.1.low", -1.0, "the time of a batch of 1"),
        ("speedup.1", [1.0, 2.0], "not a list of 3 numbers"),
        ("speedup.1", [3.0, 2.0, 1.0], "the speed-up of a batch of 1"),
        ("difference", None, "do not belong together"),
        ("stages", "all", "stands where names"),
        ("rounds.0.steps", -3, "steps is -3"),
        ("layers", {}, "layers is an object, not a list"),
        ("layers.0.kept", 11, "kept is 11, not a whole number from 0 to 10"),
        ("check.status", "proven", "status is 'proven'"),
        ("seconds", "long", "seconds is 'long', not a number"),
    ],
)
def test_what_is_damaged_is_named(make_result: Make, path: str, value: Any, words: str) -> None:
    values = changed(to_values(make_result()), path, value)
    with pytest.raises(StorageError) as caught:
        from_values(values, "result.json")
    assert words in str(caught.value) and len(str(caught.value)) < 400
