"""The race: equal steps and equal ends by count, verdicts on made numbers worked out by hand, cancel, and the cache."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from pruning.base.errors import Cancelled, InputError
from pruning.contest import Finish, Race, Terms, Verdict, judge, race, t95
from pruning.contest.cache import changes, hold, job_of, read, replay, to_json
from pruning.contest.race import line_up
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.images import Images
from pruning.jobs.events import decode, encode
from pruning.jobs.job import Job
from pruning.jobs.status import Status
from pruning.runs.pipeline import prune_in_rounds
from pruning.spec import CONTEST
from pruning.subject import Subject, open_subject
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import evaluate

TERMS = Terms(
    model="sample:lenet300", data="mnist5k", rounds=3, steps=7, seeds=(4, 9), prune=CONTEST.replace(sparsity=0.97)
)


@pytest.fixture(scope="module")
def network(data: Data) -> Subject:
    return open_subject("sample:lenet300").with_images(Images.of(data))


@pytest.fixture(scope="module")
def data() -> Data:
    """The digits, few to train on and few to look at."""
    full = open_data("mnist5k")
    assert isinstance(full, MemoryData)
    roles = {"train": 640, "select": 40, "test": 1}
    return replace(
        full,
        info=replace(full.info, sizes=roles),
        pixels={role: full.pixels[role][:count] for role, count in roles.items()},
        truth={role: full.truth[role][:count] for role, count in roles.items()},
    )


@pytest.fixture(scope="module")
def whole(network: Subject, data: Data) -> list[Race]:
    """Every state of a race, to its end."""
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    found = list(race(TERMS, network))
    assert all(torch.equal(value, before[name]) for name, value in network.model.state_dict().items())
    return found


def test_both_sides_take_equal_steps_to_an_equal_end(whole: list[Race]) -> None:
    end = whole[-1]
    assert end.done and end.share == 1.0
    assert [(lane.schedule, lane.seed) for lane in end.lanes] == [
        ("oneshot", 4), ("iterative", 4), ("oneshot", 9), ("iterative", 9),
    ]  # fmt: skip
    for lane in end.lanes:
        assert lane.finish is not None and lane.finish.steps == lane.step == 7
        # 235,200, 30,000 and 1,000 weights, of which 97 % go.
        assert (lane.finish.kept, lane.finish.total) == (7_056 + 900 + 30, 266_200)
        # Three rounds of 2, 2 and 3 steps: what is left is cut before steps 1, 3 and 5.
        cuts = [mark.step for mark in lane.marks if mark.after == "cut"]
        assert cuts == ([0] if lane.schedule == "oneshot" else [0, 2, 4])


def test_a_lane_is_what_the_same_recipe_gives_on_its_own(whole: list[Race], network: Subject, data: Data) -> None:
    """Taking turns changes nothing."""
    for lane in whole[-1].lanes[:2]:
        alone = prune_in_rounds(TERMS.recipe(lane.schedule, lane.seed), network, lambda event: None, None)
        assert lane.finish is not None
        assert lane.finish.scores == tuple(evaluate(alone.model, data, "select").scores.tolist())


def test_seeds_train_differently(network: Subject, data: Data) -> None:
    weights = [
        prune_in_rounds(TERMS.recipe("oneshot", seed), network, lambda event: None, None).model.state_dict()
        for seed in TERMS.seeds
    ]
    assert not torch.equal(weights[0]["fc1.weight"], weights[1]["fc1.weight"])


def test_lanes_come_along_together(whole: list[Race]) -> None:
    """No lane is ahead of another by more than the widest gap between two of its marks: here a round of 3 steps."""
    for now in whole:
        steps = [lane.step for lane in now.lanes if lane.finish is None]
        assert not steps or max(steps) - min(steps) <= 3
    assert [now.share for now in whole] == sorted(now.share for now in whole)


def test_the_race_is_shared_through_its_job_and_can_be_stopped(
    whole: list[Race], network: Subject, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    job = job_of(TERMS, network.identity, data.digest)
    assert not read(job, TERMS).done and job.status() is None

    def told(now: Race, text: str) -> None:
        assert state(job) == "running"
        if now.share > 0.3:
            job.request_cancel()

    with pytest.raises(Cancelled, match="stopped"):
        hold(TERMS, network, progress=told)
    half = read(job, TERMS)
    assert 0.3 < half.share < 1 and job.status() == Status(state="cancelled", text="The race was stopped.")

    assert hold(TERMS, network) == whole[-1] == read(job, TERMS), "from the start again, to the same end"
    assert state(job) == "done" and len(job.attempts()) == 1
    assert hold(TERMS, network) == whole[-1] and len(job.attempts()) == 1, "it is there already"
    other = job_of(replace(TERMS, lr=0.01), network.identity, data.digest)
    assert other != job and other.status() is None, "other terms find nothing in it"


def state(job: Job) -> str | None:
    now = job.status()
    return None if now is None else now.state


def events(whole: list[Race]) -> list[dict[str, Any]]:
    """What the process of a race tells."""
    return [event for before, after in pairwise([line_up(TERMS), *whole]) for event in changes(before, after)]


def test_events_lead_to_the_same_race(whole: list[Race]) -> None:
    told = events(whole)
    assert replay(TERMS, decode(encode(told))) == whole[-1]
    assert [replay(TERMS, told[: number + 1]) for number in range(len(whole))] == whole, "one event a step"


@pytest.mark.parametrize(
    "damage",
    [
        lambda event: event.pop("lane"),
        lambda event: event.update(lane=4),
        lambda event: event.update(lane=-1),
        lambda event: event.update(kind="exploded"),
        lambda event: event.update(correct=41),
        lambda event: event.update(images=0),
        lambda event: event.update(step="1"),
        lambda event: event.update(after=None),
    ],
)
def test_a_damaged_mark_counts_for_nothing(whole: list[Race], damage: Callable[[dict[str, Any]], None]) -> None:
    told = events(whole)
    last = max(number for number, event in enumerate(told) if event["kind"] == "mark" and event["lane"] == 0)
    damage(told[last])
    found = replay(TERMS, told)
    assert found.lanes[1:] == whole[-1].lanes[1:]
    assert found.lanes[0].marks == whole[-1].lanes[0].marks[:-1]


@pytest.mark.parametrize("right", ["0x1", "", "01", 1, None, "1" * 41])
def test_a_damaged_end_is_none(whole: list[Race], right: object) -> None:
    told = events(whole)
    assert told[-1]["kind"] == "finish"
    told[-1]["right"] = right
    assert not replay(TERMS, told).done


def test_the_commands_json_has_all_lanes(whole: list[Race]) -> None:
    lanes = to_json(whole[-1])["lanes"]
    assert [(lane["schedule"], lane["seed"]) for lane in lanes] == [
        ("oneshot", 4), ("iterative", 4), ("oneshot", 9), ("iterative", 9),
    ]  # fmt: skip
    assert all(set(lane["finish"]["right"]) <= {"0", "1"} and lane["marks"] for lane in lanes)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seeds": (1,)}, "2 to 12"),
        ({"seeds": (1, 1)}, "different"),
        ({"rounds": 1}, "2 rounds"),
        ({"steps": 2}, "steps"),
        ({"prune": {"sparsity": 1.0}}, "sparsity"),
    ],
)
def test_terms_that_make_no_race_are_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        if isinstance(change.get("prune"), dict):
            change = {"prune": TERMS.prune.replace(**change["prune"])}
        replace(TERMS, **change)  # type: ignore[arg-type]


# The verdict, on made numbers.


def finished(once: list[set[int]], again: list[set[int]], images: int = 100) -> Race:
    """A race in which each lane has exactly these images right."""
    terms = replace(TERMS, seeds=tuple(range(len(once))))
    sides = {"oneshot": once, "iterative": again}
    lanes = tuple(
        replace(
            lane,
            finish=Finish(
                metric=ACCURACY,
                scores=tuple(i in sides[lane.schedule][lane.seed] for i in range(images)),
                kept=1,
                total=1,
                steps=7,
            ),
        )
        for lane in line_up(terms).lanes
    )
    return replace(line_up(terms), lanes=lanes)


def first(*counts: int) -> list[set[int]]:
    """So many images right, the first ones."""
    return [set(range(count)) for count in counts]


def verdict(once: tuple[int, ...], again: tuple[int, ...]) -> Verdict:
    return judge([finished(first(*once), first(*again))])


def test_a_clear_difference_names_a_winner_either_way() -> None:
    found = verdict((40, 42, 41), (70, 74, 72))
    # Differences 30, 32 and 31 points: mean 31, deviation 1; half an interval is 4.3027 · 1 / √3 = 2.484.
    assert found.winner == "iterative" and found.reason is None and found.seeds == 3
    assert found.mean == pytest.approx(0.31)
    assert found.over_seeds == pytest.approx((0.31 - 0.02484, 0.31 + 0.02484), abs=1e-5)
    assert verdict((70, 74, 72), (40, 42, 41)).winner == "oneshot"


def test_no_winner_while_the_seeds_meet() -> None:
    """Each pair says the same, by 5 points; but the best of one side reaches the worst of the other."""
    found = verdict((40, 50, 60), (45, 55, 65))
    assert found.winner is None and found.reason == "bands" and found.mean == pytest.approx(0.05)


def test_no_winner_where_three_seeds_do_not_agree_well_enough() -> None:
    """Bands apart, all three pairs the same way: 5, 6 and 14 points. Mean 8.33, deviation 4.93, half 12.25."""
    found = verdict((73, 74, 73), (78, 80, 87))
    assert found.winner is None and found.reason == "seeds"
    assert found.over_seeds[1] - found.mean == pytest.approx(
        4.302653 * math.sqrt(73 / 3) / 100 / math.sqrt(3), rel=1e-5
    )


def test_no_winner_where_it_hangs_on_a_few_images() -> None:
    """All seeds say 2 points exactly, on the same two images of a hundred: others might say otherwise."""
    found = verdict((90, 90, 90), (92, 92, 92))
    assert found.over_seeds == pytest.approx((0.02, 0.02))
    assert found.winner is None and found.reason == "images"
    # Two differences of 1 among 100: mean .02, deviation √(1.96 / 99) = .14071; half 1.96 · .014071.
    assert found.over_images == pytest.approx((0.02 - 0.027579, 0.02 + 0.027579), abs=1e-5)


def test_more_seeds_narrow_the_interval() -> None:
    once, again = finished(first(73, 74, 73), first(78, 80, 87)), finished(first(72, 73, 74), first(79, 83, 85))
    assert judge([once]).winner is None
    both = judge([once, again])
    assert both.seeds == 6 and both.winner == "iterative"


def test_an_unfinished_race_has_no_verdict(whole: list[Race]) -> None:
    with pytest.raises(InputError, match="finished"):
        judge([whole[0]])


def test_students_quantile() -> None:
    """From a printed table."""
    assert [round(t95(freedom), 3) for freedom in (1, 2, 5, 8)] == [12.706, 4.303, 2.571, 2.306]
