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
from pruning.runs.result import Measurement, Result, Stages
from pruning.runs.summary import Summary


def run(name: str, result: Result, **changes: object) -> Summary:
    recipe = Recipe(model="sample:lenet300", data="mnist5k").replace(**changes)
    made = Run(path=Path(name), state="done", recipe=recipe, created=datetime.now(UTC), result=result, message=None)
    return made.summary


def select(right: int) -> Measurement:
    return Measurement(value=right / 4, interval=(right / 4, right / 4), correct=right, images=4, role="select")


DENSE = select(4)


def test_dense_stands_once_for_each_network(make_result: Callable[..., Result]) -> None:
    result = make_result(dense_select=DENSE)
    runs = [run("a", result), run("b", result), run("c", result, model="sample:mini_resnet")]
    points = points_of(runs, AXES["params"], "granularity")
    assert [(point.name, point.dense, point.x) for point in points] == [
        ("", True, result.dense.params), ("a", False, result.pruned.params), ("b", False, result.pruned.params),
        ("", True, result.dense.params), ("c", False, result.pruned.params),
    ]  # fmt: skip
    assert (
        points[0].title == "dense LeNet-300-100 on MNIST, 5,000 digits"
        and points[0].kind == ""
        and points[1].kind == "channels"
    )
    assert points_of(runs[:1], AXES["params"], "criterion")[1].kind == "by L2 norm"
    assert "never joined" in how_to_read(points, left_out=0) and "never joined" not in how_to_read(
        points[:3], left_out=0
    )


def test_they_stand_where_select_images_put_them(make_result: Callable[..., Result]) -> None:
    stages = Stages(as_cut=select(1), recalibrated=select(2), repaired=select(3))
    results = {
        "cut": make_result(dense_select=DENSE, stages=Stages(as_cut=select(1))),
        "repaired": make_result(stages=stages),
        "tuned": make_result(stages=replace(stages, finetuned=select(2))),
    }
    points = {p.name: p for p in points_of([run(*it) for it in results.items()], AXES["macs"], "granularity")}
    assert {name: (p.value, p.low, p.high, p.tuned, p.stage) for name, p in points.items()} == {
        "": (1.0, 1.0, 1.0, False, ""),
        "cut": (0.25, 0.25, 0.25, False, ", ● as cut"),
        "repaired": (0.75, 0.75, 0.75, False, ", ● repaired (no training)"),
        "tuned": (0.5, 0.5, 0.5, True, ", ◆ fine-tuned"),
    }, "none of them at its test accuracy, which is 75 % for all"


def test_a_dense_network_of_which_only_test_images_are_known_has_no_cross(make_result: Callable[..., Result]) -> None:
    old, new = run("old", make_result()), run("new", make_result(dense_select=DENSE))
    points = points_of([old], AXES["params"], "granularity")
    assert [point.name for point in points] == ["old"]
    said = "No cross for the dense network: these runs were made before it was measured on select images"
    assert said in how_to_read(points, left_out=0)
    points = points_of([old, new], AXES["params"], "granularity")
    assert [point.name for point in points] == ["old", "", "new"] and "No cross" not in how_to_read(points, left_out=0)
    other = run("other", make_result(), model="sample:lenet5")
    points = points_of([new, other], AXES["params"], "granularity")
    assert "No cross for dense LeNet-5 on MNIST, 5,000 digits:" in how_to_read(points, left_out=0)


def test_what_was_not_measured_is_not_drawn(make_result: Callable[..., Result]) -> None:
    whole = make_result()
    untested = make_result(stages=Stages())
    untimed = make_result(pruned=replace(whole.pruned, latency={}), dense=replace(whole.dense, latency={}), speedups=())
    runs = [run("untested", untested), run("untimed", untimed), run("timed", whole)]
    assert [point.name for point in points_of(runs, AXES["time"], "granularity")] == ["timed"]
    assert measured_alike(runs) == runs, "one without a figure stands with any"
    assert "2 more, measured by another metric" in how_to_read([], left_out=2)


def test_files_of_one_name_are_different_networks(make_result: Callable[..., Result]) -> None:
    result, data = make_result(dense_select=DENSE), "folder:/home/ann/photos"
    one, other = "file:/a/net.py:build", "file:/b/net.py:build"
    runs = [run("a", result, model=one, data=data), run("b", result, model=other, data=data)]
    fields = [point.field for point in points_of(runs, AXES["params"], "granularity")]
    assert fields == ["net.py:build on folder:photos"] * 2 + ["net.py:build on folder:photos (2)"] * 2


def test_how_many_are_not_drawn_is_said(make_result: Callable[..., Result]) -> None:
    points = points_of([run("a", make_result()), run("b", make_result())], AXES["params"], "granularity")
    assert "The newest 2 are drawn; 9,000 older ones are not" in how_to_read(points, left_out=0, older=9000)
    assert "older" not in how_to_read(points, left_out=0)
