"""Training images as training sees them: moved a little, mirrored where that is fair."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, shift: int, flips: bool, generator: torch.Generator) -> Tensor:
    """Move each image (N × C × H × W) by up to `shift` pixels, filling with 0; mirror every second if `flips`."""
    count, _, height, width = images.shape
    padded = F.pad(images, (shift, shift, shift, shift))
    top, left = torch.randint(0, 2 * shift + 1, (2, count), generator=generator)
    rows = top[:, None] + torch.arange(height)
    columns = left[:, None] + torch.arange(width)
    if flips:
        mirrored = torch.rand(count, generator=generator) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    picture = torch.arange(count)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)
