"""Who takes part in a challenge, and how far entries can be told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pruning.graph.targets import free_targets
from pruning.lessons.activities import ACTIVITIES
from pruning.lessons.challenge import GRANULARITY, Challenge, entries_of, is_tie, twin_of, what_goes
from pruning.planning.plan import make_plan
from pruning.runs import create_run
from pruning.spec import PruneSpec
from pruning.subject import open_subject
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
        found = entries_of(sent, challenge(task, limit), lambda cut: 0.1, lambda cut: cut.digest)
        return [entry.run for entry in found]

    assert found("weights", 0.25) == [inside.name]
    assert found("macs", 0.5) == [] and found("weights", 0.05) == []


def test_an_entry_that_removes_just_what_another_removes_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    subject = open_subject("sample:lenet300", "mnist5k")
    challenge = Challenge(network="sample:lenet300", data="mnist5k", task="weights", limit=0.25, steps=94)

    def removed(cut: PruneSpec) -> str:
        return what_goes(make_plan(subject.model, subject.graph, cut))

    names = [target.name for target in free_targets(subject.graph, "weight")]
    one = PruneSpec(granularity="weight", sparsity=0.9)
    same = PruneSpec(granularity="weight", layers=tuple((name, 0.9) for name in names))
    other = PruneSpec(granularity="weight", criterion="random", sparsity=0.9)
    assert removed(one) == removed(same) != removed(other)
    sent = [create_run(challenge.recipe(cut)).name for cut in (one, same, other, one)]
    found = entries_of(sent, challenge, lambda cut: 0.1, removed)
    assert [(entry.run, entry.number) for entry in found] == [(sent[0], 1), (sent[2], 2)]
    assert twin_of(removed(same), found) == found[0] and twin_of("nothing", found) is None
    early = replace(found[0], ended_early="cancelled")
    assert twin_of(removed(same), [early]) is None, "it may be entered again"


LAB = ACTIVITIES["challenge"].settings


@pytest.mark.parametrize("task", LAB["task"].allowed)
@pytest.mark.parametrize("criterion", LAB["criterion"].allowed)
def test_every_criterion_that_is_offered_ranks_in_every_task(task: str, criterion: str) -> None:
    spec = PruneSpec(granularity=GRANULARITY[task], criterion=criterion)
    assert not spec.needs_images, "a lesson asks for no images to rank by"
