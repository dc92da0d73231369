"""Finished runs as points: dense once for each network and data set, nothing where nothing was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pruning.render.figures.tradeoff_points import how_to_read, measured_alike, points_of
from pruning.runs import Run
from pruning.runs.axes import AXES
from pruning.runs.recipe import Recipe
from pruning.runs.result import Result
from pruning.runs.summary import Summary


def run(name: str, result: Result, **changes: object) -> Summary:
    recipe = Recipe(model="sample:lenet300", data="mnist5k").replace(**changes)
    made = Run(path=Path(name), state="done", recipe=recipe, created=datetime.now(UTC), result=result, message=None)
    return made.summary


def test_dense_stands_once_for_each_network(make_result: Callable[..., Result]) -> None:
    result = make_result()
    runs = [run("a", result), run("b", result), run("c", result, model="sample:mini_resnet")]
    points = points_of(runs, AXES["params"], "granularity")
    assert [(point.name, point.dense, point.x) for point in points] == [
        ("", True, result.dense.params), ("a", False, result.pruned.params), ("b", False, result.pruned.params),
        ("", True, result.dense.params), ("c", False, result.pruned.params),
    ]  # fmt: skip
    assert points[0].title == "dense lenet300 on mnist5k" and points[0].kind == "" and points[1].kind == "channels"
    assert points_of(runs[:1], AXES["params"], "criterion")[1].kind == "by L2 norm"
    assert "never joined" in how_to_read(points, left_out=0) and "never joined" not in how_to_read(
        points[:3], left_out=0
    )


def test_what_was_not_measured_is_not_drawn(make_result: Callable[..., Result]) -> None:
    whole = make_result()
    untested = make_result(
        dense=replace(whole.dense, test=None), pruned=replace(whole.pruned, test=None), difference=None
    )
    untimed = make_result(pruned=replace(whole.pruned, latency={}), dense=replace(whole.dense, latency={}), speedups=())
    runs = [run("untested", untested), run("untimed", untimed), run("timed", whole)]
    assert [point.name for point in points_of(runs, AXES["time"], "granularity")] == ["", "timed"]
    assert measured_alike(runs) == runs, "one without a figure stands with any"
    assert "2 more, measured by another metric" in how_to_read([], left_out=2)


def test_files_of_one_name_are_different_networks(make_result: Callable[..., Result]) -> None:
    result, data = make_result(), "folder:/home/ann/photos"
    one, other = "file:/a/net.py:build", "file:/b/net.py:build"
    runs = [run("a", result, model=one, data=data), run("b", result, model=other, data=data)]
    fields = [point.field for point in points_of(runs, AXES["params"], "granularity")]
    assert fields == ["net.py:build on folder:photos"] * 2 + ["net.py:build on folder:photos (2)"] * 2


def test_how_many_are_not_drawn_is_said(make_result: Callable[..., Result]) -> None:
    points = points_of([run("a", make_result()), run("b", make_result())], AXES["params"], "granularity")
    assert "The newest 2 are drawn; 9,000 older ones are not" in how_to_read(points, left_out=0, older=9000)
    assert "older" not in how_to_read(points, left_out=0)
