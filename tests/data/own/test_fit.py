"""What a network sees is to the bit what torchvision's transforms on Pillow images make of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from pruning.data.own import fit as fitting
from pruning.data.own.decode import UnreadableImage
from pruning.data.own.fit import fit
from pruning.data.preprocess import COLOURS, IMAGENET, INTERPOLATIONS, Colour, Interpolation, Preprocess

SIZES = ((40, 61), (61, 40), (33, 33), (20, 90), (7, 9), (224, 225))
"""Height and width of images."""


def picture(size: tuple[int, int], *, grey: bool = False) -> Image.Image:
    shape = size if grey else (*size, 3)
    return Image.fromarray(np.random.default_rng(size).integers(0, 256, shape, dtype=np.uint8))


def fitted(image: Image.Image, preprocess: Preprocess) -> np.ndarray:
    out = np.empty(preprocess.shape, dtype=np.uint8)
    fit(image, preprocess, out)
    return out


def by_torchvision(image: Image.Image, preprocess: Preprocess) -> np.ndarray:
    mode = InterpolationMode(preprocess.interpolation)
    steps = [transforms.Resize(preprocess.size, mode)]
    if preprocess.resize is not None:
        steps = [transforms.Resize(preprocess.resize, mode), transforms.CenterCrop(preprocess.size)]
    if preprocess.colour == "grey" or preprocess.channels == 1:
        steps.insert(0, transforms.Grayscale(preprocess.channels))
    else:
        steps.insert(0, lambda image: image.convert("RGB"))
    pixels = np.asarray(transforms.Compose(steps)(image))
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return pixels[::-1] if preprocess.colour == "bgr" else pixels


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("size", "resize"), [((32, 32), 36), ((32, 32), 32), ((31, 20), 33), ((24, 32), None)])
def test_resize_and_crop(interpolation: Interpolation, size: tuple[int, int], resize: int | None) -> None:
    preprocess = Preprocess(size=size, resize=resize, interpolation=interpolation, **IMAGENET)
    for image_size in SIZES:
        image = picture(image_size)
        assert np.array_equal(fitted(image, preprocess), by_torchvision(image, preprocess)), image_size


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("grey", [False, True])
def test_colours(colour: Colour, channels: int, grey: bool) -> None:
    preprocess = Preprocess(size=(20, 20), resize=24, colour=colour, mean=(0.5,) * channels, std=(0.5,) * channels)
    image = picture((40, 50), grey=grey)
    found = fitted(image, preprocess)
    assert found.shape == (channels, 20, 20) and np.array_equal(found, by_torchvision(image, preprocess))
    assert (grey or colour == "grey" or channels == 1) == all(np.array_equal(found[0], other) for other in found)


def test_images_that_have_the_size_stay_as_they_are() -> None:
    image = picture((21, 34))
    assert np.array_equal(fitted(image, Preprocess(size=(21, 34), **IMAGENET)), np.asarray(image).transpose(2, 0, 1))


def test_a_strip_that_would_become_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_PIXELS", 10_000)
    preprocess = Preprocess(size=(32, 32), resize=32, **IMAGENET)
    assert fitted(picture((2, 18)), preprocess).shape == (3, 32, 32)
    with pytest.raises(UnreadableImage, match="too long for its shorter side"):
        fitted(picture((2, 30)), preprocess)
