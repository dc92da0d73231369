"""How far a run is, from what it has told: the share done, what it is doing, and how long it will still take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.runs.events import RunEvents

MEASURING = 3.0
"""Seconds that the part after training usually takes."""
BEGUN, TRAINING, MEASURED = 0.05, 0.85, 0.93
"""Shares of a run: done when training begins, taken by training, done when measuring begins."""
WORDS = {
    "open": "Opening the network and the images",
    "prune": "Removing, and proving that it is exact",
    "as_cut": "Measuring as cut",
    "recalibrated": "Recalibrating",
    "repaired": "Repairing without training",
    "finetuned": "Measuring",
}
"""Stage → what the run is doing."""


def progress(state: str, events: RunEvents) -> tuple[float, str]:
    """Share done, and in words: what the run is doing and, while it trains, how long it will still take."""
    last: dict[str, Any] = events.last
    stage = last.get("stage")
    if state == "queued" or not last:
        return 0.0, "Starting a process for this run"
    if stage == "finetune":
        step, steps = int(last["step"]), int(last["steps"])
        per_step = seconds_per_step(events)
        text = f"Fine-tuning: step {step:,} of {steps:,}"
        if per_step is not None:
            text += f", about {_left((steps - step) * per_step + MEASURING)} left ○"
        return BEGUN + TRAINING * step / steps, text
    if stage == "measure":
        return MEASURED, f"{last.get('text') or 'Measuring'}: a few seconds"
    done = events.training[-1] if events.training else None
    share = BEGUN + TRAINING * int(done["step"]) / int(done["steps"]) if done else 0.04
    return share, str(last.get("text") or WORDS.get(str(stage), "Working"))


def seconds_per_step(events: RunEvents) -> float | None:
    """Mean time of the steps of the round that is going; its first step is left out, for it warms up. None where there
    are too few to tell."""
    number = events.training[-1]["round"]
    mine = [event for event in events.training if event["round"] == number]
    if len(mine) < 3:
        return None
    return float(mine[-1]["seconds"] - mine[0]["seconds"]) / (len(mine) - 1)


def _left(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"
