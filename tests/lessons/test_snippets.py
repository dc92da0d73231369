"""The code to copy runs, and prints what the activity shows."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("pandas")
pytest.importorskip("plotly")

from pruning.lessons import library
from pruning.lessons.activities import ACTIVITIES, settings_of
from pruning.lessons.snippets import SNIPPETS, code_of

SLOW = {"savings", "matrix", "race", "ranking", "won_back", "recover", "stopping", "sketch", "challenge"}
"""They time, train, refit, or measure many cuts."""
MOVED: dict[str, dict[str, Any]] = {
    "anatomy": {"layer": None, "near": 12, "norm": "l1"},
    "half": {"percent": 50},
    "matrix": {"way": "columns"},
    "ranking": {"figure": "repaired", "criteria": ("l2", "random")},
    "challenge": {"task": "macs", "criterion": "l1", "layers": {"conv1": 40}},
}
"""Settings that other lines of the code follow from."""


def settings(activity: str) -> dict[str, Any]:
    """Those of our lesson with that activity, as they stand at first; cheap where a number may be small."""
    lesson = next(lesson for lesson in library.course().lessons if lesson.activity == activity)
    found = {name: lesson.setting(name) for name in settings_of(activity)}
    small = {"rounds": 2, "steps": 20, "epochs": 1, "lots": 1}
    found |= {name: value for name, value in small.items() if name in found}
    return found | ({"layers": {"conv1": 50, "fc": 80}} if activity == "challenge" else {})


def cases() -> list[Any]:
    """Each activity as its lesson begins, and with other settings where other lines follow from them."""
    every = [(name, {}) for name in SNIPPETS] + list(MOVED.items())
    return [
        pytest.param(name, more, id=name + "-moved" * bool(more), marks=[pytest.mark.slow] if name in SLOW else [])
        for name, more in every
    ]


def test_every_activity_has_its_code() -> None:
    assert list(SNIPPETS) == list(ACTIVITIES)
    for name in SNIPPETS:
        lines = code_of(name, settings(name)).splitlines()
        assert len(lines) <= 20 and max(map(len, lines)) <= 110, name


@pytest.mark.parametrize(("activity", "more"), cases())
def test_the_code_runs(activity: str, more: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code = code_of(activity, settings(activity) | more)
    exec(compile(code, activity, "exec"), {"__name__": activity})
    assert re.search(r"\d", capsys.readouterr().out), "it prints a figure"


def test_the_code_counts_what_the_page_counts(capsys: pytest.CaptureFixture[str]) -> None:
    exec(code_of("half", settings("half")), {})
    said = capsys.readouterr().out
    assert said.startswith("50% of the multiplications are left"), "lesson 9 shows 50 % at 30 % of the channels"
    assert "\nlayer3.0.conv1 makes 20 and reads 14\n" in said
    exec(code_of("anatomy", settings("anatomy")), {})
    assert "exactly zero: 0" in capsys.readouterr().out


def test_a_text_of_a_link_stays_a_text() -> None:
    odd = 'x"); import os; os.abort(); ("'
    code = code_of("anatomy", settings("anatomy") | {"layer": odd})
    weight = next(line for line in code.splitlines() if line.startswith("weight"))
    assert eval(re.sub(r" *#.*", "", weight.split("network.weight", 1)[1])) == odd
