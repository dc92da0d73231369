"""Recipes in words, those that suit a network, and how long they take: arithmetic."""

from __future__ import annotations

import pytest

from pruning.base.errors import InputError
from pruning.base.words import duration
from pruning.runs.duration import OVERHEAD, run_seconds
from pruning.runs.recipe import Recipe
from pruning.runs.recipe_words import plan_words, training_words
from pruning.runs.suitable import suitable_recipe
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:lenet300", "mnist5k")


def test_a_plan_that_names_every_row_is_told_by_its_rows(subject: Subject) -> None:
    plan = Recipe(
        model="sample:lenet300", data="mnist5k", prune=PruneSpec(granularity="weight", criterion="l1", sparsity=0.0)
    )
    words = [
        plan_words(plan.replace(layers=tuple(layers.items())), subject.graph).removeprefix("lenet300, ")
        for layers in ({}, {"fc1": 0.4}, dict.fromkeys(("fc1", "fc2", "fc3"), 0.4))
    ]
    of = "of the weights by L1 norm"
    assert words == ["nothing removed yet", f"0–40 %, row by row, {of}", f"40 % {of}"]


def test_training_is_told_in_epochs_steps_and_rounds() -> None:
    recipe = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=1234)
    assert training_words(recipe, 1.0) == "1 epoch, 1,234 steps"
    in_rounds = recipe.replace(schedule="iterative", iterations=4)
    assert training_words(in_rounds, 2.5) == "2.5 epochs, 1,234 steps in 4 rounds"
    assert training_words(recipe.replace(finetune_steps=1), 1.0) == "1 epoch, 1 step"
    assert training_words(recipe.replace(finetune_steps=0), 0.0) == "no fine-tuning"


def test_what_suits_a_small_data_set_is_mild(subject: Subject) -> None:
    recipe = suitable_recipe(subject, PruneSpec(sparsity=0.3), epochs=2)
    assert (recipe.batch_size, recipe.lr, recipe.finetune_steps) == (32, 0.02, 2 * (3000 // 32))
    assert (recipe.model, recipe.data, recipe.schedule, recipe.iterations) == (subject.ref, "mnist5k", "oneshot", 1)
    rounds = suitable_recipe(subject, PruneSpec(), epochs=1, schedule="iterative", rounds=3)
    assert (rounds.schedule, rounds.iterations) == ("iterative", 3)
    with pytest.raises(InputError):
        suitable_recipe(open_subject("torchvision:squeezenet1_1?size=64"), PruneSpec(), epochs=1)


def test_a_run_takes_its_steps_and_what_comes_beside() -> None:
    recipe = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=200)
    assert run_seconds(recipe, 0.5) == OVERHEAD + 100


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "5 s"), (42, "40 s"), (99, "100 s"), (100, "2 min"), (5399, "90 min"), (7200, "2.0 h")]
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
