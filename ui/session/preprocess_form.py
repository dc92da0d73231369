"""How images become what the network sees, as a form: size, crop, interpolation, channels, mean and deviation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.errors import InputError
from pruning.data.preprocess import COLOURS, IMAGENET, INTERPOLATIONS, LARGEST_SIDE, Preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruning.data.preprocess import Colour

COLOUR_WORDS: dict[Colour, str] = {"rgb": "RGB", "bgr": "BGR", "grey": "grey"}
COMMON: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "ImageNet's mean and deviation": (IMAGENET["mean"], IMAGENET["std"]),
    "half (−1 to 1)": ((0.5,) * 3, (0.5,) * 3),
    "none (0 to 1)": ((0.0,) * 3, (1.0,) * 3),
    "others": ((), ()),
}
"""What images are usually normalised with."""


def edit(now: Preprocess, key: str) -> Preprocess:
    """Draw the form; gives what it says. `key`: of its widgets, another for other images or another network.

    Raises:
        InputError: a value that is not allowed.
    """
    tall, wide, resize, how = st.columns([1, 1, 1.3, 1.3], vertical_alignment="bottom")
    height = tall.number_input("Height", 1, LARGEST_SIDE, now.size[0], key=f"{key}_height")
    width = wide.number_input("Width", 1, LARGEST_SIDE, now.size[1], key=f"{key}_width")
    shorter = resize.number_input(
        "Shorter side first to", 1, LARGEST_SIDE, now.resize, placeholder="no crop", key=f"{key}_resize",
        help="Then the middle is cut out. Empty: the whole image is brought to height and width.",
    )  # fmt: skip
    interpolation = how.selectbox(
        "Interpolation", INTERPOLATIONS, INTERPOLATIONS.index(now.interpolation), key=f"{key}_interpolation"
    )
    order, usual = st.columns([1, 2], vertical_alignment="bottom")
    colour = order.segmented_control(
        "Channels", COLOURS, format_func=COLOUR_WORDS.__getitem__, default=now.colour, required=True,
        key=f"{key}_colour",
    )  # fmt: skip
    names = list(COMMON)
    known = next((name for name, values in COMMON.items() if values == (now.mean, now.std)), names[-1])
    chosen = usual.selectbox("Normalised with", names, names.index(known), key=f"{key}_normalise")
    mean, std = COMMON[chosen]
    if not mean:
        left, right = st.columns(2)
        mean = _numbers(left.text_input("Mean, one a channel", _text(now.mean), key=f"{key}_mean"))
        std = _numbers(right.text_input("Deviation, one a channel", _text(now.std), key=f"{key}_std"))
    elif now.channels == 1:
        mean, std = mean[:1], std[:1]
    return Preprocess.from_values(
        {
            "size": [height, width],
            "resize": shorter,
            "interpolation": interpolation,
            "colour": colour,
            "mean": list(mean),
            "std": list(std),
        },
        "the form",
    )


def edit_order(now: str | None, offered: Mapping[str, str], key: str) -> str | None:
    """Draw a box for the order of the classes, where there is one to choose; gives its name, None for that of the
    images. `offered`: names of orders, in words."""
    if not offered:
        return now
    names = ["", *offered]
    chosen = st.selectbox(
        "The network numbers the classes",
        names,
        names.index(now) if now in names else 0,
        format_func=lambda name: f"in {offered[name]}" if name else "as the images do",
        key=f"{key}_order",
    )
    return chosen or None


def _text(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:g}" for number in numbers)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in re.split(r"[\s,;]+", text.strip()) if part)
    except ValueError as error:
        raise InputError(
            "Mean and deviation are numbers with spaces between them, such as 0.485 0.456 0.406."
        ) from error
