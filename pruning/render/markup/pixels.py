"""Pixels as data URIs of PNG files: images of a data set, and values as colours."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.render.figures.style import Palette


def png(pixels: Tensor) -> str:
    """uint8 pixels, height × width or height × width × 3, one by one."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.contiguous().numpy()).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def photo(image: Tensor) -> str:
    """An image of a data set: uint8, 1 or 3 channels × height × width."""
    return png(image[0] if len(image) == 1 else image.movedim(0, -1))


def heat(values: Tensor, reach: float, colours: Palette) -> str:
    """Values, height × width, from `-reach` (dense grey) over zero (panel) to `reach` (kept blue)."""
    import torch

    def rgb(colour: str) -> Tensor:
        return torch.tensor([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=torch.float32)

    share = (values / reach).clamp(-1, 1)[..., None]
    ends = torch.where(share >= 0, rgb(colours.kept), rgb(colours.dense))
    mixed = rgb(colours.panel) + share.abs() * (ends - rgb(colours.panel))
    return png(mixed.round().to(torch.uint8))
