"""The gate says what the unpruned network makes of one's own images, and what else was tried where that is low."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from pruning.data.preprocess import Preprocess
from pruning.gate import look, try_others
from pruning.render.markup import gate_question
from pruning.subject import Subject, open_subject
from tests import own

WRONG = Preprocess(size=(16, 16), colour="bgr", mean=(0.0,) * 3, std=(1 / 255,) * 3)


@pytest.fixture(scope="module")
def ref(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own.added():
        yield own.learnt_in(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def subject(ref: str) -> Subject:
    return open_subject(ref, "shapes:labelled")


def test_what_is_as_expected(subject: Subject) -> None:
    first = look(subject, images=90)
    assert first.value > 0.9 and first.doubt is None and first.answers.images == 90
    low, high = (f"{100 * end:.1f}" for end in first.interval)
    assert (
        first.words
        == f"Unpruned, build of net.py gets {100 * first.value:.1f} % ({low}–{high} %) of 90 select images right."
    )
    assert first.figure("accuracy") == first.value and first.figure("top5") == 1.0 and first.figure("other") is None
    assert len(first.examples) == 8 and "The images are drawn." in first.remarks
    labels = subject.data.labels("select")
    assert labels is not None
    for example in first.examples:
        truth = own.CLASSES[int(labels[example.index])]
        assert example.truth == truth and example.right == (example.answer == truth)
        assert example.confidence is not None and 0.3 < example.confidence <= 1


def test_a_wrong_preparation_is_found_and_not_chosen(ref: str) -> None:
    subject = open_subject(ref, "shapes:labelled", preprocess=WRONG)
    first = look(subject, images=90)
    assert first.doubt is not None and "prepared otherwise" in first.doubt and first.value < 0.6
    assert any(example.right is False for example in first.examples), "one that is wrong is among them"
    found = try_others(subject, first)
    assert found[0].words == "RGB, ImageNet's mean and deviation" and found[0].value > 0.9 and found[0].better
    assert found[0].preprocess == own.DEFAULT and subject.preprocess == WRONG
    assert found[0].difference.value == pytest.approx(found[0].value - first.value)
    assert sorted(found, key=lambda one: -one.value) == list(found) and not found[-1].better


def test_a_documented_order_of_classes_is_found(ref: str) -> None:
    subject = open_subject(ref, "shapes:renamed")
    found = try_others(subject, look(subject, images=60))
    assert found[0].words == "classes in alphabetical order, whatever their case" and found[0].value > 0.9
    assert (found[0].order, found[0].preprocess) == ("alphabetical", None)


def test_the_figure_has_its_badge(subject: Subject, ref: str) -> None:
    first = look(subject, images=90)
    assert "".join(first.parts) == first.words and first.parts[1] == f"{100 * first.value:.1f} %"
    html = gate_question.html(first)
    assert f"<span>{first.parts[1]}" in html and html.index('aria-label="measured"') < html.index("As expected?")
    trivial = gate_question.html(look(open_subject(ref, "shapes:plain"), images=60))
    assert "measured&quot;" not in trivial and 'aria-label="measured"' not in trivial, "there is no figure"


def test_a_figure_far_below_the_stated_one_is_doubted(subject: Subject) -> None:
    stated = replace(subject, network=replace(subject.network, stated=0.9))
    assert look(stated, images=90).doubt is None
    poor = replace(stated, network=replace(stated.network, model=_poor(subject)))
    doubt = look(poor, images=90).doubt
    assert doubt is not None and "states 90.0 %" in doubt


def _poor(subject: Subject) -> torch.nn.Module:
    """Right for two classes of three."""

    class Poor(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return subject.model(images) * torch.tensor([1.0, 1.0, 0.0]) - torch.tensor([0.0, 0.0, 50.0])

    return Poor().eval()


def test_images_without_labels_say_that_agreement_is_measured(ref: str) -> None:
    subject = open_subject(ref, "shapes:plain")
    first = look(subject, images=60)
    assert first.trivial and first.doubt is None and try_others(subject, first) == ()
    assert (
        first.words
        == "These 60 select images have no labels: what is measured with them is agreement with the unpruned network."
    )
    assert {example.answer for example in first.examples} <= {"class 0", "class 1", "class 2"}
    assert all(example.truth is None and example.right is None for example in first.examples)


def test_published_images_are_not_tried_otherwise() -> None:
    subject = open_subject("sample:lenet300")
    first = look(subject, images=100)
    assert first.preprocess is None and try_others(subject, first) == ()
