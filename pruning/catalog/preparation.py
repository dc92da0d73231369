"""How images are to be prepared for a network, as its library or its own attributes say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pruning.base.errors import InputError
from pruning.data.preprocess import IMAGENET, INTERPOLATIONS, Preprocess

ATTRIBUTES = ("preprocess", "preprocessing", "data_config", "pretrained_cfg", "default_cfg")
"""Of a module, that may say it."""


def of_torchvision(transforms: Any, size: int | None) -> Preprocess | None:
    """What torchvision's transforms do (`weights.transforms()`); None where they are not those of a classifier.

    `size`: the network is built for another size of images, and the borders that are cut off shrink or grow with it.
    """
    crop, resize = getattr(transforms, "crop_size", None), getattr(transforms, "resize_size", None)
    mean, std = getattr(transforms, "mean", None), getattr(transforms, "std", None)
    if not crop or not resize or mean is None or std is None or len(crop) > 2 or len(resize) != 1:
        return None
    own = (int(crop[0]), int(crop[-1]))
    side = (size, size) if size is not None else own
    interpolation = str(getattr(getattr(transforms, "interpolation", None), "value", "bilinear"))
    return _prepared(
        size=side,
        resize=max(round(int(resize[0]) * max(side) / max(own)), *side),
        interpolation=interpolation,
        mean=mean,
        std=std,
    )


def of_timm(config: Mapping[str, Any], size: int | None) -> Preprocess | None:
    """What timm's `pretrained_cfg` says, or a mapping like it; None where it says nothing of images."""
    shape = config.get("input_size")
    if not isinstance(shape, list | tuple) or len(shape) != 3:
        return None
    side = (size, size) if size is not None else (int(shape[1]), int(shape[2]))
    share = config.get("crop_pct") or 0.875
    squashed = config.get("crop_mode") == "squash" and share == 1
    return _prepared(
        size=side,
        resize=None if squashed else max(math.floor(max(side) / share), *side),
        interpolation=str(config.get("interpolation") or "bicubic"),
        mean=config.get("mean") or IMAGENET["mean"],
        std=config.get("std") or IMAGENET["std"],
    )


def of_values(value: Any, size: int | None) -> Preprocess | None:
    """From a mapping in timm's form or in that of `Preprocess.to_values`, or from torchvision's transforms; None for
    anything else, such as a function."""
    if isinstance(value, Preprocess):
        return resized(value, size)
    if not isinstance(value, Mapping):
        return of_torchvision(value, size)
    if "input_size" in value:
        try:
            return of_timm(value, size)
        except (TypeError, ValueError):
            return None
    try:
        return resized(Preprocess.from_values(dict(value)), size)
    except (InputError, TypeError):
        return None


def of_module(module: Any, size: int | None) -> Preprocess | None:
    """What a module's own attributes say."""
    found = (of_values(getattr(module, name, None), size) for name in ATTRIBUTES)
    return next((one for one in found if one is not None), None)


def resized(preprocess: Preprocess, size: int | None) -> Preprocess:
    """The same for images of another size."""
    if size is None or preprocess.size == (size, size):
        return preprocess
    resize = preprocess.resize
    return preprocess.replace(
        size=(size, size), resize=None if resize is None else max(size, round(resize * size / max(preprocess.size)))
    )


def _prepared(
    *, size: tuple[int, int], resize: int | None, interpolation: str, mean: Any, std: Any
) -> Preprocess | None:
    try:
        return Preprocess(
            size=size,
            resize=resize,
            interpolation=next((known for known in INTERPOLATIONS if known == interpolation), "bilinear"),
            mean=tuple(float(number) for number in mean),
            std=tuple(float(number) for number in std),
        )
    except (InputError, TypeError, ValueError):
        return None
