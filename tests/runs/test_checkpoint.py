"""A run that was stopped goes on from where it was kept, and ends with the same weights, bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from pruning.base.errors import Cancelled
from pruning.runs import create_run, execute, read_run
from pruning.runs.checkpoint import kept_step
from pruning.runs.files import CHECKPOINT, MODEL
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec

STEPS = 8
ONE_SHOT = Recipe(
    model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.4, seed=1), finetune_steps=STEPS, shift=1
)
IN_ROUNDS = Recipe(
    model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.6, granularity="weight", seed=2),
    schedule="iterative", iterations=2, finetune_steps=STEPS, optimiser="adamw", lr=1e-3,
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe], dict[str, Tensor]]:
    """The weights that a recipe ends with where nobody stops it."""
    known: dict[Recipe, dict[str, Tensor]] = {}

    def weights(recipe: Recipe) -> dict[str, Tensor]:
        if recipe not in known:
            path = create_run(recipe, path=tmp_path_factory.mktemp("undisturbed") / "run")
            execute(path)
            known[recipe] = load_file(path / MODEL)
        return known[recipe]

    return weights


@pytest.fixture(scope="module")
def stopped_early(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-shot run that was cancelled after three steps."""
    path = create_run(ONE_SHOT, path=tmp_path_factory.mktemp("stopped") / "run")
    stop(path, after=3)
    return path


def stop(path: Path, after: int, *, again: bool = False) -> None:
    """Carry a run out until so many steps are done, then cancel it."""
    done = 0

    def look(event: dict[str, Any]) -> None:
        nonlocal done
        done = event["step"] if event["stage"] == "finetune" else done

    with pytest.raises(Cancelled):
        execute(path, progress=look, cancel=lambda: done >= after, again=again)


def go_on(path: Path) -> dict[str, Tensor]:
    execute(path, again=True)
    assert not (path / CHECKPOINT).exists(), "a run that is done needs none"
    return load_file(path / MODEL)


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


@pytest.mark.parametrize("recipe", [ONE_SHOT, IN_ROUNDS], ids=["sgd, one-shot", "adamw, in rounds"])
@pytest.mark.parametrize("stops", [(1,), (3, 6)], ids=str)
def test_it_ends_with_the_same_weights(
    recipe: Recipe, stops: tuple[int, ...], tmp_path: Path, undisturbed: Callable[[Recipe], dict[str, Tensor]]
) -> None:
    path = create_run(recipe, path=tmp_path / "run")
    for again, after in enumerate(stops):
        stop(path, after, again=bool(again))
    assert_same(go_on(path), undisturbed(recipe))
    run = read_run(path)
    assert [event["step"] for event in run.events().training] == list(range(1, STEPS + 1)), "its curve is whole"
    assert [event["stage"] for event in run.events().stages].count("as_cut") == recipe.iterations


def test_it_says_after_which_step_it_goes_on(stopped_early: Path) -> None:
    assert kept_step(stopped_early) == 3


def rewritten(path: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def of_another_shape(path: Path) -> None:
    rewritten(path, lambda tensors: tensors.update({first(tensors, "model."): torch.zeros(3)}))


def without_a_value(path: Path) -> None:
    rewritten(path, lambda tensors: tensors.pop(first(tensors, "model.")))


def with_another_optimiser(path: Path) -> None:
    rewritten(path, lambda tensors: tensors.update({first(tensors, "training.optimiser."): torch.zeros(3)}))


def with_more_parameters(path: Path) -> None:
    rewritten(path, lambda tensors: tensors.update({"training.optimiser.999.momentum_buffer": torch.zeros(3)}))


def first(tensors: dict[str, Tensor], start: str) -> str:
    return next(name for name in sorted(tensors) if name.startswith(start) and tensors[name].dim() > 1)


@pytest.mark.parametrize(
    "damage", [cut_short, of_another_shape, without_a_value, with_another_optimiser, with_more_parameters]
)
def test_what_does_not_fit_is_passed_over(
    damage: Callable[[Path], None],
    stopped_early: Path,
    tmp_path: Path,
    undisturbed: Callable[[Recipe], dict[str, Tensor]],
) -> None:
    path = shutil.copytree(stopped_early, tmp_path / "run")
    damage(path / CHECKPOINT)
    assert_same(go_on(path), undisturbed(ONE_SHOT))


def test_that_of_another_recipe_is_passed_over(
    stopped_early: Path, tmp_path: Path, undisturbed: Callable[[Recipe], dict[str, Tensor]]
) -> None:
    path = create_run(IN_ROUNDS, path=tmp_path / "run")
    shutil.copy(stopped_early / CHECKPOINT, path / CHECKPOINT)
    assert_same(go_on(path), undisturbed(IN_ROUNDS))
