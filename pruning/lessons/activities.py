"""The table of activities: what a lesson can put on its right side, and the settings each one takes.

What draws an activity is `ui/learn/activities/NAME.py`; its words are in the lessons' file under `words: NAME:`, so
that another language is one file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pruning.criteria import CRITERIA
from pruning.granularity import GRANULARITIES

Value = str | int | float | bool | None | tuple[str | int | float, ...]
"""What a setting can stand at."""
Fact = str | int | float | bool
"""What an activity tells of what was done."""
Kind = Literal["estimated", "measured", "tuned"]
"""How a number was found: its badge."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing a lesson can set for its activity; with a control, one that the learner can change."""

    default: Value
    """Its type is the type that a lesson may give (None: text)."""
    allowed: tuple[Value, ...] = ()
    """Where not empty: one of these, or for a tuple some of these."""
    low: float | None = None
    high: float | None = None
    """Bounds of a number, both included."""
    control: bool = False
    """Whether the activity has a control for it. A lesson names the controls it shows."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What an activity takes and tells."""

    settings: Mapping[str, Setting] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    """Names that the activity passes to `stage.acted`: a question's `answer_from` and `{names}` in its `explain`."""
    numbers: Mapping[str, Kind] = field(default_factory=dict)
    """Facts that a lesson can have predicted, with their badge. Where one is a sample, NAME_span is its interval."""

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(name for name, setting in self.settings.items() if setting.control)


OF_WEIGHTS = tuple(
    criterion.name
    for criterion in CRITERIA.values()
    if criterion.needs == {"weights"} and set(criterion.granularities) == set(GRANULARITIES)
)
"""Criteria that rank channels and single weights of every network, by its weights alone: whatever an activity removes,
and without images to rank by."""
MOST = 1e12
"""A number without bounds of its own is not larger than this."""

COMMON: dict[str, Setting] = {
    "network": Setting(default="sample:mini_resnet"),
    "data": Setting(default="mnist5k"),
}
"""Settings that every activity has."""

