"""What was asked once is answered at once, and who asks the same as another waits with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pruning.whatif import known
from pruning.whatif.engine import Measured
from pruning.whatif.known import Answers

KEY = ("network", "images", "cut")
PART, WHOLE = (Measured(as_cut=None, recalibrated=None, complete=complete) for complete in (False, True))


class Asked:
    """Answers a question in two parts, the second once it may."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = threading.Event()

    def __call__(self) -> Iterator[Measured]:
        self.times += 1
        yield PART
        assert self.may_end.wait(10)
        yield WHOLE


def wait_until_asked(asked: Asked, times: int = 1) -> None:
    until = time.monotonic() + 10
    while asked.times < times:
        assert time.monotonic() < until
        time.sleep(0.005)


def test_an_answer_that_is_known_is_given_at_once() -> None:
    answers, asked = Answers(10), Asked()
    asked.may_end.set()
    assert list(answers.follow(KEY, asked)) == [PART, WHOLE]
    assert list(answers.follow(KEY, asked)) == [WHOLE] and asked.times == 1


def test_thirty_who_ask_the_same_are_one_question() -> None:
    answers, asked = Answers(10), Asked()
    all_see_it = threading.Barrier(31)

    def one() -> list[Measured]:
        coming = answers.follow(KEY, asked)
        seen = [next(coming)]
        all_see_it.wait(10)
        return [*seen, *coming]

    with ThreadPoolExecutor(30) as people:
        found = [people.submit(one) for _ in range(30)]
        all_see_it.wait(10)
        asked.may_end.set()
        assert all(each.result(10) == [PART, WHOLE] for each in found), "and each sees it come"
    assert asked.times == 1


def test_another_goes_on_where_the_first_has_left() -> None:
    answers, first, second = Answers(10), Asked(), Asked()
    leaving = answers.follow(KEY, first)
    assert next(leaving) is PART
    with ThreadPoolExecutor(1) as people:
        found = people.submit(lambda: list(answers.follow(KEY, second)))
        time.sleep(0.05)
        assert second.times == 0
        leaving.close()  # type: ignore[attr-defined]
        wait_until_asked(second)
        second.may_end.set()
        assert found.result(10) == [PART, PART, WHOLE]


def test_where_the_first_has_broken_another_asks() -> None:
    def broken() -> Iterator[Measured]:
        raise ValueError
        yield PART

    answers, asked = Answers(10), Asked()
    asked.may_end.set()
    with pytest.raises(ValueError):
        next(answers.follow(KEY, broken))
    assert list(answers.follow(KEY, asked)) == [PART, WHOLE]


def test_nobody_waits_for_ever_with_one_who_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "SILENCE", 0.1)
    answers, silent, asked = Answers(10), Asked(), Asked()
    left = answers.follow(KEY, silent)
    next(left)  # and then neither asks further nor leaves
    asked.may_end.set()
    assert list(answers.follow(KEY, asked)) == [PART, PART, WHOLE]
    assert list(answers.follow(KEY, silent)) == [WHOLE]


def test_who_waits_with_another_can_leave() -> None:
    answers, silent = Answers(10), Asked()
    next(leading := answers.follow(KEY, silent))

    def moved_on() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(answers.follow(KEY, Asked(), moved_on))
    leading.close()  # type: ignore[attr-defined]
