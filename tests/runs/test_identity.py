"""Equal requests have one name, and whatever an answer follows from is part of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pruning.runs import identity
from pruning.runs.identity import recipe_digest, request_digest
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec

PLAIN = Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5))


def digest(recipe: Recipe, **changes: Any) -> str:
    return recipe_digest(recipe, **{"weights": "w", "data": "d", "batch_norm": False} | changes)


def test_equal_recipes_are_one_request_however_they_are_written() -> None:
    again = Recipe.from_yaml(PLAIN.replace(layers=(("conv2", 0.1), ("conv1", 0.2))).to_yaml())
    assert digest(again) == digest(PLAIN.replace(layers=(("conv1", 0.2), ("conv2", 0.1))))


def test_whatever_an_answer_follows_from_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[dict[str, Any]] = [
        {"model": "sample:lenet300"}, {"data": "mnist"}, {"granularity": "weight"}, {"criterion": "l1"},
        {"sparsity": 0.6}, {"layers": (("conv1", 0.5),)}, {"round_to": 2}, {"schedule": "iterative", "iterations": 2},
        {"finetune_steps": 1}, {"batch_size": 32}, {"lr": 0.01}, {"momentum": 0.8}, {"weight_decay": 0.0},
        {"shift": 1}, {"precision": "bf16"}, {"criterion": "taylor"},
        {"criterion": "taylor", "parameters": (("batches", 2),)},
    ]  # fmt: skip
    found = [digest(PLAIN), digest(PLAIN, weights="x"), digest(PLAIN, data="x")]
    found += [digest(PLAIN.replace(**change)) for change in changes]
    monkeypatch.setattr(identity, "ENGINE_VERSION", identity.ENGINE_VERSION + 1)
    found.append(digest(PLAIN))
    monkeypatch.undo()
    monkeypatch.setattr(identity.torch, "__version__", "0.0")
    found.append(digest(PLAIN))
    assert all(a != b for a, b in itertools.combinations(found, 2))


@pytest.mark.parametrize(
    ("changes", "batch_norm", "counts"),
    [
        ({}, False, False),
        ({"criterion": "random"}, False, True),
        ({"criterion": "taylor"}, False, True),
        ({"finetune_steps": 1}, False, True),
        ({}, True, True),
    ],
)
def test_a_seed_counts_only_where_something_draws(changes: dict[str, Any], batch_norm: bool, counts: bool) -> None:
    one, other = (digest(PLAIN.replace(seed=seed, **changes), batch_norm=batch_norm) for seed in (1, 2))
    assert (one != other) is counts


def test_requests_of_two_kinds_never_meet() -> None:
    assert request_digest("scan", {}, weights="w", data="d") != request_digest("race", {}, weights="w", data="d")
    assert request_digest("scan", {}, weights="a", data="b") != request_digest("scan", {}, weights="b", data="a")
