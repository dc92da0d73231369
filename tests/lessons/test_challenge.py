"""Who takes part in a challenge, and how far entries can be told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.lessons.activities import ACTIVITIES
from pruning.lessons.challenge import GRANULARITY, Challenge, entries_of, is_tie
from pruning.runs import create_run
from pruning.spec import PruneSpec
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Difference


def test_entries_are_told_apart_only_where_the_interval_leaves_out_zero() -> None:
    def against(low: float, high: float) -> Difference:
        return Difference(value=(low + high) / 2, interval=(low, high), newly_wrong=0, newly_right=0)

    assert is_tie(against(-0.01, 0.002)) and not is_tie(against(-0.019, -0.003))
    assert ACCURACY.signed_span(against(-0.019, 0.003).interval) == "−1.9 to +0.3"


def test_names_of_runs_that_a_browser_sends_lead_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def challenge(task: str, limit: float) -> Challenge:
        return Challenge(network="sample:mini_resnet", data="mnist5k", task=task, limit=limit, steps=94)

    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    recipe = challenge("weights", 0.25).recipe(PruneSpec(granularity="weight", sparsity=0.9))
    outside = create_run(recipe, path=tmp_path / "outside")
    inside = create_run(recipe)
    sent = ["..", f"../{outside.name}", str(outside), ".", "nothing", inside.name]

    def found(task: str, limit: float) -> list[str]:
        return [entry.run for entry in entries_of(sent, challenge(task, limit), lambda cut: 0.1)]

    assert found("weights", 0.25) == [inside.name]
    assert found("macs", 0.5) == [] and found("weights", 0.05) == []


LAB = ACTIVITIES["challenge"].settings


@pytest.mark.parametrize("task", LAB["task"].allowed)
@pytest.mark.parametrize("criterion", LAB["criterion"].allowed)
def test_every_criterion_that_is_offered_ranks_in_every_task(task: str, criterion: str) -> None:
    spec = PruneSpec(granularity=GRANULARITY[task], criterion=criterion)
    assert not spec.needs_images, "a lesson asks for no images to rank by"
