"""What a browser may have stored of the lessons, and how it is joined with what was done since."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pruning.lessons import library
from pruning.lessons.progress import MOST, Mark, Progress, read_progress, where_left_off, write_progress


@pytest.mark.parametrize(
    "text",
    [None, 3, "", "null", "[]", "{", "[" * 50_000, "x" * 70_000, '{"lessons": 3}', '{"lessons": {"why": [1]}}',
     '{"lessons": {"<script>": {"acted": true}}}', '{"runs": {"a": 1}}', '{"runs": [1, null, ""]}'],
)  # fmt: skip
def test_what_a_browser_has_stored_is_anybodys_to_edit(text: Any) -> None:
    found = read_progress(text)
    assert found.lessons == {} and found.lists == {"runs": []}


def test_progress_comes_back_as_it_was_stored() -> None:
    kept = Progress(
        lessons={
            "why": Mark(answered="time", right=True, tries=2, acted=True, predicted=40.0),
            "half": Mark(answered=25.0, right=False, tries=1),
        },
        lists={"runs": ["a", "b"]},
    )
    assert read_progress(write_progress(kept)) == kept
    odd = json.dumps({"lessons": {"why": {"answered": "a\nb", "right": 1, "acted": "yes"}, "x": {"answered": 1e99}}})
    assert read_progress(odd).lessons == {"why": Mark(), "x": Mark()}
    odd = json.dumps({"lessons": {"why": {"answered": "a", "right": False, "tries": 9, "predicted": "40"}}})
    assert read_progress(odd).lessons == {"why": Mark(answered="a", right=False, tries=2)}
    assert len(read_progress(json.dumps({"runs": [str(i) for i in range(999)]})).lists["runs"]) == MOST


def test_a_wrong_answer_has_a_second_try_and_is_marked_apart_from_a_right_one() -> None:
    begun = Mark(acted=True)
    assert begun.verdict is None and begun.answering("a", True).verdict == "first"
    wrong = begun.answering("b", False)
    assert wrong.verdict == "open" and not wrong.is_settled
    assert wrong.answering("b", False) == wrong, "a double click is no second try"
    assert wrong.answering("a", True).verdict == "second" and wrong.answering("c", False).verdict == "wrong"
    settled = wrong.answering("c", False)
    assert settled.answering("a", True) == settled, "once the explanation is there"
    assert settled.unanswered() == begun
    both = library.course().lessons[0]
    assert [mark.is_done(both) for mark in (begun, wrong, settled)] == [False, False, True]


def test_answers_from_before_there_was_a_second_try_are_settled() -> None:
    old = json.dumps({"lessons": {"why": {"answered": "a", "right": True}, "half": {"answered": 3.0, "right": False}}})
    found = read_progress(old)
    assert (found.of("why").verdict, found.of("half").verdict) == ("first", "wrong")


def test_what_was_done_before_the_browser_answered_is_joined_with_what_it_stored() -> None:
    stored = Progress(
        lessons={
            "why": Mark(answered="macs", right=False, tries=2, acted=True, predicted=10.0),
            "half": Mark(acted=True, predicted=49.0),
        },
        lists={"runs": ["a", "b"]},
    )
    here = Progress(
        lessons={"why": Mark(answered="time", right=True, tries=1, predicted=20.0), "lab": Mark()},
        lists={"runs": ["b", "c"]},
    )
    joined = here.joined(stored)
    now = Mark(answered="time", right=True, tries=1, acted=True, predicted=20.0)
    assert joined.of("why") == now, "the newer answer and prediction, and what was done"
    assert joined.of("half") == Mark(acted=True, predicted=49.0) and joined.of("race") == Mark()
    assert joined.lists == {"runs": ["a", "b", "c"]}
    assert Progress().joined(stored) == stored


def test_where_a_visitor_left_off_is_the_first_lesson_that_is_not_done() -> None:
    lessons = library.course().lessons
    done = Mark(answered="x", right=True, tries=1, acted=True)
    assert where_left_off(lessons, Progress()) == ""
    assert where_left_off(lessons, Progress(lessons={"why": Mark(acted=True)})) == "", "both are asked for"
    assert where_left_off(lessons, Progress(lessons={"why": done})) == f"lesson 2 of 11, {lessons[1].title}"
    everything = Progress(lessons={lesson.id: done for lesson in lessons})
    assert where_left_off(lessons, everything).startswith("all 11 lessons done")
