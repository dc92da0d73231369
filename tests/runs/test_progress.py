"""How far a run says it is."""

from __future__ import annotations

from typing import Any

import pytest

from pruning.runs.events import RunEvents
from pruning.runs.progress import progress, seconds_per_step


def told(last: dict[str, Any], training: list[dict[str, Any]] | None = None) -> RunEvents:
    return RunEvents(last=last, training=training or [], stages=[])


def test_what_it_is_doing_and_how_long_it_will_take() -> None:
    steps = [{"stage": "finetune", "round": 1, "step": step, "steps": 100, "seconds": 5 + step / 2}
             for step in (1, 2, 3)]  # fmt: skip
    assert seconds_per_step(told(steps[-1], steps)) == 0.5
    share, text = progress("running", told(steps[-1], steps))
    assert share == pytest.approx(0.05 + 0.85 * 0.03)
    assert text == "Fine-tuning: step 3 of 100, about 52 s left ○", "97 × 0.5 s, and 3 s to measure"
    assert progress("running", told(steps[1], steps[:2]))[1] == "Fine-tuning: step 2 of 100", "too few to tell"
    assert progress("queued", told({})) == (0.0, "Starting a process for this run")
    assert progress("running", told({"stage": "prune"})) == (0.04, "Removing, and proving that it is exact")
    assert progress("running", told({"stage": "measure"}, steps)) == (0.93, "Measuring: a few seconds")
