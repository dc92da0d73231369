"""The table of activities: what a setting takes."""

from __future__ import annotations

from typing import Any

import pytest

from pruning.lessons.activities import ACTIVITIES, COMMON, Setting, check_value, settings_of


@pytest.mark.parametrize(
    ("setting", "value", "good"),
    [
        (Setting(default=30, low=10, high=70), 10, True),
        (Setting(default=30, low=10, high=70), 9, False),
        (Setting(default=0, low=0, high=5), -1, False),
        (Setting(default=1.0, allowed=(0.5, 1.0)), 0.5, True),
        (Setting(default=1.0), float("nan"), False),
        (Setting(default=("a",), allowed=("a", "b")), ["b", "a"], True),
        (Setting(default=("a",), allowed=("a", "b")), ["c"], False),
        (Setting(default=None), "layer1", True),
        (Setting(default=None), 3, False),
    ],
)
def test_a_setting_takes_what_it_declares(setting: Setting, value: Any, good: bool) -> None:
    assert (check_value(setting, value) is None) == good


def test_what_can_be_predicted_is_a_fact() -> None:
    for name, activity in ACTIVITIES.items():
        assert set(activity.numbers) <= set(activity.facts), name


def test_every_default_is_allowed() -> None:
    for name in ACTIVITIES:
        assert COMMON.keys() <= settings_of(name).keys()
        for key, setting in settings_of(name).items():
            assert setting.default is None or check_value(setting, setting.default) is None, (name, key)
