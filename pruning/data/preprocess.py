"""How an image becomes what a network sees: its size, its crop, its channels, and what they are normalised with."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pruning.base.errors import InputError, excerpt

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
Colour = Literal["rgb", "bgr", "grey"]
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
COLOURS: tuple[Colour, ...] = get_args(Colour)
LARGEST_SIDE = 8192
"""Pixels."""


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """What is done to an image before a network sees it. Pixels are decoded, resized, cropped in the middle, put into
    the order of `colour`, scaled to 0–1, and normalised: (pixel − mean) / std.

    >>> Preprocess(size=(224, 224), resize=256, mean=(0.5,) * 3, std=(0.5,) * 3).words
    'shorter side to 256 (bilinear), middle 224×224, RGB, mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5'
    """

    size: tuple[int, int]
    """Height and width that the network sees, in pixels."""
    resize: int | None = None
    """The shorter side is brought to so many pixels before the middle is cut out; None: both sides are brought to
    `size`, whatever the image's shape (nothing is done to images that have this size)."""
    interpolation: Interpolation = "bilinear"
    colour: Colour = "rgb"
    mean: tuple[float, ...]
    """One number a channel that the network sees, 1 or 3, of pixels scaled to 0–1."""
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(isinstance(n, int) and 1 <= n <= LARGEST_SIDE for n in self.size):
            raise InputError(f"Images are seen at a height and width of 1 to {LARGEST_SIDE} pixels, not {self.size}.")
        if self.resize is not None and not max(self.size) <= self.resize <= LARGEST_SIDE:
            raise InputError(
                f"The shorter side cannot be brought to {self.resize} pixels: it must be at least as long as what is "
                f"cut out of it, {max(self.size)}, and at most {LARGEST_SIDE}."
            )
        if self.interpolation not in INTERPOLATIONS:
            raise InputError(
                f"The interpolation is one of {', '.join(INTERPOLATIONS)}, not '{excerpt(str(self.interpolation))}'."
            )
        if self.colour not in COLOURS:
            raise InputError(f"The colour is one of {', '.join(COLOURS)}, not '{excerpt(str(self.colour))}'.")
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean):
            raise InputError(
                "Mean and deviation take one number a channel, 1 or 3 and as many of both, not "
                f"{len(self.mean)} and {len(self.std)}."
            )
        if not all(math.isfinite(number) for number in (*self.mean, *self.std)) or min(self.std) <= 0:
            raise InputError("Mean and deviation are finite numbers, and a deviation is above 0.")

    @property
    def channels(self) -> int:
        """That the network sees: a grey image is repeated where it takes 3."""
        return len(self.mean)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of what the network sees."""
        return (self.channels, *self.size)

    @property
    def words(self) -> str:
        """In one line."""
        across = f"{self.size[0]}×{self.size[1]}"
        cut = f"shorter side to {self.resize} ({self.interpolation}), middle {across}"
        cut = f"as a whole at {across} ({self.interpolation})" if self.resize is None else cut
        mean, std = (" ".join(f"{number:g}" for number in numbers) for numbers in (self.mean, self.std))
        return f"{cut}, {self.colour.upper() if self.colour != 'grey' else 'grey'}, mean {mean}, deviation {std}"

    def replace(self, **changes: Any) -> Preprocess:
        """The same with other values.

        Raises:
            InputError: a value that is not allowed.
        """
        return dataclasses.replace(self, **changes)

    def to_values(self) -> dict[str, Any]:
        """All fields by name, ready for JSON and YAML, and for `from_values`."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_values(cls, values: Any, where: str = "the preprocessing") -> Preprocess:
        """What `to_values` gave, or somebody wrote by hand; `size` may be one number.

        Raises:
            InputError: no names and values, an unknown name, or a value that is not allowed.
        """
        if not isinstance(values, Mapping):
            raise InputError(f"In {where} names and values are missing: size, resize, mean, std and so on.")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = [str(name) for name in values if name not in known]
        missing = [name for name in ("size", "mean", "std") if name not in values]
        if unknown:
            raise InputError(f"In {where} there is no '{excerpt(unknown[0])}': there is {', '.join(sorted(known))}.")
        if missing:
            raise InputError(f"In {where} '{missing[0]}' is missing.")
        size = values["size"]
        size = [size, size] if isinstance(size, int) else size
        given = {**values, "size": _numbers(size, int, f"'size' in {where}")}
        given |= {name: _numbers(values[name], float, f"'{name}' in {where}") for name in ("mean", "std")}
        if given.get("resize") is not None and type(given["resize"]) is not int:
            raise InputError(f"'resize' in {where} is a whole number of pixels.")
        return cls(**given)


def _numbers(value: Any, kind: type[int | float], where: str) -> tuple[Any, ...]:
    numbers = value if isinstance(value, list | tuple) else [value]
    fits = (int,) if kind is int else (int, float)
    if not all(type(number) in fits and abs(number) < 1e9 for number in numbers):
        raise InputError(f"{where} takes {'whole numbers' if kind is int else 'numbers'}.")
    return tuple(kind(number) for number in numbers)


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""Mean and deviation of the photos of ImageNet, which most networks for photos were trained with."""
