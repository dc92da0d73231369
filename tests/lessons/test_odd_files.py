"""Lessons' files as anybody may write them: what is odd is one sentence, and the page goes on."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pruning.base.errors import InputError
from pruning.lessons import library, reading
from pruning.lessons.progress import Mark, Progress, read_progress, write_progress

GOOD: dict[str, Any] = {
    "id": "mine",
    "title": "Mine",
    "text": "A sentence.",
    "do": "Look.",
    "activity": "matrix",
    "question": {"text": "Which?", "choices": {"A": "One", "über": "Two"}, "answer": "A", "explain": "So."},
    "references": [{"text": "Han 2015", "arxiv": "1506.02626"}],
}


def asking(**changes: Any) -> dict[str, Any]:
    """The good lesson with another question."""
    return copy.deepcopy(GOOD) | {"question": GOOD["question"] | changes}


@pytest.mark.parametrize(
    ("lesson", "named"),
    [
        (GOOD | {"id": "end"}, "`id` end is the page after the last lesson"),
        (asking(answer=["A"]), "`question.answer` must be one of the choices: A, über"),
        (asking(choices={"x" * 41: "One"}), "`question.choices`: a name"),
        (asking(choices={"a\nb": "One"}), "`question.choices`: a name"),
        (GOOD | {"references": [{"text": "x", "arxiv": 1506.02620}]}, "in quotes"),
    ],
)
def test_a_mistake_is_one_sentence(lesson: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        reading.read_lesson(lesson)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("more: 2024-13-01", "month"),
        ("short: 0x_", "invalid"),
        ("more: " + "[" * 3000, "it is nested too deeply"),
        ('title: "\\ud800x"', "a text holds a stray half of a character (line 2)"),
        ("settings: &a {percent: 60}\n    more: *a", "a part is repeated by an alias (*): write it out (line 3)"),
        ("more: !" + "a" * 9000 + " x", "odd.yaml is not YAML: could not determine"),
    ],
)
def test_a_value_that_is_none_is_one_sentence(tmp_path: Path, line: str, named: str) -> None:
    (tmp_path / "odd.yaml").write_text(f"lessons:\n  - {line}\n")
    found, (wrong,) = reading.read_lessons(tmp_path / "odd.yaml")
    assert found == [] and named in wrong and wrong.startswith("odd.yaml") and len(wrong) < 400


def test_a_unit_left_empty_is_none() -> None:
    question = reading.read_lesson(asking(choices=None, answer=1, unit=None)).question
    assert question is not None and question.unit == ""


def test_lessons_beyond_the_most_are_not_dropped_in_silence(tmp_path: Path) -> None:
    many = [copy.deepcopy(GOOD) | {"id": f"l{number}"} for number in range(reading.MOST + 1)]
    (tmp_path / "many.yaml").write_text(yaml.safe_dump({"lessons": many}))
    found, (wrong,) = reading.read_lessons(tmp_path / "many.yaml")
    assert len(found) == reading.MOST and "more than 60 lessons" in wrong


def test_an_answer_by_any_name_that_a_choice_may_have_comes_back() -> None:
    names = ["A", "Yes", "über", "no idea", "x" * 40]
    assert reading.read_lesson(asking(choices=dict.fromkeys(names, "words"))).question
    for name in names:
        kept = Progress(lessons={"mine": Mark(answered=name, right=True, tries=1)}, lists={"runs": []})
        assert read_progress(write_progress(kept)) == kept
    for name in ("", "x" * 41, "a\nb", "\ud800"):
        stored = read_progress(json.dumps({"lessons": {"mine": {"answered": name, "right": True}}}))
        assert stored.lessons == {"mine": Mark()}


@pytest.mark.parametrize("text", ["{unknown} Fragen", "{asked", "{}", "{asked.x}", "{asked:q}", None])
def test_a_translation_with_other_braces_is_english(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "en.yaml").write_text(yaml.safe_dump({"words": {"page": {"ask": "Say {asked}"}}, "lessons": []}))
    (tmp_path / "de.yaml").write_text(yaml.safe_dump({"words": {"page": {"ask": text}}, "lessons": []}))
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library._ours.cache_clear()
    try:
        assert library.course("de").say("page", "ask", asked="it") == "Say it"
    finally:
        library._ours.cache_clear()
