"""The table of augmentations: how training images are changed at random, on uint8 tensors.

Each row draws from the generator it is given, so that equal seeds give equal images. CutMix mixes labels as well, and
is done where the loss is (`pruning.training.finetune`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

AS_KNOWN, NONE = "known", "none"
"""What the data set is known to bear: moved by the recipe's `shift`, and mirrored where that is fair; nothing."""
CUTMIX = "cutmix"
SHARE_OF_CUTMIX = 0.5
"""Of the batches, where CutMix is asked for."""
CROP_AREA, CROP_RATIO = (0.35, 1.0), (3 / 4, 4 / 3)
"""Share of the area, and width over height, of a random crop; a network that is trained already sees objects at about
the size it knows."""
OPERATIONS, MAGNITUDE = 2, 9
"""Of RandAugment (Cubuk 2019, arXiv 1909.13719): operations an image, and their strength out of 30."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """One way to change training images."""

    name: str
    explanation: str
    change: Callable[[Tensor, torch.Generator], Tensor] | None
    """uint8 images (N × C × H × W) and the lots → images of the same shape; None for what mixes labels too."""


def flip(images: Tensor, draw: torch.Generator) -> Tensor:
    """Mirror each image from left to right with probability one half."""
    import torch

    mirrored = torch.rand(len(images), generator=draw) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def shift(images: Tensor, draw: torch.Generator) -> Tensor:
    """Move each image by up to an eighth of its size, filling with 0."""
    from pruning.data.augment import augment

    return augment(images, max(1, min(images.shape[2:]) // 8), False, draw)


def crop(images: Tensor, draw: torch.Generator) -> Tensor:
    """Cut a part of random size, shape and place out of each image, and bring it to the image's size (random resized
    crop, Szegedy 2014, arXiv 1409.4842)."""
    import torch
    from torchvision.transforms.v2 import functional as TF

    _, _, height, width = images.shape
    found = []
    for image in images:
        lots = torch.rand(4, generator=draw).tolist()
        area = height * width * (CROP_AREA[0] + lots[0] * (CROP_AREA[1] - CROP_AREA[0]))
        low, high = (math.log(end) for end in CROP_RATIO)
        ratio = math.exp(low + lots[1] * (high - low))
        tall = max(1, min(height, round(math.sqrt(area / ratio))))
        wide = max(1, min(width, round(math.sqrt(area * ratio))))
        top, left = int(lots[2] * (height - tall + 1)), int(lots[3] * (width - wide + 1))
        found.append(TF.resized_crop(image, top, left, tall, wide, [height, width], antialias=True))
    return torch.stack(found)


def randaugment(images: Tensor, draw: torch.Generator) -> Tensor:
    """Two operations an image, drawn from a fixed list: shear, move, turn, brightness, contrast and the like."""
    import torch
    from torchvision.transforms import v2

    change = v2.RandAugment(num_ops=OPERATIONS, magnitude=MAGNITUDE)
    seed = int(torch.randint(0, 2**31 - 1, (), generator=draw))
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the lots of the process
        torch.manual_seed(seed)
        return torch.stack([change(image) for image in images])


AUGMENTATIONS: dict[str, Augmentation] = {
    row.name: row
    for row in (
        Augmentation(name="flip", explanation="mirrored from left to right, every second one", change=flip),
        Augmentation(name="shift", explanation="moved by up to an eighth of their size", change=shift),
        Augmentation(name="crop", explanation="a random part, brought to the full size", change=crop),
        Augmentation(name="randaugment", explanation="two random operations each (RandAugment)", change=randaugment),
        Augmentation(name=CUTMIX, explanation="a box of another image in every second batch (CutMix)", change=None),
    )
}
"""By name, in the order in which they are applied."""


def check_augment(text: str) -> str:
    """A text that says how training images are changed, with its names in the order of the table: 'flip,crop'; or
    'known' or 'none'.

    >>> check_augment("crop, flip")
    'flip,crop'

    Raises:
        InputError: a name that is none, or one beside 'known' or 'none'.
    """
    names = [name.strip() for name in text.split(",")]
    if names in ([AS_KNOWN], [NONE]):
        return names[0]
    for name in names:
        if name not in AUGMENTATIONS:
            raise InputError(
                f"'augment' is {AS_KNOWN}, {NONE}, or names with commas of {', '.join(AUGMENTATIONS)}, not "
                f"'{excerpt(text)}'."
            )
    return ",".join(name for name in AUGMENTATIONS if name in names)


def changes_of(text: str) -> list[Callable[[Tensor, torch.Generator], Tensor]]:
    """What is done to images, one change after another, for a checked text other than 'known'."""
    names = [] if text == NONE else text.split(",")
    return [row.change for name, row in AUGMENTATIONS.items() if name in names and row.change is not None]