ACTIVITIES: dict[str, Activity] = {
    "savings": Activity(
        settings={
            "percent": Setting(default=0, low=0, high=80, control=True),
            "batch": Setting(default=32, low=1, high=256),
        },
        facts=("percent", "time_left", "macs_left"),
        numbers={"macs_left": "measured"},
    ),
    "anatomy": Activity(
        settings={
            "layer": Setting(default=None, control=True),
            "near": Setting(default=5, low=0, high=30, control=True),
            "norm": Setting(default="l2", allowed=("l1", "l2"), control=True),
        },
        facts=("layer", "layers", "weights", "near", "near_share", "zeros", "all_weights", "all_zeros"),
        numbers={"near_share": "measured"},
    ),
    "matrix": Activity(
        settings={
            "way": Setting(default="entries", allowed=("entries", "columns"), control=True),
            "percent": Setting(default=40, low=0, high=80, control=True),
            "layer": Setting(default="fc"),
            "batch": Setting(default=32, low=1, high=256),
        },
        facts=("way", "percent", "accuracy", "accuracy_span"),
        numbers={"accuracy": "measured"},
    ),
    "ranking": Activity(
        settings={
            "percent": Setting(default=20, allowed=(10, 20, 30, 40), control=True),
            "criteria": Setting(default=OF_WEIGHTS, allowed=OF_WEIGHTS),
            "lots": Setting(default=3, low=1, high=5),
            "figure": Setting(default="recalibrated", allowed=("recalibrated", "repaired"), control=True),
        },
        facts=("best", "worst", "ahead"),
    ),
    "won_back": Activity(
        settings={"cuts": Setting(default=(50, 70, 90), allowed=tuple(range(10, 100, 10)))},
        facts=("cuts", "as_cut", "share", "hits"),
    ),
    "recover": Activity(
        settings={
            "percent": Setting(default=40, allowed=(10, 20, 30, 40, 50, 60, 70), control=True),
            "epochs": Setting(default=2, low=1, high=3),
        },
        facts=("helped", "training", "as_cut", "recalibrated", "repaired", "tuned", "tuned_span", "beyond"),
        numbers={"tuned": "tuned"},
    ),
    "half": Activity(
        settings={
            "first": Setting(default=0, low=0, high=90, control=True),
            "second": Setting(default=0, low=0, high=90, control=True),
            "percent": Setting(default=30, low=10, high=70),
        },
        facts=("guess", "left"),
        numbers={"left": "measured"},
    ),
    "race": Activity(
        settings={
            "percent": Setting(default=99, allowed=(90, 95, 97, 98, 99), control=True),
            "granularity": Setting(default="weight", allowed=tuple(GRANULARITIES)),
            "rounds": Setting(default=4, low=2, high=10),
            "steps": Setting(default=240, low=20, high=2000),
        },
        facts=("winner", "percent", "difference", "difference_span", "seeds", "images", "over_seeds", "over_images"),
        numbers={"difference": "tuned"},
    ),
    "sketch": Activity(
        settings={
            "groups": Setting(default=("conv1", "layer3.0.conv2/own")),
            "images": Setting(default=1000, low=100, high=10_000),
        },
        facts=("first_off", "second_off", "first_half", "second_half", "first_most", "second_most"),
    ),
    "stopping": Activity(
        settings={
            "accept": Setting(default=1.0, allowed=(0.2, 0.5, 1.0, 2.0, 5.0, 10.0), control=True),
            "stop": Setting(default=0, allowed=(0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70), control=True),
            "epochs": Setting(default=2, low=1, high=3),
        },
        facts=("standing", "stop", "loss", "loss_span", "saved", "tuned_loss", "tuned_span", "accepted"),
        numbers={"loss": "measured"},
    ),
    "challenge": Activity(
        settings={
            "task": Setting(default="weights", allowed=("weights", "macs"), control=True),
            "criterion": Setting(default="l2", allowed=OF_WEIGHTS, control=True),
            "weights_limit": Setting(default=25, low=1, high=90),
            "macs_limit": Setting(default=50, low=1, high=90),
            "epochs": Setting(default=2, low=1, high=10),
        },
        facts=("apart", "runs", "best", "best_accuracy", "best_accuracy_span", "difference"),
        numbers={"best_accuracy": "tuned"},
    ),
}
"""A lesson names its activity by these keys."""


def settings_of(activity: str) -> dict[str, Setting]:
    """Every setting of an activity by name, the common ones included."""
    return {**COMMON, **ACTIVITIES[activity].settings}


def check_value(setting: Setting, value: Any) -> str | None:
    """What is wrong with a value for a setting, as the end of a sentence; None where nothing is."""
    kind = type(setting.default) if setting.default is not None else str
    if kind is tuple:
        entries = value if isinstance(value, (list, tuple)) else None
        if entries is None or not entries:
            return "must be a list"
        if setting.allowed and any(entry not in setting.allowed for entry in entries):
            return f"may hold only {_listed(setting.allowed)}"
        return None if all(isinstance(entry, (str, int, float)) for entry in entries) else "must hold words or numbers"
    number = kind in (int, float)
    if number and (isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int)):
        return "must be a number" if kind is float else "must be a whole number"
    if not number and not isinstance(value, kind):
        return "must be true or false" if kind is bool else "must be text"
    if setting.allowed and value not in setting.allowed:
        return f"must be {_listed(setting.allowed)}"
    if number:
        low = -MOST if setting.low is None else setting.low
        high = MOST if setting.high is None else setting.high
        if not low <= value <= high:  # neither is what is no number
            return f"must be from {low:g} to {high:g}"
    return None


def number_in(value: Fact) -> float | None:
    """The number in a fact, such as 54 in '54 %'; None where it is no number."""
    found = re.match(r"[-−+]?\d[\d,]*(\.\d+)?", str(value))
    return float(found[0].replace("−", "-").replace(",", "")) if found else None


def _listed(values: tuple[Value, ...]) -> str:
    return " or ".join([", ".join(map(str, values[:-1])), str(values[-1])]) if len(values) > 1 else str(values[0])
