"""What a run tells while it is carried out, condensed for a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.runs.result import ACCURACY
from pruning.tasks.metric import Metric
from pruning.tasks.table import find_metric


@dataclass(frozen=True, kw_only=True)
class RunEvents:
    """What a run has told so far."""

    last: dict[str, Any]
    """Empty where there is nothing yet."""
    training: list[dict[str, Any]]
    """Events of fine-tuning steps: round, step, steps, loss, seconds, and where it was measured the metric
    under its name."""
    stages: list[dict[str, Any]]
    """The metric after each stage as they came: stage, round, the metric under its name and its interval."""


class Condensed:
    """Events condensed as they come: each is looked at once. May be used from several threads."""

    def __init__(self) -> None:
        self._seen: list[dict[str, Any]] = []
        self._told = RunEvents(last={}, training=[], stages=[])
        self._lock = Lock()

    def add(self, events: Sequence[dict[str, Any]]) -> RunEvents:
        """All that was told, `events` being all of them so far; what is damaged is passed over."""
        with self._lock:
            count = len(self._seen)
            if count > len(events) or (count and (self._seen[0], self._seen[-1]) != (events[0], events[count - 1])):
                self._seen, self._told = [], RunEvents(last={}, training=[], stages=[])  # another attempt
            training, stages, last = self._told.training, self._told.stages, self._told.last
            for event in filter(_is_whole, events[len(self._seen) :]):
                last = event
                if event["stage"] == "finetune":
                    training.append(event if event["loss"] is not None else {**event, "loss": math.nan})
                elif _metric_name(event) in event:
                    stages.append(event)
            self._seen = list(events)
            self._told = RunEvents(last=last, training=training, stages=stages)
            return RunEvents(last=last, training=list(training), stages=list(stages))


def metric_of(event: Mapping[str, Any]) -> Metric:
    """The metric that an event is about; earlier runs, which knew one only, do not say.

    Raises:
        InputError: there is no such metric.
    """
    return find_metric(_metric_name(event))


def words_of(event: dict[str, Any]) -> tuple[str, float | None] | None:
    """What an event says in words, and the share of the training that is done; None where it says nothing new."""
    if event.get("stage") == "finetune":
        step, steps = event["step"], event["steps"]
        return f"Fine-tuning: step {step:,} of {steps:,}", step / steps
    return (event["text"], None) if event.get("text") else None


def _is_whole(event: dict[str, Any]) -> bool:
    """Whether an event says what its stage says."""
    fields = Fields(event, "event")
    try:
        if fields.text("stage") == "finetune":
            fields.whole("round", 1)
            fields.whole("step", 0, fields.whole("steps", 1))
            fields.number("seconds", 0)
            loss = event["loss"]  # null, and in older runs NaN, where the training diverged
            if not (loss is None or type(loss) in (int, float)):
                return False
        metric = metric_of(event)
        if metric.name in fields:
            fields.whole("round", 1)
            least, most = metric.bounds
            fields.number(metric.name, least, most)
            low, high = fields.numbers(f"{metric.name}_interval", 2)
            return least <= low <= high <= most
    except (StorageError, KeyError, InputError):
        return False
    return True


def _metric_name(event: Mapping[str, Any]) -> str:
    name = event.get("metric", ACCURACY)
    return name if isinstance(name, str) else ""
