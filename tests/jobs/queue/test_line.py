"""The line of a machine: who is next, what is claimed, what a killed process leaves, and how long one waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.jobs.process import Process
from pruning.jobs.queue import durations
from pruning.jobs.queue.line import Claim, Line
from pruning.jobs.queue.ticket import TIMING, Ticket
from pruning.jobs.queue.turn import turn

ROOT = Path(__file__).parents[3]


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "queue", slots=2)


def add(line: Line, visitor: str = "", **how: object) -> Ticket:
    """A ticket, which there must be."""
    ticket = line.add(kind="run", visitor=visitor, **how)  # type: ignore[arg-type]
    assert ticket is not None
    return ticket


def take(line: Line, lane: str = "work") -> Claim:
    claim = line.take(lane)
    assert claim is not None
    return claim


def numbers(tickets: list[Ticket]) -> list[int]:
    return [ticket.number for ticket in tickets]


def test_first_come_first_served_and_gone_when_done(line: Line) -> None:
    first, second, third = (add(line) for _ in range(3))
    claims = [take(line), take(line)]
    assert [claim.ticket for claim in claims] == [first, second] == line.running()
    assert line.take() is None, "there are two slots"
    assert line.waiting() == [third]
    claims[1].give_back(counts=True)
    assert line.find(second.number) is None
    claims.append(take(line))
    assert claims[-1].ticket == third
    assert sorted(path.name for path in (line.root / "claims").iterdir()) == ["000000001.lock", "000000003.lock"]


def test_numbers_never_come_again(line: Line) -> None:
    """Nor where the clock is set, for none is looked at."""
    add(line)
    take(line).give_back(counts=False)
    assert add(line).number == 2
    (line.root / "counts.json").write_text("damaged")
    assert add(line).number == 3


def test_a_visitor_with_twenty_jobs_does_not_starve_the_others(line: Line) -> None:
    for _ in range(20):
        add(line, "a")
    add(line, "b")
    add(line, "c")
    add(line, "b")
    served = []
    while (claim := line.take()) is not None:
        served.append(claim.ticket.visitors[0])
        claim.give_back(counts=False)
    assert served == ["a", "b", "c", "a", "b", *["a"] * 18]


def test_nobody_starves_though_somebody_new_comes_before_each_turn(line: Line) -> None:
    for _ in range(4):
        add(line, "a")
    served = []
    for _ in range(40):
        add(line, "b")
        add(line, "c")
        claim = take(line)
        served.append(claim.ticket.visitors[0])
        claim.give_back(counts=False)
    assert served[:12] == ["a", "b", "c"] * 4


def test_a_job_that_several_asked_for_is_served_with_the_first_of_them(line: Line) -> None:
    shared = add(line, "a")
    for _ in range(3):
        add(line, "b")
    line.join(shared.number, "b")
    line.join(shared.number, "b")
    (found,) = [ticket for ticket in line.tickets() if ticket.number == shared.number]
    assert found.visitors == ("a", "b")
    line.leave(shared.number, "a")
    left = line.find(shared.number)
    assert left is not None and left.visitors == ("b",)
    line.leave(shared.number, "b")
    assert line.find(shared.number) == left, "who asks last is not left out by mistake"


CLAIMS = """
import sys, time
from pathlib import Path
from pruning.jobs.queue.line import Line
claim = Line(Path(sys.argv[1]), slots=2).take()
print(claim.ticket.number, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_held_is_free_and_its_ticket_still_there(line: Line) -> None:
    ticket = add(line)
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMS, str(line.root)], cwd=ROOT, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "1\n"
        assert line.is_claimed(ticket) and line.running() == [ticket] and line.take() is None
        process.kill()
        process.wait()
    assert not line.is_claimed(ticket) and line.waiting() == [ticket]
    assert take(line).ticket == ticket


def test_who_stands_in_line_itself_is_not_served_by_the_pool(line: Line) -> None:
    own = add(line, process=Process.own())
    other = add(line)
    theirs = take(line)
    assert theirs.ticket == other, "there are two slots"
    assert line.take() is None
    claim = line.take(own=own.number)
    assert claim is not None and claim.ticket == own
    with subprocess.Popen(["true"]) as ended:
        gone = Process.of(ended.pid)
    add(line, process=gone)
    assert line.waiting() == [], "whoever left the line is in nobody's way"


def test_the_pool_leaves_a_slot_to_who_is_before_it_in_line(line: Line) -> None:
    one = Line(line.root, slots=1)
    own = add(one, process=Process.own())
    add(one)
    assert one.take() is None, "it is the command's turn"
    claim = one.take(own=own.number)
    assert claim is not None
    claim.give_back(counts=False)
    assert one.take() is not None


