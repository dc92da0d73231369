"""Lessons as data: what a file may say, ours, a teacher's, and another language's."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pruning.base.errors import InputError
from pruning.lessons import library, reading
from pruning.lessons.activities import ACTIVITIES

ROOT = Path(__file__).parents[2]

GOOD: dict[str, Any] = {
    "id": "mine",
    "title": "Mine",
    "text": "A sentence.",
    "do": "Look.",
    "activity": "matrix",
    "settings": {"percent": 60},
    "controls": ["percent"],
    "question": {"text": "How many?", "answer": 140, "tolerance": 1, "explain": "Half, at {percent} %."},
    "done": "both",
    "references": [{"text": "Han 2015", "arxiv": "1506.02626"}],
}


def test_our_lessons_are_eleven_and_read_without_a_complaint() -> None:
    course = library.course()
    assert course.problems == ()
    order = ["why", "anatomy", "units", "ranking", "repair", "recover", "race", "sketch", "half", "stopping", "lab"]
    assert [lesson.id for lesson in course.lessons] == order
    assert all(lesson.question and lesson.references and lesson.done == "both" for lesson in course.lessons)


OWN = {"ranking", "won_back", "sketch", "half"}
"""Activities that have something predicted in a way of their own."""


def test_every_lesson_of_ours_predicts_first_and_has_a_hint() -> None:
    for lesson in library.course().lessons:
        assert (lesson.predict is None) == (lesson.activity in OWN), lesson.id
        assert lesson.question and lesson.question.hint, lesson.id


def test_a_hint_does_not_say_the_right_answer() -> None:
    for lesson in library.course().lessons:
        question = lesson.question
        assert question
        hint = question.hint.lower()
        for words in question.choices.values():
            assert words.lower() not in hint, lesson.id
        if isinstance(question.answer, float | int):
            assert f"{question.answer:g}" not in re.findall(r"\d+", hint), lesson.id


def test_a_good_lesson_is_read_as_it_stands() -> None:
    lesson = reading.read_lesson(GOOD)
    assert lesson.setting("percent") == 60 and lesson.setting("way") == "entries"
    assert lesson.controls == ("percent",) and lesson.short == "Mine"
    assert lesson.references[0].link == "https://arxiv.org/abs/1506.02626"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "Mine/../x"}, "`id`"),
        ({"title": None}, "`title` is missing"),
        ({"title": 3}, "`title` must be a text"),
        ({"text": "x" * 5000}, "`text`"),
        ({"activity": "hack"}, "`activity` 'hack' does not exist"),
        ({"colour": "red"}, "`colour` is not known"),
        ({"settings": {"percent": 95}}, "`settings.percent` must be from 0 to 80"),
        ({"settings": {"percent": "60"}}, "`settings.percent` must be a whole number"),
        ({"settings": {"percent": True}}, "`settings.percent` must be a whole number"),
        ({"settings": {"way": "rows"}}, "`settings.way` must be entries or columns"),
        ({"settings": {"speed": 3}}, "`settings.speed` does not exist"),
        ({"controls": ["layer"]}, "`controls` must be"),
        ({"controls": "percent"}, "`controls` must be"),
        ({"question": {"text": "?", "explain": "!"}}, "`question.answer`"),
        ({"question": {"text": "?", "choices": {"a": "A"}, "answer": "b", "explain": "!"}}, "one of the choices: a"),
        ({"question": {"text": "?", "choices": {True: "Yes"}, "answer": True, "explain": "!"}}, "`question.choices`"),
        ({"question": {"text": "?", "answer_from": "mood", "explain": "!"}}, "`question.answer_from`"),
        ({"question": {"text": "?", "answer": 1, "explain": "{secret}"}}, "{secret}"),
        ({"question": {"text": "?", "answer": 1, "tolerance": -1, "explain": "!"}}, "`question.tolerance`"),
        ({"question": {"text": "?", "answer": 1, "hint": 3, "explain": "!"}}, "`question.hint` must be a text"),
        ({"predict": "accuracy"}, "`predict` must have fields"),
        ({"predict": {"text": "?", "fact": "way"}}, "`predict.fact` must be a number that matrix finds out: accuracy."),
        ({"predict": {"fact": "accuracy"}}, "`predict.text` is missing"),
        ({"predict": {"text": "?", "fact": "accuracy", "from": 9, "to": 9}}, "`predict.from` and `predict.to`"),
        ({"predict": {"text": "?", "fact": "accuracy", "to": float("nan")}}, "`predict.from` and `predict.to`"),
        ({"predict": {"text": "?", "fact": "accuracy", "start": 50}}, "`predict.start` is not known"),
        ({"predict": {"text": "?", "fact": "accuracy", "at": {"layer": "fc"}}}, "`predict.at` must name controls"),
        ({"predict": {"text": "?", "fact": "accuracy", "at": {"percent": 90}}}, "`predict.at.percent` must be from"),
        ({"predict": {"text": "?", "fact": "accuracy", "at": {"way": "columns"}}}, "does not show that control"),
        ({"question": None}, "`done` is both, but there is no `question`"),
        ({"done": "maybe"}, "`done` must be"),
        ({"references": [{"text": "x", "arxiv": "javascript:1"}]}, "`references.arxiv`"),
        ({"references": [{"text": "x", "doi": '10.1/x" onclick'}]}, "`references.doi`"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)) as caught:
        reading.read_lesson(copy.deepcopy(GOOD) | change)
    assert "\n" not in str(caught.value)


def test_a_teachers_files_stand_after_ours_and_a_bad_one_keeps_out_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untitled = copy.deepcopy(GOOD) | {"id": "two", "title": ""}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"lessons": [GOOD, untitled]}))
    (tmp_path / "b.yaml").write_text("lessons:\n  - id: x\n   title: y")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"lessons": [GOOD | {"id": "why"}, 3]}))
    (tmp_path / "d.yaml").write_text("!!python/object/apply:os.system ['true']")
    monkeypatch.setenv(library.ENVIRONMENT, str(tmp_path))
    course = library.course()
    assert [lesson.id for lesson in course.lessons][-2:] == ["lab", "mine"]
    files = [problem.split(",")[0].split(" ")[0] for problem in course.problems]
    assert files == ["a.yaml", "b.yaml", "c.yaml", "c.yaml", "d.yaml"]
    assert "lesson two: `title`" in course.problems[0] and "(line 3)" in course.problems[1]
    assert not any(str(tmp_path) in problem for problem in course.problems)


def test_the_readmes_example_and_its_table_are_true(tmp_path: Path) -> None:
    text = (ROOT / "pruning" / "lessons" / "files" / "README.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.S)
    assert example
    (tmp_path / "example.yaml").write_text(example[1])
    found, wrong = reading.read_lessons(tmp_path / "example.yaml")
    assert wrong == [] and found[0].id == "harder-cut"
    for name, activity in ACTIVITIES.items():
        row = re.search(rf"^\| `{name}` \| (.*?) \| (.*?) \|$", text, re.M)
        assert row, name
        named = re.findall(r"`(\w+)`(\*?)", row[1])
        assert {key: not star for key, star in named} == {key: s.control for key, s in activity.settings.items()}, name
        assert re.findall(r"`(\w+)`", row[2]) == list(activity.facts), name
        assert re.findall(r"\*\*`(\w+)`\*\*", row[2]) == list(activity.numbers), name


def test_another_language_is_one_file_and_what_it_lacks_is_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = yaml.safe_load((library.FOLDER / "en.yaml").read_text(encoding="utf-8"))
    first = base["lessons"][0] | {"title": "Wozu"}
    (tmp_path / "en.yaml").write_text(yaml.safe_dump(base))
    (tmp_path / "de.yaml").write_text(yaml.safe_dump({"words": {"page": {"next": "Weiter"}}, "lessons": [first]}))
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library._ours.cache_clear()
    try:
        course = library.course("de")
        assert course.lessons[0].title == "Wozu" and len(course.lessons) == len(base["lessons"])
        assert course.say("page", "next") == "Weiter" and course.say("page", "back") == "Back"
        assert library.course("../../etc").language == "en"
    finally:
        library._ours.cache_clear()
