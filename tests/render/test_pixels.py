"""Pictures as data URIs: pixel by pixel, and colours that stand for values."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from pruning.render.figures.style import palette
from pruning.render.markup.pixels import SMALL, heat, photo


def decoded(uri: str) -> np.ndarray:
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_kept_pixel_by_pixel(channels: int) -> None:
    image = torch.arange(channels * 6, dtype=torch.uint8).reshape(channels, 2, 3)
    assert decoded(photo(image)).reshape(2, 3, channels).tolist() == image.permute(1, 2, 0).tolist()


def test_colours_of_maps_stand_for_values() -> None:
    colours = palette(False)
    pixels = decoded(heat(torch.tensor([[0.0, 2.0], [-2.0, 9.0]]), 2.0, colours))
    expected = [[colours.panel, colours.kept], [colours.dense, colours.kept]]
    assert [["#" + bytes(pixel).hex() for pixel in row] for row in pixels] == expected


def test_a_large_photo_is_made_small_and_a_small_one_stays() -> None:
    large, digit = torch.zeros(3, 384, 200, dtype=torch.uint8), torch.zeros(1, 28, 28, dtype=torch.uint8)
    assert decoded(photo(large, SMALL)).shape == (168, 87, 3)
    assert photo(digit, SMALL) == photo(digit)
