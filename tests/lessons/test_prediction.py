"""What is predicted first: the track, when its answer is known, and whether it is asked for at all."""

from __future__ import annotations

from typing import Any

import pytest

from pruning.lessons.prediction import Answer, Prediction

HALF = Prediction(text="?", fact="macs_left", at={"percent": 50})


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 100, 1), (0, 50, 1), (-20, 20, 1), (90, 100, 0.1), (0, 1, 0.01), (0, 3000, 100)]
)
def test_a_track_has_between_20_and_200_places(low: float, high: float, step: float) -> None:
    track = Prediction(text="?", fact="x", low=low, high=high)
    assert track.step == pytest.approx(step) and 19.9 < (high - low) / track.step < 200.1


@pytest.mark.parametrize("sent", [None, "50", True, float("nan"), float("inf"), -1, 100.5, [50]])
def test_what_a_browser_sends_must_lie_on_the_track(sent: Any) -> None:
    assert not HALF.holds(sent) and HALF.holds(0) and HALF.holds(100.0)


def test_the_answer_is_known_once_the_controls_stand_where_it_was_predicted() -> None:
    facts = {"macs_left": "26 %"}
    assert HALF.measured(facts, {"percent": 50}.__getitem__) == Answer(number=26.0, words="26 %", span="")
    assert HALF.measured(facts, {"percent": 40}.__getitem__) is None
    assert HALF.measured({}, {"percent": 50}.__getitem__) is None
    points = Prediction(text="?", fact="loss", unit="points")
    found = points.measured({"loss": "−0.4", "loss_span": "−1.0 to 0.2"}, {}.__getitem__)
    assert found == Answer(number=-0.4, words="−0.4 points", span="−1.0 to 0.2")


@pytest.mark.parametrize(
    ("stands", "free", "asked"), [(50, False, True), (30, True, True), (30, False, False), (50, True, True)]
)
def test_where_a_link_holds_a_control_elsewhere_nothing_is_asked(stands: int, free: bool, asked: bool) -> None:
    assert HALF.is_reachable({"percent": stands}.__getitem__, lambda name: free) == asked
