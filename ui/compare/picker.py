"""Pictures as buttons, of which one is chosen: images of a data set, or what filters answer. One component for both."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit.component import component

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from pruning.render.figures.style import Palette


@dataclass(frozen=True, kw_only=True)
class Item:
    """One button."""

    id: str
    caption: str
    aria: str
    """The same for who does not see the pictures."""
    pictures: tuple[str | None, ...]
    """Addresses of the pictures side by side; None is drawn as removed."""
    mark: bool = False
    disabled: bool = False


def show(items: Sequence[Item], *, key: str, label: str, size: int, names: Sequence[str], default: str) -> str:
    """Draw the buttons and give the id of the chosen one, `default` before anything was clicked.

    `size`: of a picture, in pixels. `names`: what the first, second, ... picture of each button is.
    """
    ids = {item.id for item in items if not item.disabled}
    chosen = st.session_state.get(_kept(key), default)
    chosen = chosen if chosen in ids else default
    data = {
        "items": [vars(item) for item in items],
        "label": label,
        "size": size,
        "names": list(names),
        "chosen": chosen,
    }
    _component()(key=key, data=data, on_chosen_change=lambda: _keep(key))
    return str(chosen)


def choose(key: str, chosen: str) -> None:
    """Choose for the user, before the buttons are drawn."""
    st.session_state[_kept(key)] = chosen


def address(pixels: Tensor) -> str:
    """uint8 pixels, height × width or height × width × 3, as a picture's address."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.contiguous().numpy()).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def photo(image: Tensor) -> str:
    """An image of a data set (uint8, channels × height × width) as an address."""
    return address(image[0] if len(image) == 1 else image.movedim(0, -1))


def heat(values: Tensor, reach: float, colours: Palette) -> str:
    """Height × width as an address: from `-reach` (dense grey) over zero (panel) to `reach` (kept blue)."""
    import torch

    def rgb(colour: str) -> Tensor:
        return torch.tensor([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=torch.float32)

    share = (values / reach).clamp(-1, 1)[..., None]
    ends = torch.where(share >= 0, rgb(colours.kept), rgb(colours.dense))
    mixed = rgb(colours.panel) + share.abs() * (ends - rgb(colours.panel))
    return address(mixed.round().to(torch.uint8))


def _kept(key: str) -> str:
    return f"{key}_chosen"


def _keep(key: str) -> None:
    """The component forgets once it is not drawn; the session does not."""
    sent = (st.session_state.get(key) or {}).get("chosen")
    if sent is not None:
        st.session_state[_kept(key)] = str(sent)


@cache
def _component() -> Callable[..., Any]:
    return component("compare_tiles", Path(__file__).parent, css="tiles.css", js=("tiles.js",))
