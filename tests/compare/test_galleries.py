"""Galleries: what became wrong and right where labels are known, else where two networks differ and agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from pruning.compare.casualties import Changes, changes, of_class
from pruning.compare.classes import per_class
from pruning.compare.galleries import galleries
from pruning.compare.verdict import answer_words
from pruning.data.readers import open_data
from pruning.render.markup import answer_cards, waffle
from pruning.tasks.alike import AGREEMENT
from pruning.tasks.choices import Choices
from pruning.training.answers import Answers, read_answers, save_answers
from tests.compare.test_casualties import AFTER, BEFORE


def unlabelled(predicted: list[int], confidence: list[float], dense: list[int]) -> Answers:
    said = torch.tensor(predicted)
    return Answers(
        role="test",
        data_digest="images",
        metric=AGREEMENT,
        scores=(said == torch.tensor(dense)) & (said >= 0),
        choices=Choices(predicted=said, confidence=torch.tensor(confidence)),
    )


DENSE = [0, 1, 2, 3, 0]
FIRST = unlabelled(DENSE, [0.9, 0.8, 0.7, 0.95, 0.6], DENSE)
SECOND = unlabelled([0, 2, 2, 1, 0], [0.5, 0.9, 0.69, 0.9, 0.7], DENSE)
THIRD = unlabelled([0, 3, 2, 3, 2], [0.5] * 5, DENSE)


def test_with_labels_they_are_the_newly_wrong_and_the_newly_right() -> None:
    lost, won = galleries(BEFORE, AFTER)
    assert (lost.title, lost.total, won.title, won.total) == ("Newly wrong", 2, "Newly right", 1)
    assert [case.index for case in lost.some(24)] == [2, 1] and [case.index for case in won.some(24)] == [4]
    assert len(lost.some(1)) == 1


def test_without_labels_they_are_where_the_two_differ_and_agree() -> None:
    apart, alike = galleries(FIRST, SECOND)
    assert (apart.title, apart.total, alike.title, alike.total) == ("They differ", 2, "Both say the same", 3)
    assert [case.index for case in apart.some(24)] == [3, 1], "0.95 and 0.9 sure, before 0.8 and 0.9"
    assert [case.index for case in alike.some(24)] == [0, 2, 4], "the second lost 0.4, 0.01, and gained 0.1"
    assert [case.index for case in alike.some(1)] == [0]
    assert all(case.label is None and case.before != case.after for case in apart.some(24))
    assert all(case.before == case.after for case in alike.some(24))


def test_every_image_is_counted_once_by_agreement() -> None:
    assert changes(FIRST, SECOND) == Changes(images=5, same=3, newly_wrong=2, newly_right=0, otherwise=0)
    assert changes(SECOND, THIRD) == Changes(images=5, same=2, newly_wrong=1, newly_right=1, otherwise=1)
    found = changes(SECOND, THIRD)
    words = answer_words(found, "photos", AGREEMENT)
    assert words == (
        "of 5 photos both say the same of 2 and differ in 3 (1 no longer as the original network, 1 newly as it)"
    )
    assert found is not None and "answered in yet another way" in waffle.html(found, AGREEMENT)
    assert per_class(FIRST, SECOND, ("a", "b", "c", "d")) == []
    assert of_class(FIRST.classes, SECOND.classes, None) == ([1, 3, 0, 2, 4], 2)


def test_nothing_of_it_says_right_or_wrong() -> None:
    data = open_data("mnist5k")
    names = ("cat", "dog", "<b>", "eel")
    apart, alike = galleries(FIRST, SECOND)
    html = answer_cards.html(apart.some(24), data, lambda output: names[output])
    assert html.count("<strong>they differ</strong>") == 2 and "&lt;b&gt;" in html and "<b><b>" not in html
    both = answer_cards.html(alike.some(24), data, lambda output: names[output])
    assert both.count("<strong>both say cat</strong>") == 2 and "90 % sure" in both and "50 % sure" in both
    counted = changes(FIRST, SECOND)
    assert counted is not None
    body = re.sub(r"<style>.*?</style>", "", html + both, flags=re.S) + waffle.html(counted, AGREEMENT)
    said = [body, *(text for some in (apart, alike) for text in (some.title, some.order, some.about, some.worst))]
    assert not [text for text in said if re.search(r"\b(right|wrong|true)\b", text, re.I)]
    assert answer_words(counted, "photos", AGREEMENT) == "of 5 photos both say the same of 3 and differ in 2"


def test_answers_without_labels_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.safetensors"
    save_answers(path, {"dense": FIRST, "pruned": SECOND})
    found = read_answers(path)
    assert found["pruned"].metric == AGREEMENT and torch.equal(found["pruned"].scores, SECOND.scores)
    said = found["pruned"].classes
    assert torch.equal(said.predicted, SECOND.classes.predicted) and said.labels is None and said.truth is None
    assert changes(found["dense"], found["pruned"]) == changes(FIRST, SECOND)


def test_without_labels_nothing_can_be_right() -> None:
    with pytest.raises(AssertionError):
        assert FIRST.classes.right is None
