"""What a lesson has the learner predict before its activity shows a figure, and the fact that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import floor, log10
from typing import Any

from pruning.base.errors import InputError
from pruning.lessons.activities import ACTIVITIES, Fact, Value, check_value, number_in, settings_of
from pruning.lessons.fields import check_known, is_number, text_of, unit_of

_FIELDS = {"text", "unit", "from", "to", "fact", "at"}


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A number to be predicted on a track."""

    text: str
    fact: str
    """Name of the activity's fact that answers it: one of its `numbers`."""
    low: float = 0.0
    high: float = 100.0
    """Ends of the track."""
    unit: str = "%"
    at: Mapping[str, Value] = field(default_factory=dict)
    """Control → where it stands when the fact is the one that was predicted; the others do not matter."""

    @property
    def step(self) -> float:
        """Between two places of the track: a power of ten, so that there are 20 to 200 of them."""
        return float(10 ** floor(log10((self.high - self.low) / 20)))

    def holds(self, value: Any) -> bool:
        """Whether a value, which a browser sent, lies on the track."""
        return is_number(value) and self.low <= value <= self.high

    def is_reachable(self, value_of: Callable[[str], Value], is_free: Callable[[str], bool]) -> bool:
        """Whether the learner can bring the controls to where the fact answers the prediction: a link may have locked
        or hidden them elsewhere."""
        return all(is_free(name) or value_of(name) == wanted for name, wanted in self.at.items())

    def measured(self, facts: Mapping[str, Fact], value_of: Callable[[str], Value]) -> Answer | None:
        """What was measured, where the controls stand as predicted; None as long as it is not known."""
        if self.fact not in facts or any(value_of(name) != wanted for name, wanted in self.at.items()):
            return None
        number = number_in(facts[self.fact])
        if number is None:
            return None
        words = str(facts[self.fact])
        if self.unit not in words:
            words = f"{words} {self.unit}"
        span = facts.get(f"{self.fact}_span")
        return Answer(number=number, words=words, span="" if span is None else str(span))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The measured value of what was predicted."""

    number: float
    words: str
    span: str
    """Its 95 % interval; '' where it is counted."""


def read_prediction(entry: Any, activity: str) -> Prediction:
    """The `predict` of a lesson.

    Raises:
        InputError: a field is missing, unknown or not allowed; the sentence begins with the field.
    """
    if not isinstance(entry, dict):
        raise InputError("`predict` must have fields: `text`, `fact`, and perhaps `unit`, `from`, `to`, `at`.")
    check_known(entry, _FIELDS, "predict.")
    numbers = ACTIVITIES[activity].numbers
    fact = text_of(entry, "fact", "predict.")
    if fact not in numbers:
        raise InputError(
            f"`predict.fact` must be a number that {activity} finds out: {', '.join(numbers) or 'it has none'}."
        )
    low, high = entry.get("from", 0), entry.get("to", 100)
    if not is_number(low) or not is_number(high) or not low < high:
        raise InputError("`predict.from` and `predict.to` must be numbers, the second one larger.")
    return Prediction(
        text=text_of(entry, "text", "predict."),
        fact=fact,
        low=float(low),
        high=float(high),
        unit=unit_of(entry) if "unit" in entry else "%",
        at=_at({} if entry.get("at") is None else entry["at"], activity),
    )


def _at(entries: Any, activity: str) -> dict[str, Value]:
    controls, settings = ACTIVITIES[activity].controls, settings_of(activity)
    if not isinstance(entries, dict) or not all(name in controls for name in entries):
        raise InputError(f"`predict.at` must name controls that {activity} has: {', '.join(controls) or 'none'}.")
    for name, value in entries.items():
        wrong = check_value(settings[name], value)
        if wrong:
            raise InputError(f"`predict.at.{name}` {wrong}.")
    return dict(entries)
