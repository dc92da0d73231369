"""What repair gave: counted by hand, noise never told as a finding, in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pruning.base.errors import StorageError
from pruning.compare import repaired_words as words
from pruning.compare.repaired import RepairGain, drawn_range, gain_of, repair_gain, was_repaired
from pruning.runs import Run, read_run
from pruning.runs.recipe import Recipe
from pruning.runs.result import RepairNote
from pruning.runs.result_json import STAGES
from pruning.tasks.agreement import AGREEMENT
from pruning.tasks.choices import Choices
from pruning.tasks.classification import ACCURACY
from pruning.training.answers import Answers

NOTE = RepairNote(method="refitted", agreement={"as_cut": 0.2, "refitted": 0.9}, images=1000, judged=250)
NAMES = ("cat", "dog", "ship")
EACH = 100


def answers(right: Sequence[int], instead: int = 2, digest: str = "images") -> Answers:
    """Of `EACH` images a class the first so many are answered rightly, the others with `instead`, or by 'cat'."""
    labels = torch.arange(len(right)).repeat_interleave(EACH)
    known = torch.cat([torch.arange(EACH) < count for count in right])
    other = torch.where(labels == instead, 0, instead)
    predicted = torch.where(known, labels, other)
    half = torch.full((len(labels),), 0.5)
    choices = Choices(labels=labels, predicted=predicted, confidence=half, truth=half.clone())
    return Answers(role="select", data_digest=digest, metric=ACCURACY, scores=choices.right, choices=choices)


def gain(rounds: int = 1, **right: Sequence[int]) -> RepairGain:
    return gain_of({name: answers(counts) for name, counts in right.items()}, NOTE, NAMES, rounds=rounds)


def test_every_class_is_counted() -> None:
    found = gain(dense=(98, 96, 99), as_cut=(10, 0, 99), recalibrated=(20, 30, 40), repaired=(90, 60, 97))
    assert [one.name for one in found.classes] == ["dog", "cat", "ship"], "that which still loses most first"
    dog, cat, ship = found.classes
    assert dict(dog.right) == {"dense": 96, "as_cut": 0, "recalibrated": 30, "repaired": 60}
    assert (dog.gained.newly_right, dog.gained.newly_wrong, dog.left.newly_wrong) == (60, 0, 36)
    assert dog.gained.value == 0.6 and dog.left.value == pytest.approx(-0.36) and dog.accuracy("repaired") == 0.6
    assert dog.gain_stands and dog.loss_stands and cat.gain_stands and cat.loss_stands
    assert not ship.gain_stands and not ship.loss_stands, "two images of a hundred may be chance"
    assert ship.answered == 99 + 90 + 100, "as cut it answers 'ship' for nearly everything"
    assert found.stages == ("as_cut", "recalibrated", "repaired") and found.last == "repaired" and not found.tuned
    assert found.images == 300 and found.gained.value == pytest.approx((247 - 109) / 300)


def test_what_is_still_lost_is_of_the_network_that_is_handed_out() -> None:
    found = gain(dense=(98, 96, 99), as_cut=(10, 0, 99), repaired=(90, 60, 97), finetuned=(98, 95, 99))
    assert found.tuned and found.left.value == pytest.approx(-1 / 300)
    assert not any(one.loss_stands for one in found.classes) and found.classes[0].name == "dog"


def test_noise_is_not_told() -> None:
    draw, told = torch.Generator().manual_seed(1), 0
    labels = torch.arange(10).repeat_interleave(EACH)
    half = torch.full((len(labels),), 0.5)

    def guess() -> Answers:
        """Right for 80 of 100 images, by luck."""
        wrong = torch.rand(len(labels), generator=draw) < 0.2
        choices = Choices(labels=labels, predicted=(labels + wrong.long()) % 10, confidence=half, truth=half)
        return Answers(role="select", data_digest="images", metric=ACCURACY, scores=choices.right, choices=choices)

    for _ in range(200):
        found = gain_of({name: guess() for name in ("dense", "as_cut", "repaired")}, NOTE, [*map(str, range(10))])
        marked = any(one.gain_stands for one in found.classes)
        told += marked
        assert ("No class's change by the repair" in words.who_gained(found)) != marked
    assert told <= 200 * 0.08


def test_the_sentences_say_who_gained_and_who_still_loses() -> None:
    found = gain(dense=(98, 96, 99), as_cut=(10, 0, 99), repaired=(90, 60, 70))
    assert words.headline(found) == (
        "Accuracy on 300 select images went from 36.3 % ● as cut to 73.3 % ● repaired: +37.0 points (+29.4 to +44.1), "
        "without training or labels. The original network: 97.7 % ●."
    )
    assert words.who_gained(found).startswith("2 of 3 classes gained by the repair, most of all 'cat' (+80.0 points, ")
    assert re.search(
        r"Lost by it: 'ship' \(−29.0 points, .*\), which the network as cut answered for 96 % of all images\.$",
        words.who_gained(found),
    )
    assert re.fullmatch(
        r"Against the original network all 3 classes still lose once repaired, most of all 'dog' \(−36.0 points, "
        r"−44\.8 to −25\.8\), 'ship' \(−29.0 .*\) and 'cat' \(−8.0 .*\) ●\.",
        words.who_still_loses(found),
    )


def test_the_axis_spans_what_is_drawn_and_the_caption_says_so() -> None:
    found = gain(dense=(98, 96, 99), as_cut=(71, 64, 85), repaired=(90, 82, 97))
    low, high = drawn_range(found.classes)
    drawn = [share for one in found.classes for share in (one.accuracy("as_cut"), one.accuracy("dense"))]
    drawn += [min(1.0, one.accuracy("as_cut") + end) for one in found.classes for end in one.gained.interval]
    assert low <= min(drawn) < low + 0.05 and high - 0.05 < max(drawn) <= high
    assert (low, high) == (0.6, 1.0)
    assert words.drawn(found, 30) == " The axis goes from 60 to 100 % only."
    assert words.drawn(found, 2).startswith(" The 2 classes that still lose most are drawn")
    whole = gain(dense=(98, 96, 99), as_cut=(10, 0, 99), repaired=(90, 60, 97))
    assert drawn_range(whole.classes) == (0.0, 1.0) and words.drawn(whole, 30) == ""
    same = gain(dense=(100, 100, 100), as_cut=(100, 100, 100), repaired=(100, 100, 100))
    assert drawn_range(same.classes) == (pytest.approx(0.95), 1.0), "an axis needs room"


def test_a_repair_that_changed_little_is_said_to_show_nothing() -> None:
    found = gain(dense=(98, 96, 99), as_cut=(97, 96, 99), repaired=(98, 95, 99))
    assert words.headline(found).startswith("Repair made no difference that 300 select images can show: accuracy 97.3")
    assert words.who_gained(found) == "No class's change by the repair can be told from chance."
    assert words.who_still_loses(found) == (
        "No single class's loss against the original network can be told from chance once repaired; over all classes "
        "the change is −0.3 points (−1.2 to +0.6) ●."
    )


def test_rounds_and_fine_tuning_are_said() -> None:
    found = gain(3, dense=(98, 96, 99), as_cut=(10, 0, 99), repaired=(90, 60, 97), finetuned=(60, 95, 99))
    assert words.headline(found).startswith("In the last of 3 rounds: accuracy on 300 select images")
    assert "Fine-tuned afterwards: 84.7 % ◆, +2.3 points (" in words.headline(found)
    assert ") against repaired. The original network" in words.headline(found)
    assert words.who_still_loses(found).startswith(
        "Against the original network one class still loses after fine-tuning: 'cat' (−38.0 points"
    ) and words.who_still_loses(found).endswith("◆.")


def test_without_classes_there_are_figures_of_all_images() -> None:
    def agreeing(count: int) -> Answers:
        scores = torch.arange(200) < count
        half = torch.full((200,), 0.5)
        choices = Choices(predicted=torch.zeros(200, dtype=torch.long), confidence=half)
        return Answers(role="select", data_digest="images", metric=AGREEMENT, scores=scores, choices=choices)

    said: Mapping[str, Answers] = {"dense": agreeing(200), "as_cut": agreeing(20), "repaired": agreeing(150)}
    found = gain_of(said, NOTE, NAMES)
    assert found.classes == () and words.who_gained(found) == words.who_still_loses(found) == ""
    assert "10.0 % ● as cut to 75.0 % ● repaired" in words.headline(found)
    assert "original network:" not in words.headline(found), "it always agrees with itself"


def test_answers_to_other_images_are_damage() -> None:
    said = {"dense": answers((9, 9, 9)), "as_cut": answers((9, 9, 9)), "repaired": answers((9, 9, 9), digest="others")}
    with pytest.raises(StorageError, match="not all to the same images"):
        gain_of(said, NOTE, NAMES)


def test_a_run_keeps_what_it_needs(repaired_run: Run) -> None:
    assert repaired_run.result is not None and was_repaired(repaired_run.result)
    found = repair_gain(repaired_run, [*map(str, range(10))])
    assert found is not None and len(found.classes) == 10
    for name in STAGES:
        assert found.values.get(name) == getattr(repaired_run.result.stages, name), "the very figures of the run"


def test_a_run_without_kept_answers_has_none(repaired_run: Run, tmp_path: Path) -> None:
    assert repair_gain(replace(repaired_run, path=tmp_path), []) is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [("none", "says not to repair"), ("recalibrate", "fitted no weights"), ("refit", "removed nothing")],
)
def test_why_there_is_nothing_to_show(asked: str, said: str, make_result) -> None:
    result = make_result(recipe=Recipe(model="sample:lenet300", data="mnist5k", repair=asked))  # type: ignore[arg-type]
    assert not was_repaired(result) and said in words.not_repaired(result)


def test_old_runs_did_not_repair(stored_runs: Path) -> None:
    result = read_run(stored_runs / "channel").result
    assert result is not None and not was_repaired(result)
