"""Runs that repair before they train: what they hand out is exact, noted, and what older recipes mean stays."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pruning.base.errors import InputError
from pruning.base.fields import Fields
from pruning.data.readers import open_data
from pruning.repair.kinds import CANDIDATES
from pruning.runs.identity import recipe_digest
from pruning.runs.pipeline import Outcome, run
from pruning.runs.recipe import Recipe
from pruning.runs.repair_words import repair_words
from pruning.runs.result_json import stages_of, stages_values
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate


def recipe(**changes: Any) -> Recipe:
    base = {"model": "sample:mini_resnet", "data": "mnist5k", "sparsity": 0.5, "finetune_steps": 0}
    return Recipe.from_values({**base, **changes})


@pytest.fixture(scope="module")
def refitted() -> tuple[Outcome, list[dict[str, Any]]]:
    """A run of Mini ResNet that refits, and what it told. Not to be changed."""
    told: list[dict[str, Any]] = []
    return run(recipe(repair="refit"), progress=told.append), told


def test_a_refit_wins_accuracy_back_and_is_still_exact(refitted: tuple[Outcome, list[dict[str, Any]]]) -> None:
    outcome, told = refitted
    stages, check = outcome.result.stages, outcome.result.check
    assert stages.as_cut is not None and stages.repaired is not None and stages.repair is not None
    assert stages.recalibrated is not None and stages.repaired.value > stages.recalibrated.value + 0.2
    assert check.status == "exact" and check.max_error is not None and check.max_error < 1e-9
    assert stages.repair.method in ("refitted", "refitted_recalibrated")
    assert stages.repair.images + stages.repair.judged == 1250
    again = evaluate(outcome.model, open_data("mnist5k"), "select")
    assert again.correct == stages.repaired.correct, "what is handed out is the repaired network"
    assert [event["stage"] for event in told if event["stage"] in ("as_cut", "repair", "repaired")] == [
        "as_cut", "repair", "repaired",
    ]  # fmt: skip


def test_a_network_without_batch_norm_is_refitted_too() -> None:
    stages = run(recipe(model="sample:lenet300", repair="refit", sparsity=0.8)).result.stages
    assert stages.recalibrated is None
    assert stages.repaired is not None and stages.as_cut is not None
    assert stages.repaired.value > stages.as_cut.value + 0.1


def test_bias_correction_leaves_weights_as_they_are() -> None:
    outcome = run(recipe(model="sample:lenet5", repair="bias", sparsity=0.4))
    note = outcome.result.stages.repair
    assert note is not None and set(note.agreement) == {"as_cut", "bias"}
    plain = dict(run(recipe(model="sample:lenet5", repair="none", sparsity=0.4)).model.named_parameters())
    mine = dict(outcome.model.named_parameters())
    assert all(torch.equal(mine[name], plain[name]) for name in mine if name.endswith("weight"))


def test_none_leaves_the_network_as_it_was_cut() -> None:
    stages = run(recipe(repair="none")).result.stages
    assert stages.recalibrated is None and stages.repaired is None and stages.as_cut is not None


def test_pruned_weights_stay_zero() -> None:
    outcome = run(recipe(repair="refit", granularity="weight", sparsity=0.9))
    stages = outcome.result.stages
    assert outcome.result.check.reference == "every pruned weight is zero in the final model"
    assert outcome.result.pruned.nonzero < 0.2 * outcome.result.dense.params
    assert stages.repaired is not None and stages.recalibrated is not None
    assert stages.repaired.value >= stages.recalibrated.value


def test_each_round_is_repaired() -> None:
    result = run(recipe(repair="refit", sparsity=0.6, schedule="iterative", iterations=2, finetune_steps=4)).result
    assert all(done.stages.repaired is not None for done in result.rounds)
    assert result.check.status == "exact"


def test_a_recipe_that_does_not_say_it_means_recalibration() -> None:
    assert recipe().repair == "recalibrate"
    assert Recipe.from_values({"version": 4, "model": "sample:lenet5", "data": "mnist5k"}).repair == "recalibrate"
    with pytest.raises(InputError, match="none, recalibrate, bias, refit"):
        recipe(repair="magic")


def test_runs_of_before_keep_their_identity() -> None:
    plain, refitted = (
        recipe_digest(one, weights="w", data="d", batch_norm=True) for one in (recipe(), recipe(repair="refit"))
    )
    assert plain != refitted
    for repair, batch_norm, count in (("refit", False, 2), ("none", True, 1), ("recalibrate", False, 1)):
        found = {
            recipe_digest(recipe(repair=repair, seed=seed), weights="w", data="d", batch_norm=batch_norm)
            for seed in (0, 1)
        }
        assert len(found) == count, f"whether {repair} draws images"


def test_the_note_goes_through_json_and_into_words(refitted: tuple[Outcome, list[dict[str, Any]]]) -> None:
    stages = refitted[0].result.stages
    again = stages_of(Fields(stages_values(stages), "stages"))
    assert again == stages and again.repair is not None
    words = repair_words(again.repair)
    assert "without training or labels: refit" in words and "train images" in words
    assert set(again.repair.agreement) <= set(CANDIDATES)


def test_images_of_a_repair_are_train_images(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = open_subject("sample:mini_resnet", "mnist5k")
    roles: list[str] = []
    plain = type(subject.data).images

    def seen(self: Any, role: Any, index: Any) -> Any:
        roles.append(role)
        return plain(self, role, index)

    monkeypatch.setattr(type(subject.data), "images", seen)
    from pruning.repair.unlabelled import of_data

    of_data(subject.data).take(0, 10)
    assert set(roles) == {"train"}
