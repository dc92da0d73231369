"""Answers are judged by the file or by what was found, and explained by what is known."""

from __future__ import annotations

from pruning.lessons.judging import filled, judge, right_answer
from pruning.lessons.lesson import Question


def test_answers_are_judged_by_the_file_or_by_what_was_found() -> None:
    number = Question(text="?", answer=25, tolerance=1)
    assert [judge(number, given, {}) for given in (24.0, 26.0, 26.5)] == [True, True, False]
    choice = Question(text="?", choices={"a": "A", "b": "B"}, answer_from="found")
    assert judge(choice, "a", {}) is None
    assert judge(choice, "a", {"found": "a"}) and not judge(choice, "b", {"found": "a"})


def test_the_right_answer_is_said_in_words() -> None:
    assert right_answer(Question(text="?", answer=25.0, unit="%"), {}) == "25 %"
    choice = Question(text="?", choices={"a": "All", "b": "None"}, answer_from="found")
    assert right_answer(choice, {}) == "" and right_answer(choice, {"found": "b"}) == "None"


def test_a_fact_in_words_judges_a_number_and_a_number_judges_choices() -> None:
    number = Question(text="?", answer_from="left", tolerance=1)
    assert judge(number, 53.5, {"left": "54 %"}) and not judge(number, 50.0, {"left": "54 %"})
    assert judge(number, -0.3, {"left": "−0.3"}) and judge(number, 1234.0, {"left": "1,234"})
    assert judge(number, 29.0, {"left": "+29.3"}) and not judge(number, -29.0, {"left": "+29.3"})
    assert judge(number, 1.0, {"left": "no number"}) is None and judge(number, 1.0, {}) is None
    choices = Question(text="?", choices={"40": "x", "60": "y"}, answer_from="percent")
    assert judge(choices, "60", {"percent": 60}) and not judge(choices, "40", {"percent": 60})


def test_an_explanation_leaves_out_what_is_not_known_yet() -> None:
    assert filled("There are {n} of it. So.", {"n": 1200}) == "There are 1,200 of it. So."
    assert filled("There are {n} of it. So.", {}) == "So."
    assert filled("{n.__class__} stays.", {"n": 1}) == "{n.__class__} stays."


def test_an_explanation_keeps_its_paragraphs_and_leaves_out_what_is_not_known() -> None:
    text = "One, e.g. {a}. Two {b}.\n\n- Three {a}."
    assert filled(text, {"a": 1}) == "One, e.g. 1.\n\n- Three 1."
