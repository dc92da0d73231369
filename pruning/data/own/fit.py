"""A decoded image as a network sees it, to the bit as torchvision's transforms on Pillow images make it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pruning.data.own.decode import MOST_PIXELS, UnreadableImage
from pruning.data.preprocess import Preprocess

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


def fit(image: Image.Image, preprocess: Preprocess, out: np.ndarray) -> None:
    """Write an image (mode L or RGB) into `out` (uint8, C × H × W of `preprocess.shape`): Resize, then CenterCrop.

    A grey image is repeated where the network sees 3 channels; a coloured one becomes grey (ITU-R 601-2 luma) where it
    sees grey or 1 channel.

    Raises:
        UnreadableImage: one side is so much longer than the other that the resized image would be too large.
    """
    mode = "L" if preprocess.channels == 1 or preprocess.colour == "grey" else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    pixels = np.asarray(_cropped(_resized(image, preprocess), preprocess.size))
    if pixels.ndim == 2:
        out[:] = pixels  # repeated along the channels
    else:
        channels = pixels.transpose(2, 0, 1)
        out[:] = channels[::-1] if preprocess.colour == "bgr" else channels


def _resized(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    width, height = image.size
    if preprocess.resize is None:
        new = (preprocess.size[1], preprocess.size[0])
    else:
        short, long = min(width, height), max(width, height)
        longer = int(preprocess.resize * long / short)
        new = (preprocess.resize, longer) if width <= height else (longer, preprocess.resize)
    if new[0] * new[1] > MOST_PIXELS:
        raise UnreadableImage(f"it is {height:,}×{width:,}, which is too long for its shorter side")
    return image if new == (width, height) else image.resize(new, RESAMPLING[preprocess.interpolation])


def _cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle; the image is at least as large."""
    width, height = image.size
    if (height, width) == size:
        return image
    top, left = round((height - size[0]) / 2), round((width - size[1]) / 2)
    return image.crop((left, top, left + size[1], top + size[0]))
