"""Runs in a few words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pruning.repair.kinds import REPAIRS
from pruning.runs import Run
from pruning.runs.recipe import Recipe
from pruning.runs.words import data_by_network, describe, sparsity, told_apart
from pruning.spec import PruneSpec


def made(**changes: object) -> Run:
    recipe = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)).replace(**changes)
    return Run(
        path=Path("mine"), state="queued", recipe=recipe, created=datetime(2026, 11, 5, 9, 7, tzinfo=UTC), result=None,
        message=None,
    )  # fmt: skip


def test_what_a_run_did() -> None:
    assert describe(made()) == "channels by L2 norm, 50 %"
    assert describe(made(schedule="iterative", iterations=3, finetune_steps=90)) == (
        "channels by L2 norm, 50 % in 3 rounds, fine-tuned"
    )
    assert describe(made(model="run:other", sparsity=0.0, finetune_steps=90)) == "fine-tuned longer"
    assert sparsity(made(layers=(("fc1", 0.2),))) == "20–50 % by layer"


@pytest.mark.parametrize("asked", REPAIRS)
def test_how_it_was_repaired_where_it_is_not_by_recalibration(asked: str) -> None:
    said = describe(made(repair=asked, finetune_steps=90))
    between = said.removeprefix("channels by L2 norm, 50 %").removesuffix("fine-tuned").strip(", ")
    assert between == {"none": "not repaired", "recalibrate": "", "bias": "bias corrected", "refit": "repaired"}[asked]
    assert describe(made(repair=asked, model="run:other", sparsity=0.0, finetune_steps=90)) == "fine-tuned longer"


def test_it_says_of_which_network_and_images_only_where_there_are_several() -> None:
    first, second, third = made(), made(model="sample:mini_resnet"), made(data="cifar10")
    assert told_apart(first, data_by_network([first])) == "● channels by L2 norm, 50 % · 05 Nov 09:07"
    assert " · lenet300 · 05 Nov" in told_apart(first, data_by_network([first, second]))
    assert " · mnist5k · 05 Nov" in told_apart(first, data_by_network([first, third]))


def test_files_are_named_without_their_folders() -> None:
    own = made(model="file:/home/ann/net.py:build?weights=/home/ann/net.pt", data="folder:/home/ann/photos")
    assert (own.network, own.images) == ("net.py:build", "folder:photos")
    assert made().images == "mnist5k"
