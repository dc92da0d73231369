"""Pixels as data URIs of PNG files: images of a data set, and values as colours."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.render.figures.style import Palette


SMALL = 168
"""Longer side of a picture that is shown at half of it: enough for screens with twice the pixels."""


def png(pixels: Tensor, most: int | None = None) -> str:
    """uint8 pixels, height × width or height × width × 3, one by one. `most`: longer side, where it is longer."""
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(pixels.contiguous().numpy())
    if most is not None:
        image.thumbnail((most, most))
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def photo(image: Tensor, most: int | None = None) -> str:
    """An image of a data set: uint8, 1 or 3 channels × height × width. `most`: as `png` takes it."""
    return png(image[0] if len(image) == 1 else image.movedim(0, -1), most)


def heat(values: Tensor, reach: float, colours: Palette) -> str:
    """Values, height × width, from `-reach` (dense grey) over zero (panel) to `reach` (kept blue)."""
    import torch

    def rgb(colour: str) -> Tensor:
        return torch.tensor([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=torch.float32)

    share = (values / reach).clamp(-1, 1)[..., None]
    ends = torch.where(share >= 0, rgb(colours.kept), rgb(colours.dense))
    mixed = rgb(colours.panel) + share.abs() * (ends - rgb(colours.panel))
    return png(mixed.round().to(torch.uint8))
