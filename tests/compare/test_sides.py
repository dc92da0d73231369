"""Two networks are compared only through what was measured: on the same images, and against the same network."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from pruning.base.errors import InputError, StorageError
from pruning.compare.sides import Pair, comparable, dense_side, find_run, run_side
from pruning.opening.models import OpenModel, open_model
from pruning.runs import Run
from pruning.runs.recipe import Recipe
from pruning.runs.result import DataUsed, Result, Speedup
from pruning.training.answers import Answers, save_answers


def answers(predicted: list[int]) -> Answers:
    half = torch.full((4,), 0.5)
    return Answers(
        role="test", data_digest="images", labels=torch.zeros(4, dtype=torch.long), predicted=torch.tensor(predicted),
        confidence=half, truth=half.clone(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(make_result: Callable[..., Result]) -> Callable[..., Run]:
    """Makes a finished run's folder, as far as a comparison reads it."""
    return functools.partial(_run, make_result)


def _run(
    make_result: Callable[..., Result], tmp_path: Path, name: str, speedup: list[float], predicted: list[int] | None,
    digest: str = "images", threads: int = 1,
) -> Run:  # fmt: skip
    path = tmp_path / name
    path.mkdir()
    (path / "model.json").write_text('{"sample": "lenet300"}')
    if predicted is not None:
        save_answers(path / "answers.safetensors", {"dense": answers([0, 0, 0, 1]), "pruned": answers(predicted)})
    low, middle, high = speedup
    result = make_result(
        speedups=(Speedup(batch=1, low=low, middle=middle, high=high),),
        data=DataUsed(name="mnist5k", sha256=digest, source="built in"),
        threads=threads,
    )
    recipe = Recipe(model="sample:lenet300", data="mnist5k")
    return Run(path=path, state="done", recipe=recipe, created=datetime.now(UTC), result=result, message=None)


@pytest.fixture(scope="module")
def opened() -> OpenModel:
    return open_model("sample:lenet300")


def pair(before: Run | None, after: Run, opened: OpenModel) -> Pair:
    first = dense_side(after, opened) if before is None else run_side(before, opened, "first")
    second = run_side(after, opened, "second")
    return Pair(before=first, after=second, data_name="mnist5k", missing="not here", load=lambda: None)  # type: ignore[arg-type,return-value]


def test_a_run_against_dense_says_what_was_measured(tmp_path: Path, opened: OpenModel, run: Callable[..., Run]) -> None:
    found = pair(None, run(tmp_path, "b", [1.5, 1.6, 1.7], [0, 1, 1, 0]), opened)
    assert found.before.kind == "dense" and found.before.name == "" and found.after.name == "b"
    assert (found.before.figures.params, found.after.figures.params) == (100, 50)
    assert found.speedup() == Speedup(batch=1, low=1.5, middle=1.6, high=1.7)
    assert found.difference is not None
    assert (found.difference.newly_wrong, found.difference.newly_right) == (2, 1)
    assert not found.after.tuned and found.batches == (1,)


def test_an_older_run_without_answers_has_the_difference_it_stated(
    tmp_path: Path, opened: OpenModel, run: Callable[..., Run]
) -> None:
    found = pair(None, run(tmp_path, "b", [1.5, 1.6, 1.7], None), opened)
    assert found.after.answers is None
    assert found.difference is not None and found.difference.interval == (-0.7, 0.3)


def test_two_runs_meet_on_their_images(tmp_path: Path, opened: OpenModel, run: Callable[..., Run]) -> None:
    first = run(tmp_path, "a", [1.6 / 1.05, 1.6, 1.6 * 1.05], [0, 1, 1, 0])
    second = run(tmp_path, "b", [2 / 1.1, 2.0, 2 * 1.1], [0, 0, 0, 1])
    found = pair(first, second, opened)
    assert found.difference is not None
    assert (found.difference.newly_wrong, found.difference.newly_right) == (1, 2)
    speedup = found.speedup()
    assert speedup is not None and speedup.estimated
    reach = math.hypot(math.log(1.1), math.log(1.05))
    assert speedup.span == pytest.approx((1.25 * math.exp(-reach), 1.25, 1.25 * math.exp(reach)))
    other_clock = run(tmp_path, "d", [1.5, 1.6, 1.7], None, threads=2)
    assert pair(other_clock, second, opened).speedup() is None, "times of two threads say nothing of one"
    old = pair(run(tmp_path, "c", [1, 1, 1], None), second, opened)
    assert old.difference is None


def test_networks_of_other_kinds_are_not_held_against_each_other(
    tmp_path: Path, opened: OpenModel, run: Callable[..., Run]
) -> None:
    first, second = run(tmp_path, "a", [1, 1, 1], [0] * 4), run(tmp_path, "b", [2, 2, 2], [0] * 4)
    found = pair(first, second, opened)
    other = run_side(second, open_model("sample:mini_resnet"), "other")
    mixed = Pair(before=found.before, after=other, data_name="mnist5k", missing=None, load=found.load)
    assert mixed.speedup() is None and not mixed.same_network


def test_runs_are_comparable_on_the_same_images_only(tmp_path: Path, run: Callable[..., Run]) -> None:
    first, second = run(tmp_path, "a", [1, 1, 1], None), run(tmp_path, "b", [1, 1, 1], None)
    assert comparable(first, second)
    assert not comparable(first, run(tmp_path, "c", [1, 1, 1], None, digest="others"))


@pytest.mark.parametrize("name", ["nothing", "../a", "/etc/passwd", "", ".", "a/../a", "x" * 5000])
def test_only_names_of_finished_runs_are_found(tmp_path: Path, name: str, run: Callable[..., Run]) -> None:
    runs = {"a": run(tmp_path, "a", [1, 1, 1], None)}
    assert find_run(runs, "a") is runs["a"]
    with pytest.raises(InputError, match="There is no finished run") as caught:
        find_run(runs, name)
    assert len(str(caught.value)) < 300


def test_the_network_a_run_began_from(tmp_path: Path, run: Callable[..., Run]) -> None:
    found = run(tmp_path, "a", [1, 1, 1], None)
    assert found.dense_ref() == "sample:lenet300"
    (found.path / "model.json").write_text("[]")
    with pytest.raises(StorageError, match="do not say"):
        found.dense_ref()