def test_timings_have_a_lane_of_their_own(line: Line) -> None:
    timing = add(line, lane=TIMING)
    add(line)
    work = take(line)
    assert work.ticket.lane == "work" and line.waiting(TIMING) == [timing]
    measured = take(line, TIMING)
    assert measured.ticket == timing
    add(line, lane=TIMING)
    assert line.take(TIMING) is None, "one at a time"


def test_the_line_is_bounded(tmp_path: Path) -> None:
    line = Line(tmp_path, slots=1, most=5, most_each=2)
    add(line, "a")
    add(line, "a")
    with pytest.raises(InputError, match="2 of your jobs wait"):
        add(line, "a")
    for _ in range(3):
        add(line, "")
    with pytest.raises(InputError, match="5 jobs wait on this machine"):
        add(line, "b")
    assert len(line.tickets()) == 5


def test_where_one_stands_and_how_long_it_takes(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert line.outlook() is None, "it would begin at once"
    for number in range(4):
        add(line, f"{number}", expected=30.0)
    claims = [take(line), take(line)]
    third, fourth = line.waiting()
    place = line.place_of(fourth.number)
    assert place is not None and (place.number, place.of, place.visitors) == (2, 2, 4)
    assert place.seconds == pytest.approx(30, abs=1.5)
    outlook = line.outlook("4")
    assert outlook is not None and (outlook.number, outlook.of) == (3, 3)
    assert outlook.seconds == pytest.approx(60, abs=2)
    assert line.place_of(claims[0].ticket.number) is None
    assert third.expected == 30.0


def test_what_is_said_goes_by_what_was_measured(tmp_path: Path) -> None:
    assert durations.predicted(tmp_path, "run", None) == durations.UNKNOWN
    assert durations.predicted(tmp_path, "run", 10.0) == 10.0
    for seconds in (20.0, 22.0, 400.0):
        durations.note(tmp_path, "run", seconds, 10.0)
    assert durations.predicted(tmp_path, "run", 100.0) == pytest.approx(220)
    assert durations.predicted(tmp_path, "run", None) == pytest.approx(22)
    assert durations.predicted(tmp_path, "scan", 10.0) == 10.0
    (tmp_path / durations.FILE).write_text('{"run": [[1, "x"]]}')
    assert durations.predicted(tmp_path, "run", 10.0) == 10.0, "what is damaged tells nothing"
    durations.note(tmp_path, "run", 20.0, 10.0)
    assert durations.predicted(tmp_path, "run", 10.0) == 20.0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lane": "x"}', '{"visitors": 3}', "\x00"])
def test_a_damaged_ticket_is_taken_away_and_harms_nobody(line: Line, content: str) -> None:
    kept = add(line)
    (line.root / "tickets" / "000000077.json").write_text(content)
    (line.root / "tickets" / "no ticket").write_text("x")
    assert line.tickets() == [kept] and take(line).ticket == kept


def test_a_line_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "queue").write_text("a file, where a folder should be")
    with pytest.raises(StorageError, match="PRUNING_CACHE"):
        add(Line(tmp_path / "queue", slots=1))


def test_thirty_threads_add_and_take(line: Line) -> None:
    """Each ticket is served once, never more than two at once."""
    served: list[int] = []
    at_once: list[int] = []
    holding: list[int] = []
    troubles: list[BaseException] = []

    def visit(number: int) -> None:
        try:
            add(line, f"{number:x}")
            while len(served) < 30:
                claim = line.take()
                if claim is None:
                    time.sleep(0.002)
                    continue
                holding.append(claim.ticket.number)
                at_once.append(len(holding))
                served.append(claim.ticket.number)
                holding.remove(claim.ticket.number)
                claim.give_back(counts=False)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles and sorted(served) == list(range(1, 31)) and max(at_once) <= 2


def test_a_turn_waits_says_so_and_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    settings = tmp_path / "pruning.toml"
    settings.write_text("[queue]\nworkers = 1\n")
    monkeypatch.setenv("PRUNING_SETTINGS", str(settings))
    line = Line(tmp_path / "queue", slots=1)
    add(line)
    claim = take(line)
    said: list[str] = []
    with pytest.raises(Cancelled), turn("run", lambda: bool(said), said.append):
        pytest.fail("another job is being done")
    assert said == ["Waiting for other work on this machine to end"] and line.waiting() == []
    claim.give_back(counts=False)
    with turn("run", waiting=said.append):
        assert len(line.running()) == 1
        with turn("run"):
            assert len(line.running()) == 1, "who has a turn has it"
    assert len(said) == 1 and line.tickets() == []
    assert os.path.exists(line.root / durations.FILE)
