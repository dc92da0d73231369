"""Present mode (`?present=1`): the comparison as slides over the whole window, for an audience; nothing to set.

Arrow keys or Next step through them, Esc or Leave ends it. Letters have at least 24 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.render.markup.slides import slides
from ui.compare import networks
from ui.kit.component import component

if TYPE_CHECKING:
    from pruning.compare.sides import Pair

_PARAMETER = "present"
KEY = "compare_slides"
FRAME = """
<dialog aria-label="Presentation"><div class="stage" aria-live="polite"></div>
<nav><span class="place soft"></span><button class="leave">Leave</button><button class="next">Next</button></nav>
</dialog>
"""


def is_on() -> bool:
    """Whether the address asks for it."""
    return bool(st.query_params.get(_PARAMETER) == "1")


def start() -> None:
    """Present from now on."""
    st.query_params[_PARAMETER] = "1"


def leave() -> None:
    """Back to the page."""
    st.query_params.pop(_PARAMETER, None)


def show(pair: Pair) -> None:
    """Draw the slides."""
    html = "".join(slides(pair, networks.layers(pair)))
    _component()(key=KEY, data={"html": html, "key": f"{len(html)}-{hash(html)}"}, on_leave_change=leave)


@cache
def _component() -> Callable[..., Any]:
    folder = Path(__file__).parent
    return component("pruning_present", folder, html=FRAME, css="present.css", js=("present.js",))
