"""Figures about a run show what they are given."""

import pytest

from pruning.planning.plan import LayerPlan
from pruning.render.figures.runs import MOST_POINTS, kept_bars, run_curve

EVENTS = [
    {"round": 1 + i // 4, "step": i + 1, "steps": 8, "loss": 2.0 - 0.1 * i, "accuracy": 0.7 if i % 4 == 3 else None}
    for i in range(8)
]
STAGES = [
    {"stage": "as_cut", "round": 1, "accuracy": 0.3, "accuracy_interval": [0.27, 0.33]},
    {"stage": "recalibrated", "round": 1, "accuracy": 0.6, "accuracy_interval": [0.57, 0.63]},
    {"stage": "as_cut", "round": 2, "accuracy": 0.2, "accuracy_interval": [0.17, 0.23]},
]


def test_run_curve_places_cuts_where_their_round_began() -> None:
    figure = run_curve(EVENTS, STAGES, False, dense=0.99)
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["as cut"].x) == [0, 4]
    assert list(by_name["as cut"].y) == [30.0, 20.0]
    assert list(by_name["while fine-tuning"].x) == [4, 8]
    assert list(by_name["dense"].y) == [99.0, 99.0]
    assert len(by_name["loss on train images"].x) == 8


def test_run_curve_thins_long_runs_and_stands_an_empty_one() -> None:
    many = [{"round": 1, "step": i + 1, "steps": 10_000, "loss": 1.0} for i in range(10_000)]
    loss = run_curve(many, [], True, dense=None).data[0]
    assert len(loss.x) <= MOST_POINTS
    assert loss.x[-1] == 10_000
    assert set(loss.y) == {1.0}
    assert run_curve([], STAGES[:1], True, dense=None).data


def test_kept_bars_names_a_layer_of_two_groups_twice() -> None:
    layers = [
        LayerPlan(name="conv1", group="conv1", requested=0.35, achieved=0.3, kept=7, total=10),
        LayerPlan(name="conv2", group="conv1", requested=0.35, achieved=0.3, kept=7, total=10),
        LayerPlan(name="conv2", group="conv2/own", requested=0.5, achieved=0.5, kept=4, total=8),
    ]
    figure = kept_bars(layers, False)
    kept, removed, asked, amounts = figure.data
    assert list(kept.y) == ["conv1", "conv2 · conv1", "conv2 · own"]
    assert list(amounts.text) == ["10 → 7", "10 → 7", "8 → 4"]
    assert list(kept.x) == pytest.approx([70, 70, 50])
    assert list(removed.x) == pytest.approx([30, 30, 50])
    assert list(asked.x) == pytest.approx([65, 65, 50])
