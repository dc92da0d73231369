"""A drawing becomes what MNIST would have made of it: held to MNIST's own images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pruning.base.errors import InputError
from pruning.data.handwriting import BOX, CANVAS, FIELD, as_mnist, drawn_image, read_strokes
from pruning.data.readers import open_data


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return open_data("mnist5k").images("select", torch.arange(200))[:, 0].numpy()


def longer_side(image: np.ndarray) -> int:
    """Of the box round its ink."""
    return max(int(np.ptp(np.flatnonzero(image.any(axis=axis)))) + 1 for axis in (0, 1))


def test_an_image_of_mnist_stays_as_it_is(digits: np.ndarray) -> None:
    same = [np.array_equal(as_mnist(image), image) for image in digits if longer_side(image) == BOX]
    assert len(same) > 150, "most of them fill the box one way"
    assert np.mean(same) > 0.95, "a mass between two pixels may be rounded either way"


def test_a_large_scan_of_an_image_is_made_that_image_again(digits: np.ndarray) -> None:
    """Wherever it lies on the sheet."""
    filling = [image for image in digits[:50] if longer_side(image) == BOX]
    same = 0
    for number, image in enumerate(filling):
        scan = np.zeros((400, 500), dtype=np.uint8)
        top, left = 7 * number % 120, 11 * number % 220
        scan[top : top + 280, left : left + 280] = np.kron(image, np.ones((10, 10), dtype=np.uint8))
        same += np.array_equal(as_mnist(scan), image)
    assert same / len(filling) > 0.95


def test_proportions_and_place() -> None:
    ink = np.zeros((100, 100), dtype=np.uint8)
    ink[10:50, 80:90] = 255  # 40 × 10: becomes 20 × 5, its mass in the middle
    made = as_mnist(ink)
    rows, columns = np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))
    assert (len(rows), len(columns)) == (20, 5)
    assert abs(rows.mean() - FIELD / 2) <= 0.5 and abs(columns.mean() - FIELD / 2) <= 0.5


@pytest.mark.parametrize("corner", [(0, 0), (0, 99), (99, 0), (99, 99)])
def test_a_lopsided_drawing_stays_in_the_field(corner: tuple[int, int]) -> None:
    ink = np.zeros((100, 100), dtype=np.uint8)
    ink[corner] = 255
    ink[40:60, 40:60] = 1
    ink[0, 0], ink[99, 99] = max(1, ink[0, 0]), max(1, ink[99, 99])
    made = as_mnist(ink)
    assert made.shape == (FIELD, FIELD) and made.any()


def test_strokes_are_drawn_light_on_black() -> None:
    image = drawn_image(read_strokes([[[0.5, 0.1], [0.5, 0.9]]]))
    assert image.shape == (1, FIELD, FIELD) and image.dtype == torch.uint8
    rows = image[0].amax(1).nonzero().reshape(-1)
    assert len(rows) == BOX and image[0, :, 14].max() == 255 and image[0, :, 0].max() == 0
    dot = drawn_image(read_strokes([[[0.2, 0.2]]]))
    assert dot[0, 14, 14] == 255, "a dot is a round spot in the middle"


def test_points_outside_are_moved_to_the_edge() -> None:
    assert read_strokes([[[-3, 0.5], [10**400, 2.5]], []]) == (((0.0, 0.5), (1.0, 1.0)),)


@pytest.mark.parametrize(
    "sent",
    [None, "12", {}, [1], [[1]], [[[1]]], [[[1, 2, 3]]], [[["a", 0.5]]], [[[None, 0.5]]], [[[float("nan"), 0.5]]],
     [[[0.5, 0.5]] * 5001], [[]] * 5001],
    ids=str,
)  # fmt: skip
def test_what_is_no_drawing_is_refused(sent: Any) -> None:
    with pytest.raises(InputError, match=r"[Dd]raw.*again"):
        read_strokes(sent)


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(InputError, match="Nothing is drawn"):
        as_mnist(np.zeros((CANVAS, CANVAS), dtype=np.uint8))


def test_a_network_reads_scans_as_well_as_the_images(digits: np.ndarray) -> None:
    """What the page does with a drawing, from the sheet to the answer, on digits whose class is known."""
    from pruning.subject import open_subject
    from pruning.training.one_image import ask

    subject = open_subject("sample:mini_resnet", "mnist5k")
    labels = subject.data.labels("select")
    assert labels is not None
    right = 0
    for number in range(60):
        scan = np.asarray(Image.fromarray(digits[number]).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC))
        image = torch.from_numpy(as_mnist(np.where(scan > 96, 255, 0).astype(np.uint8)))[None]
        right += ask(subject.model, subject.data, image).output == int(labels[number])
    assert right >= 57
