"""What goes into a bundle prepares images as the explorer does, to the bit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pruning.data.own.decode import decode
from pruning.data.own.fit import fit
from pruning.data.preprocess import Preprocess
from pruning.data.readers import open_data
from pruning.export.bundle.shipped.preprocess import from_array, from_file, from_pil, normalised

THREE: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
ONE: dict[str, Any] = {"mean": (0.1307,), "std": (0.3081,)}
WAYS = (
    Preprocess(size=(24, 24), resize=28, **THREE),
    Preprocess(size=(20, 32), resize=37, interpolation="bicubic", colour="bgr", **THREE),
    Preprocess(size=(17, 19), interpolation="lanczos", **THREE),
    Preprocess(size=(24, 24), resize=24, interpolation="nearest", colour="grey", **ONE),
    Preprocess(size=(24, 24), interpolation="box", colour="grey", **THREE),
    Preprocess(size=(23, 23), resize=31, interpolation="hamming", **ONE),
)


def pictures() -> dict[str, bytes]:
    """Files of every sort: name → content."""
    draw = np.random.default_rng(0)
    colours = draw.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    found: dict[str, bytes] = {}

    def keep(name: str, image: Image.Image, **options: Any) -> None:
        file = io.BytesIO()
        image.save(file, **options)
        found[name] = file.getvalue()

    keep("colour.png", Image.fromarray(colours), format="PNG")
    keep("tall.jpg", Image.fromarray(colours.transpose(1, 0, 2).copy()), format="JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6
    keep("turned.jpg", Image.fromarray(colours), format="JPEG", exif=exif)
    keep("grey.png", Image.fromarray(colours[:, :, 0]), format="PNG")
    keep("deep.png", Image.fromarray(draw.integers(0, 65536, (37, 53)).astype(np.uint16)), format="PNG")
    keep("float.tif", Image.fromarray(draw.random((37, 53), dtype=np.float32)), format="TIFF")
    keep("clear.png", Image.fromarray(draw.integers(0, 256, (37, 53, 4), dtype=np.uint8)), format="PNG")
    keep("palette.gif", Image.fromarray(colours).quantize(32), format="GIF")
    keep("cmyk.jpg", Image.fromarray(colours).convert("CMYK"), format="JPEG")
    return found


def ours(content: bytes, way: Preprocess) -> np.ndarray:
    """As the explorer prepares it."""
    out = np.empty(way.shape, dtype=np.uint8)
    fit(decode(content), way, out)
    mean, std = (torch.tensor(numbers).view(-1, 1, 1) * 255 for numbers in (way.mean, way.std))
    return torch.from_numpy(out).to(torch.float32).sub_(mean).div_(std).numpy()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.words)
def test_files_and_images_of_pillow(way: Preprocess, tmp_path: Path) -> None:
    how = way.to_values()
    for name, content in pictures().items():
        (tmp_path / name).write_bytes(content)
        expected = ours(content, way)
        given = from_file(tmp_path / name, how)
        assert given.dtype == np.float32 and given.shape == way.shape
        assert np.array_equal(given, expected), name
        assert np.array_equal(from_pil(Image.open(io.BytesIO(content)), how), expected), name


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.words)
def test_arrays(way: Preprocess) -> None:
    draw, how = np.random.default_rng(1), way.to_values()
    for shape in ((37, 53, 3), (37, 53), (37, 53, 1), (*way.size, 3), way.size):
        pixels = draw.integers(0, 256, shape, dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels[:, :, 0] if shape[2:] == (1,) else pixels).save(file, format="PNG")
        assert np.array_equal(from_array(pixels, how), ours(file.getvalue(), way)), shape


def test_published_images_are_normalised_as_they_are() -> None:
    data = open_data("mnist5k")
    pixels = data.images("select", torch.arange(16))
    how = Preprocess(size=(28, 28), colour="grey", mean=data.info.mean, std=data.info.std).to_values()
    given = np.stack([normalised(image[0].numpy(), how) for image in pixels])
    assert np.array_equal(given, data.normalise(pixels).numpy())
