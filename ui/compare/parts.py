"""The parts of Compare, of which one is open; and what a link carries beside the two networks: that part, what is
chosen in it, and the reader's own numbers."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import streamlit as st

from ui.compare import classes, inside, picture_choice, race, savings, weights
from ui.kit import state
from ui.kit.view import Setting, one_of

if TYPE_CHECKING:
    from pruning.compare.sides import Pair

PART = "compare_part"
PARTS = {
    "networks": ":material/account_tree: Networks",
    "pictures": ":material/photo_library: Images",
    "classes": ":material/category: Classes",
    "repaired": ":material/healing: Repair",
    "inside": ":material/search: Inside",
    "engines": ":material/memory: Engines",
    "race": ":material/timer: Race",
    "savings": ":material/savings: Savings",
}
"""Module in `ui.compare` → its name in the control."""
state.DEFAULTS[PART] = "networks"


def show(pair: Pair) -> None:
    """The control, and the part that it opens."""
    part = st.segmented_control(
        "Show", list(PARTS), format_func=PARTS.__getitem__, required=True, label_visibility="collapsed",
        **state.bound(PART),
    )  # fmt: skip
    importlib.import_module(f"ui.compare.{part}").show(pair)


def _text(key: str) -> Setting:
    """A name, such as a layer's: where the networks do not have it, the page falls back on its first."""
    return Setting(key=key, allowed=lambda value: isinstance(value, str))


def _number(key: str, kind: type[int] | type[float], most: float) -> Setting:
    """A number of exactly the type that its field takes."""
    return Setting(key=key, allowed=lambda value: type(value) is kind and 0 <= value <= most)


VIEW = {
    "part": one_of(PART, tuple(PARTS)),
    "matrix": one_of(classes.MATRIX, (classes.BEFORE, classes.AFTER, classes.CHANGE)),
    "layer": _text(inside.LAYER),
    "class": _text(picture_choice.CLASS),
    "whose": one_of(weights.WHOSE, ("before", "after")),
    "at_once": one_of(race.BATCH, (1, 32)),
    "requests": _number(savings.REQUESTS, float, savings.MOST),
    "days": _number(savings.DAYS, int, 366),
    "price": _number(savings.PRICE, float, savings.DEAREST),
    "currency": Setting(
        key=savings.CURRENCY, allowed=lambda value: isinstance(value, str) and len(value) <= savings.LONGEST
    ),
    "devices": _number(savings.DEVICES, float, savings.MOST),
}
"""Name in the link → setting."""
