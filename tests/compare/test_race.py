"""The race's arithmetic by a clock that the networks themselves turn; guesses."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import Cancelled, InputError
from pruning.compare.blind import MOST_DIFFERENT, PICTURES, BlindTest, by_luck, choose_exhibits, tally
from pruning.compare.race import Standing, ending_words, race
from pruning.render.markup import race_lanes
from pruning.tasks.choices import Choices
from pruning.tasks.classification import ACCURACY
from pruning.training.answers import Answers

NOW = [0.0]
SEEN: dict[str, list[float]] = {}


class Ticker(nn.Module):
    """Takes so long for an image by the clock `NOW`, with pauses for some; notes which images it saw."""

    def __init__(self, name: str, seconds: float, pause: float = 0.0) -> None:
        super().__init__()
        self.name, self.seconds, self.pause = name, seconds, pause

    def forward(self, images: Tensor) -> Tensor:
        NOW[0] += self.seconds * len(images) + (self.pause if len(SEEN.get(self.name, [])) % 50 == 0 else 0.0)
        SEEN.setdefault(self.name, []).extend(images[:, 0, 0, 0].tolist())
        return images


@pytest.fixture(autouse=True)
def _fresh() -> None:
    NOW[0] = 0.0
    SEEN.clear()


def run(first: float, second: float, batch: int = 1, pauses: tuple[float, float] = (0.0, 0.0)) -> list[Standing]:
    images = torch.arange(64.0).view(64, 1, 1, 1)
    runners = Ticker("first", first, pauses[0]), Ticker("second", second, pauses[1])
    return list(race(*runners, images, batch, seed=0, clock=lambda: NOW[0]))


def test_twice_as_fast_is_twice_as_far() -> None:
    *going, last = run(0.002, 0.001)
    assert last.goal == 2000, "what the faster one classifies in two seconds"
    assert last.speedup == pytest.approx((2, 2, 2)) and last.leader == 1
    assert last.verdict == "2.00× as fast (2.00–2.00)"
    assert last.level == pytest.approx((1000, 2000)) and last.rates == pytest.approx((500, 1000))
    assert all(standing.speedup is None and standing.leader is None for standing in going)
    positions = [standing.level[1] for standing in going]
    assert positions == sorted(positions) and positions[0] < 200, "it is shown on its way"


def test_the_slower_one_may_be_the_pruned_one() -> None:
    last = run(0.001, 0.004, batch=8)[-1]
    assert last.leader == 0 and last.verdict.startswith("slower: 0.25×")
    assert last.level == pytest.approx((last.goal, last.goal / 4))


def test_equal_networks_have_no_winner() -> None:
    last = run(0.001, 0.001, pauses=(0.0004, 0.0005))[-1]
    assert last.speedup is not None and last.speedup[0] <= 1 <= last.speedup[2] and last.quiet
    assert last.leader is None and last.verdict.startswith("no measurable speed-up")


def test_long_pauses_of_the_machine_are_noise() -> None:
    last = run(0.002, 0.001, pauses=(0.03, 0.031))[-1]
    assert not last.quiet and last.leader is None and last.verdict == "too noisy to measure"
    head, rest = ending_words(last, ("dense", "pruned"))
    assert head == "Too noisy to measure: again?" and "as fast" not in rest


def test_what_was_noisy_has_no_badge() -> None:
    quiet, noisy = run(0.002, 0.001)[-1], run(0.002, 0.001, pauses=(0.03, 0.031))[-1]
    assert "●" in race_lanes.ending(quiet, ("dense", "pruned"))
    assert "●" not in race_lanes.ending(noisy, ("dense", "pruned"))


def test_others_compute_in_between() -> None:
    asked: list[float] = []

    def rest(seconds: float) -> bool:
        asked.append(seconds)
        return len(asked) % 3 == 0

    images = torch.arange(64.0).view(64, 1, 1, 1)
    runners = Ticker("first", 0.002), Ticker("second", 0.001)
    last = list(race(*runners, images, 1, seed=0, clock=lambda: NOW[0], rest=rest))[-1]
    assert last.speedup == pytest.approx((2, 2, 2)) and len(asked) > 6 * 3, "before each block and turn"
    assert max(asked) < 0.4, "seconds"


def test_where_runners_end_says_what_the_verdict_says() -> None:
    last = run(0.002, 0.001)[-1]
    paused = dataclasses.replace(last, images=(last.images[0], last.images[1] // 4))
    assert paused.rates[1] < paused.rates[0], "a pause in the faster one's turn"
    assert paused.leader == 1 and paused.level == pytest.approx((1000, 2000))


def test_both_get_the_same_stream_over_and_over() -> None:
    run(0.002, 0.001, batch=32)
    first, second = SEEN["first"], SEEN["second"]
    length = min(len(first), len(second))
    expected = [float(number % 64) for number in range(64)]
    assert first[:64] == expected and second[:64] == expected and length > 640
    assert set(first) == set(expected)


def test_where_runners_are_is_counted_after_the_same_time() -> None:
    standing = Standing(goal=1000, batch=1, images=(300, 500), seconds=(1.0, 0.8))
    assert standing.rates == pytest.approx((300, 625))
    assert standing.level == pytest.approx((240, 500)), "after 0.8 seconds each"
    late = Standing(goal=1000, batch=1, images=(600, 1250), seconds=(2.0, 2.0))
    assert late.level == pytest.approx((480, 1000)), "nobody runs on behind the finish"


def test_a_race_can_be_stopped_and_changes_no_model() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(1)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(Cancelled):
        list(race(model, model, torch.randn(8, 1, 1, 1), 4, cancel=lambda: True))
    assert model.training and all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not torch.is_inference_mode_enabled()


def answers(predicted: list[int], digest: str = "d") -> Answers:
    count = len(predicted)
    choices = Choices(
        labels=torch.zeros(count, dtype=torch.int64), predicted=torch.tensor(predicted),
        confidence=torch.ones(count), truth=torch.ones(count),
    )  # fmt: skip
    return Answers(role="select", data_digest=digest, metric=ACCURACY, scores=choices.right, choices=choices)


def test_a_round_holds_pictures_that_differ_and_says_how_many() -> None:
    first, second = answers([0] * 100), answers([0] * 95 + [1] * 5)
    seen = set()
    for seed in range(30):
        shown = choose_exhibits(first, second, seed)
        assert len(set(shown.index)) == PICTURES
        assert sum(place >= 95 for place in shown.index) == shown.different == MOST_DIFFERENT
        assert (shown.different_in_all, shown.images) == (5, 100)
        seen |= set(shown.index)
    assert {95, 96, 97, 98, 99} < seen, "every round draws anew"
    assert choose_exhibits(first, first, 0).different == 0
    assert choose_exhibits(first, second, 4) == choose_exhibits(first, second, 4)
    with pytest.raises(InputError):
        choose_exhibits(first, answers([0] * 100, "other"), 0)


def test_guesses_are_worth_what_a_coin_would_not_do() -> None:
    assert by_luck(3, 5) == 0.5 and by_luck(5, 5) == 1 / 32
    assert tally(3, 5) == "3 of 5 right: no better than a coin."
    assert tally(4, 4).startswith("4 of 4 right: no better than a coin. Five rounds")
    assert (
        tally(5, 5)
        == "5 of 5 right: better than a coin, which does that 1 time in 32 if the rounds were agreed on beforehand."
    )
    assert tally(8, 10) == "8 of 10 right: no better than a coin.", "a coin does that in 56 of 1,024"
    assert tally(9, 10).startswith("9 of 10 right: better than a coin, which does that 1 time in 93")


def test_the_first_guess_of_a_round_counts() -> None:
    test = BlindTest()
    test.deal()
    assert test.order.index(1) == "AB".index(test.truth), "the truth is the second network's letter"
    test.take(test.truth)
    test.take("A" if test.truth == "B" else "B")
    assert (test.rounds, test.right, test.guess) == (1, 1, test.truth)
    test.deal()
    assert (
        test.guess is None
        and test.tally == "1 of 1 right: no better than a coin. Five rounds at least are needed to tell."
    )


def test_an_ending_claims_what_its_interval_shows() -> None:
    ended = Standing(goal=2000, batch=32, images=(1000, 2000), seconds=(2.0, 2.0), speedup=(0.4, 0.5, 0.6))
    head, rest = ending_words(ended, ("dense", "pruned"))
    assert head == "Dense is 2.00× as fast (1.67–2.50)"
    assert "pruned has classified 1,000 images when dense has its 2,000" in rest
    head, _ = ending_words(dataclasses.replace(ended, speedup=(0.95, 1.05, 1.2)), ("dense", "pruned"))
    assert head == "Same speed, as far as can be measured (0.95–1.20×)"
