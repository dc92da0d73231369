"""Visitors take turns at computing: nobody starves, a newer question ends the one before, no error blocks others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.data.readers import open_data
from pruning.planning.plan import Plan, make_plan, nothing
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.whatif import Measured, WhatIf
from pruning.whatif.lane import CREDIT, STEP, TURN, Lane, Overtaken

ANSWER = Measured(as_cut=None, recalibrated=None, complete=False)


class Slow:
    """Stands for an engine: so many answers, each after so many seconds of asking whether to go on."""

    def __init__(self, answers: int = 3, seconds: float = 0.02) -> None:
        self.answers, self.seconds = answers, seconds
        self.inside = self.most_inside = 0

    def follow(self, plan: Plan, *, cancel: Cancel) -> Iterator[Measured]:
        for _ in range(self.answers):
            until = time.monotonic() + self.seconds
            while time.monotonic() < until:
                self._work()
                if cancel():
                    raise Cancelled("Cancelled while measuring.")
            yield ANSWER

    follow_repaired = follow

    def _work(self) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        time.sleep(0.003)
        self.inside -= 1


class Asker(threading.Thread):
    """Somebody who asks, and notes when answers came."""

    def __init__(self, lane: Lane, engine: object, name: str, times: int = 1, **more: object) -> None:
        super().__init__(daemon=True)
        self._ask: Callable[[], Iterator[Measured]] = lambda: lane.follow(engine, nothing(), asker=name, **more)  # type: ignore[arg-type]
        self._times = times
        self.came: list[float] = []
        self.error: BaseException | None = None
        self.asked = time.monotonic()
        self.start()

    def run(self) -> None:
        try:
            for _ in range(self._times):
                for _ in self._ask():
                    self.came.append(time.monotonic() - self.asked)
        except BaseException as error:  # also what is no Exception
            self.error = error


def test_one_who_asks_again_and_again_does_not_starve_another() -> None:
    lane, engine = Lane(1), Slow()
    loud = Asker(lane, engine, "loud", times=100)
    time.sleep(0.05)
    quiet = Asker(lane, engine, "quiet")
    quiet.join(10)
    assert len(quiet.came) == 3 and len(loud.came) < 60, "the loud one has not been served to the end before"
    assert quiet.came[0] < 0.02 + STEP + 0.2, "a first answer waits for one step at most"
    assert quiet.came[-1] < 3 * TURN + 1


def test_equal_askers_get_equal_shares() -> None:
    lane, engine = Lane(1), Slow(answers=200)
    askers = [Asker(lane, engine, str(number), cancel=None) for number in range(4)]
    time.sleep(4 * 4 * TURN)
    counts = [len(asker.came) for asker in askers]
    assert min(counts) > 0.4 * max(counts), counts
    for number in range(4):
        with pytest.raises(StopIteration):  # they are asked something else, and stop
            next(lane.follow(Slow(0), nothing(), asker=str(number)))  # type: ignore[arg-type]
    for asker in askers:
        asker.join(5)
        assert isinstance(asker.error, Cancelled)


def test_first_answers_come_before_better_ones() -> None:
    lane, engine = Lane(1), Slow(answers=50)
    old = Asker(lane, engine, "old")
    time.sleep(0.1)
    before = len(old.came)
    newer = [Asker(lane, engine, f"new {number}") for number in range(5)]
    for asker in newer:
        while not asker.came:
            time.sleep(0.001)
    assert max(asker.came[0] for asker in newer) < 5 * (0.02 + STEP) + 0.3
    assert len(old.came) <= before + 2, "which went on only after them"
    assert engine.most_inside == 1


def test_what_a_repair_gives_comes_after_everything_else() -> None:
    lane, engine = Lane(1), Slow(answers=40)
    repair = Asker(lane, engine, "repair", repaired=True, patience=60.0)
    time.sleep(0.05)
    other = Asker(lane, engine, "other")
    other.join(20)
    assert len(other.came) == 40 and repair.error is None
    late = [came for came in repair.came if came + repair.asked < other.asked + other.came[-1] - 0.1]
    assert len(late) < 10, "it lets the other one go first, step by step"
    repair.join(20)
    assert len(repair.came) == 40, "and goes on afterwards"


def test_what_waits_for_all_others_does_not_wait_for_ever() -> None:
    lane, engine = Lane(1), Slow(answers=100)
    other = Asker(lane, engine, "other")
    time.sleep(0.05)
    repair = Asker(lane, engine, "repair", repaired=True, patience=0.3)
    repair.join(5)
    assert isinstance(repair.error, Overtaken) and not repair.came
    assert other.is_alive() and other.error is None
    alone = Asker(Lane(1), Slow(answers=30), "repair", repaired=True, patience=0.0)
    alone.join(20)
    assert alone.error is None and len(alone.came) == 30, "only waiting counts"


def test_what_waits_for_all_others_does_not_wait_for_its_own_asker() -> None:
    lane, engine = Lane(1), Slow(answers=3)
    figures = lane.follow(engine, nothing(), asker="one")  # type: ignore[arg-type]
    next(figures)
    repair = lane.follow(engine, nothing(), asker="one", repaired=True, patience=0.5)  # type: ignore[arg-type]
    next(repair)
    assert len(list(figures)) == 2 and len(list(repair)) == 2, "both go on, as their asker looks at them"
    old = lane.follow(engine, nothing(), asker="one", repaired=True, patience=0.5)  # type: ignore[arg-type]
    next(old)
    next(lane.follow(engine, nothing(), asker="one"))  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        next(old)


def test_a_repair_that_was_asked_for_is_measured_in_turn_with_the_others() -> None:
    lane, engine = Lane(1), Slow(answers=100)
    other = Asker(lane, engine, "other")
    time.sleep(0.05)
    repair = Asker(lane, engine, "repair", repaired=True)
    while len(repair.came) < 5:
        assert repair.is_alive() or repair.came
        time.sleep(0.01)
    assert other.is_alive(), "it had its turns before the other one was done"


def test_first_answers_leave_the_others_their_part() -> None:
    lane, engine = Lane(1), Slow(answers=3, seconds=0.05)
    stop = threading.Event()

    def flood(name: str) -> None:  # only ever looks at first answers, which alone would fill the lane
        while not stop.is_set():
            next(lane.follow(engine, nothing(), asker=name))  # type: ignore[arg-type]

    floods = [threading.Thread(target=flood, args=(str(number),), daemon=True) for number in range(3)]
    for thread in floods:
        thread.start()
    others = Asker(lane, engine, "another", times=20)
    others.join(3 * CREDIT)
    stop.set()
    assert len(others.came) > 6, others.came


def test_the_next_move_ends_the_question_before_while_it_waits_and_while_it_computes() -> None:
    lane, engine = Lane(1), Slow(answers=500)
    first = Asker(lane, engine, "somebody")
    other = Asker(lane, engine, "another")
    time.sleep(0.2)
    asked = time.monotonic()
    second = Asker(lane, engine, "somebody")
    first.join(5)
    assert isinstance(first.error, Cancelled) and time.monotonic() - asked < 0.5
    assert other.error is None and second.error is None


def test_who_no_longer_wants_an_answer_leaves_the_line_at_once() -> None:
    lane, engine = Lane(1), Slow(answers=1, seconds=0.5)
    busy = Asker(lane, engine, "busy")
    gone = threading.Event()
    waits = Asker(lane, engine, "waits", cancel=gone.is_set)
    time.sleep(0.05)
    gone.set()
    waits.join(0.3)
    assert isinstance(waits.error, Cancelled) and not busy.came
    busy.join(5)
    assert len(busy.came) == 1


class Anew(BaseException):
    """As Streamlit raises to begin a page anew: no Exception."""


def test_whatever_is_raised_by_whoever_waits_or_computes_blocks_nobody() -> None:
    lane = Lane(1)

    class Broken(Slow):
        def follow(self, plan: Plan, *, cancel: Cancel) -> Iterator[Measured]:
            raise InputError("This network is broken.")
            yield

    def anew() -> bool:
        raise Anew

    engine = Slow(answers=1, seconds=0.3)
    busy = Asker(lane, engine, "busy")
    time.sleep(0.02)
    raised = [Asker(lane, Broken(), "broken"), Asker(lane, engine, "waiting", cancel=anew)]
    for asker in raised:
        asker.join(5)
    assert isinstance(raised[0].error, InputError) and isinstance(raised[1].error, Anew)
    computing = Asker(lane, engine, "computing", cancel=anew)
    computing.join(5)
    assert isinstance(computing.error, Anew)
    busy.join(5)
    for _ in range(3):
        assert list(lane.follow(Slow(1), nothing(), asker="next")) == [ANSWER]  # type: ignore[arg-type]


def test_nothing_is_held_while_an_answer_is_looked_at() -> None:
    lane = Lane(1)
    engine = Slow()
    looked_at = lane.follow(engine, nothing(), asker="slow reader")  # type: ignore[arg-type]
    next(looked_at)
    asker = Asker(lane, engine, "another")
    asker.join(2)
    assert len(asker.came) == 3
    assert len(list(looked_at)) == 2


def test_two_engines_go_side_by_side_and_one_does_not() -> None:
    lane, engines = Lane(2), [Slow(answers=20), Slow(answers=20)]
    askers = [Asker(lane, engine, f"{number} {i}") for i, engine in enumerate(engines) for number in range(2)]
    for asker in askers:
        asker.join(10)
    seconds = max(asker.came[-1] for asker in askers)
    assert [engine.most_inside for engine in engines] == [1, 1]
    assert seconds < 0.75 * 4 * 20 * 0.02, "two at a time"


def test_visitors_share_turns_whatever_number_of_windows_they_have_open() -> None:
    lane, engine = Lane(1), Slow(answers=300)
    windows = [Asker(lane, engine, f"window {number}", visitor="many windows") for number in range(6)]
    one = Asker(lane, engine, "one", visitor="one window")
    time.sleep(10 * TURN)
    share = len(one.came) / (len(one.came) + sum(len(window.came) for window in windows))
    assert share > 0.3, "half, less what is lost at the ends"
    assert all(window.error is None for window in windows), "windows do not end each other's questions"


def test_answers_are_right_though_questions_alternate_within_every_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four who ask at once of one engine get what each of them gets alone."""
    for name in ("STEP", "GLANCE", "TURN", "LONGEST_TURN"):  # give way before every call of the network
        monkeypatch.setattr(f"pruning.whatif.lane.{name}", 0.0)
    data = open_data("mnist5k")
    subject = open_subject("sample:mini_resnet")
    plans = [
        make_plan(subject.model, subject.graph, PruneSpec(layers=((subject.graph.groups[number].name, 0.5),)))
        for number in range(4)
    ]

    def made() -> WhatIf:
        return WhatIf(subject.model, subject.graph, data, images=200, precision="fp32")

    alone = made()
    wanted = [alone.measure(plan) for plan in plans]
    lane, engine = Lane(1), made()
    found: dict[int, list[Measured]] = {number: [] for number in range(4)}

    def ask(number: int) -> None:
        torch.set_num_threads(1)
        for _ in range(2):
            *_, last = lane.follow(engine, plans[number], asker=number)
            found[number].append(last)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for number, answers in found.items():
        assert len(answers) == 2
        for answer in answers:
            assert answer.complete
            assert torch.equal(answer.as_cut.scores, wanted[number].as_cut.scores)
            assert torch.equal(answer.recalibrated.scores, wanted[number].recalibrated.scores)
