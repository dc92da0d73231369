"""Figures of the lessons: bands from the worst lane to the best, intervals where they belong, the knee by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pruning.render.figures.lessons import Side, Stop, difference_intervals, knee, race_bands, stopping_curve

WORDS = yaml.safe_load((Path(__file__).parents[2] / "pruning" / "lessons" / "files" / "en.yaml").read_text())["words"]


def test_bands_go_from_worst_to_best_as_far_as_all_lanes_have_come() -> None:
    lanes = [[(0, 0.1), (10, 0.5), (20, 0.7)], [(0, 0.3), (10, 0.6)]]
    figure = race_bands([Side(name="at once", lanes=lanes)], False, steps=20, dense=0.9, words=WORDS["race"])
    band, mean = figure.data
    assert list(band.x) == [0, 10, 10, 0]
    assert list(band.y) == pytest.approx([30, 60, 50, 10])
    assert list(mean.y) == pytest.approx([20, 55])
    assert mean.hovertext[1] == "at once, step 10: mean 55.0 % (50.0 to 60.0)"


def test_bands_can_be_drawn_before_the_start() -> None:
    assert race_bands([Side(name="at once", lanes=[[], []])], True, steps=20, dense=0.9, words=WORDS["race"]).data[
        1
    ].y in ((), None)


def test_each_interval_stands_at_its_ends() -> None:
    rows = {"seeds": (-0.02, 0.06), "images": (0.01, 0.03)}
    (points,) = difference_intervals(rows, False, middle=0.02, left="a", right="b", words=WORDS["race"]).data
    assert list(points.x) == pytest.approx([2, 2])
    assert list(points.error_x.array) == pytest.approx([4, 1])
    assert list(points.error_x.arrayminus) == pytest.approx([4, 1])
    assert points.hovertext[0] == "seeds: -2.0 to +6.0 points"


def test_the_stop_and_its_intervals_are_marked() -> None:
    stops = [
        Stop(saved=0.0, change=0.0, low=-0.001, high=0.001, title="nothing"),
        Stop(saved=0.5, change=-0.02, low=-0.03, high=-0.01, title="half"),
        Stop(saved=0.9, change=-0.6, low=-0.63, high=-0.57, title="most"),
    ]
    figure = stopping_curve(stops, False, accept=0.01, at=1, knee=1, tuned=stops[1:2], deepest=0.2,
                            words=WORDS["stopping"])  # fmt: skip
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert list(by_name["your stop"].x) == [50] and list(by_name["your stop"].y) == pytest.approx([-2])
    assert list(by_name["recalibrated"].error_y.arrayminus) == pytest.approx([0.1, 1, 3])
    assert len(by_name["fine-tuned"].x) == 1
    assert by_name["fine-tuned"].hovertext[0].startswith("<b>half</b>, fine-tuned<br>-2.0 points (-3.0 to -1.0)")


@pytest.mark.parametrize(
    ("stops", "place"),
    [
        ([(0.0, 1.0), (0.4, 0.98), (0.6, 0.9), (1.0, 0.0)], 2),  # above the chord by 0, .38, .5, 0
        ([(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)], None),  # on the chord
        ([(0.0, 1.0), (0.5, 0.2), (1.0, 0.0)], None),  # below it
        ([(0.0, 1.0), (1.0, 0.0)], None),
        ([(0.0, 1.0), (0.5, 1.0), (1.0, 1.0)], None),  # never falls
    ],
)
def test_the_knee_is_farthest_above_the_chord(stops: list[tuple[float, float]], place: int | None) -> None:
    assert knee(stops) == place
