"""How an image becomes what the network of this folder sees, step by step as config.json has it under "preprocess".

    from preprocess import from_file
    inputs = from_file("picture.jpg")[None]  # a batch of one, float32, 1 × C × H × W

Needs NumPy, and Pillow for files and for images that are to be resized.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(os.path.abspath(__file__)).parent
DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
GREY = ("1", "L", "LA", "La", *DEEP)
"""Modes of Pillow's images that have one channel of colour."""


def settings() -> dict[str, Any]:
    """What config.json says: size, resize, interpolation, colour, mean, std."""
    said: dict[str, Any] = json.loads((HERE / "config.json").read_text(encoding="utf-8"))["preprocess"]
    return said


def from_file(path: str | os.PathLike[str], how: dict[str, Any] | None = None) -> np.ndarray:
    """An image file as the network sees it: float32, C × H × W."""
    from PIL import Image

    with Image.open(path) as image:
        return from_pil(image, how)


def from_pil(image: Any, how: dict[str, Any] | None = None) -> np.ndarray:
    """An image of Pillow as the network sees it: float32, C × H × W.

    It is turned as its EXIF orientation asks, becomes grey or RGB with 8 bits a channel (transparency is left out), is
    resized, cropped in the middle, and normalised.
    """
    how = how or settings()
    from PIL import ImageOps

    image.load()
    image = ImageOps.exif_transpose(image)
    image = _eight_bits(image) if image.mode in DEEP else image.convert("L" if image.mode in GREY else "RGB")
    grey = len(how["mean"]) == 1 or how["colour"] == "grey"
    image = image.convert("L" if grey else "RGB")
    return normalised(_cropped(_resized(image, how), how["size"]), how)


def from_array(pixels: np.ndarray, how: dict[str, Any] | None = None) -> np.ndarray:
    """Pixels (uint8, H × W or H × W × 3 in the order RGB) as the network sees them: float32, C × H × W."""
    how = how or settings()
    pixels = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    grey = len(how["mean"]) == 1 or how["colour"] == "grey"
    fits = list(pixels.shape[:2]) == list(how["size"]) and how["resize"] in (None, min(how["size"]))
    if fits and (pixels.ndim == 2) == grey:
        return normalised(pixels, how)
    from PIL import Image

    return from_pil(Image.fromarray(np.ascontiguousarray(pixels)), how)


def normalised(image: Any, how: dict[str, Any] | None = None) -> np.ndarray:
    """Pixels of the right size (uint8, H × W or H × W × 3) as float32, C × H × W: (pixel − 255·mean) / (255·std)."""
    how = how or settings()
    pixels = np.asarray(image)
    channels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    if how["colour"] == "bgr":
        channels = channels[::-1]
    count = len(how["mean"])
    mean, std = (np.array(how[name], dtype=np.float32).reshape(-1, 1, 1) * np.float32(255) for name in ("mean", "std"))
    return (np.broadcast_to(channels, (count, *channels.shape[1:])).astype(np.float32) - mean) / std


def _eight_bits(image: Any) -> Any:
    """Whole numbers of 16 bits divided by 257, floats from 0–1 times 255, rounded."""
    from PIL import Image

    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.rint(values * (255 if values.max(initial=0) <= 1 else 1))
    else:
        values = (values.astype(np.uint32) + 128) // 257
    return Image.fromarray(values.astype(np.uint8))


def _resized(image: Any, how: dict[str, Any]) -> Any:
    """The shorter side brought to `resize`; without it both sides to `size`."""
    from PIL import Image

    width, height = image.size
    if how["resize"] is None:
        new = (how["size"][1], how["size"][0])
    else:
        longer = int(how["resize"] * max(width, height) / min(width, height))
        new = (how["resize"], longer) if width <= height else (longer, how["resize"])
    return image if new == (width, height) else image.resize(new, Image.Resampling[how["interpolation"].upper()])


def _cropped(image: Any, size: list[int]) -> Any:
    """The middle."""
    width, height = image.size
    top, left = round((height - size[0]) / 2), round((width - size[1]) / 2)
    return image if (height, width) == tuple(size) else image.crop((left, top, left + size[1], top + size[0]))


if __name__ == "__main__":
    print(json.dumps(settings(), ensure_ascii=False))
